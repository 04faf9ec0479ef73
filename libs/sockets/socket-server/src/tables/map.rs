// SPDX-License-Identifier: BSD-2-Clause

//! A hash table of fixed size: open addressing with linear probing, deletion by shifting back, so
//! that a lookup never walks over graves. The hash is seeded, because keys contain what a peer
//! chose.

use alloc::vec::Vec;

/// What a [`Map`] can be keyed by.
pub trait Key: Copy + Eq {
    /// A hash that depends on the seed in every bit.
    fn hash(&self, seed: u64) -> u64;
}

/// One round of mixing: the two halves of a 128-bit product, folded.
pub fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd6e8_feb8_6659_fd93);
    (product >> 64) as u64 ^ product as u64
}

/// The table is as full as it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// A map for at most as many keys as it was made for.
pub struct Map<K, V> {
    slots: Vec<Option<(K, V)>>,
    seed: u64,
    len: usize,
    limit: usize,
}

impl<K: Key, V: Copy> Map<K, V> {
    /// A map for `limit` keys. This is the only allocation.
    pub fn new(limit: usize, seed: u64) -> Self {
        let size = (limit.max(1) * 2).next_power_of_two();
        let slots = (0..size).map(|_| None).collect();
        Map {
            slots,
            seed,
            len: 0,
            limit,
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The key's value.
    pub fn get(&self, key: &K) -> Option<V> {
        let (_, value) = self.slots[self.find(key)?]?;
        Some(value)
    }

    /// Adds or replaces.
    ///
    /// # Errors
    /// [`Full`] if the key is new and the map has its limit.
    pub fn insert(&mut self, key: K, value: V) -> Result<(), Full> {
        let mask = self.slots.len() - 1;
        let mut at = self.home(&key);
        // At most half of the slots are in use, so that a free one comes.
        loop {
            match &mut self.slots[at] {
                Some((found, old)) if *found == key => {
                    *old = value;
                    return Ok(());
                }
                Some(_) => at = (at + 1) & mask,
                None => break,
            }
        }
        if self.len == self.limit {
            return Err(Full);
        }
        self.slots[at] = Some((key, value));
        self.len += 1;
        Ok(())
    }

    /// Removes a key and returns its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let mut hole = self.find(key)?;
        let (_, value) = self.slots[hole].take()?;
        self.len -= 1;
        // Whatever lies behind the hole and may not be separated from its home by it moves into it.
        let mask = self.slots.len() - 1;
        let mut at = (hole + 1) & mask;
        while let Some((moving, _)) = self.slots[at] {
            let from_home = at.wrapping_sub(self.home(&moving)) & mask;
            let from_hole = at.wrapping_sub(hole) & mask;
            if from_home >= from_hole {
                self.slots[hole] = self.slots[at].take();
                hole = at;
            }
            at = (at + 1) & mask;
        }
        Some(value)
    }

    fn home(&self, key: &K) -> usize {
        key.hash(self.seed) as usize & (self.slots.len() - 1)
    }

    fn find(&self, key: &K) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = self.home(key);
        while let Some((found, _)) = &self.slots[at] {
            if found == key {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    impl Key for u16 {
        fn hash(&self, seed: u64) -> u64 {
            // Few homes, so that runs grow long and wrap around.
            mix(u64::from(*self % 7), seed)
        }
    }

    proptest! {
        #[test]
        fn behaves_like_a_hash_map(seed: u64, steps in prop::collection::vec((0u8..3, 0u16..48, any::<u32>()), 0..400)) {
            let mut map = Map::new(20, seed);
            let mut model = HashMap::new();
            for (what, key, value) in steps {
                match what {
                    0 => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                    _ if model.len() == 20 && !model.contains_key(&key) => {
                        prop_assert_eq!(map.insert(key, value), Err(Full));
                    }
                    _ => {
                        prop_assert_eq!(map.insert(key, value), Ok(()));
                        model.insert(key, value);
                    }
                }
                prop_assert_eq!(map.len(), model.len());
                for key in 0..48 {
                    prop_assert_eq!(map.get(&key), model.get(&key).copied());
                }
            }
        }
    }
}
