// SPDX-License-Identifier: BSD-2-Clause

//! Keys and values, in blocks of one pool. An entry is a chain of blocks, of which the first gives
//! it its number; its key and its value lie in them one after the other.

use alloc::vec::Vec;
use core::hash::Hasher;

use siphasher::sip::SipHasher13;
use socket_client::Instant;

/// Bytes that a block holds.
const BLOCK: usize = 60;
/// No block.
const NONE: u32 = u32::MAX;

#[derive(Clone)]
struct Block {
    /// The next one of its entry, or of those that are free.
    next: u32,
    bytes: [u8; BLOCK],
}

/// What is known about an entry, at the number of its first block.
#[derive(Clone, Copy)]
struct Head {
    /// The next entry whose key has the same hash.
    next: u32,
    key_len: u32,
    value_len: u32,
    /// [`Instant::MAX`]: never.
    expires: Instant,
}

impl Head {
    const NONE: Self = Head {
        next: NONE,
        key_len: 0,
        value_len: 0,
        expires: Instant::MAX,
    };
}

/// The pool has not enough free blocks for a new value beside the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// Keys and values. Those that have expired are as good as gone; their memory is taken back when
/// they are met, when memory is short, and when keys are counted.
pub struct Store {
    seed: (u64, u64),
    /// First entries, by the hash of their keys.
    buckets: Vec<u32>,
    heads: Vec<Head>,
    blocks: Vec<Block>,
    free: u32,
    free_count: usize,
    len: usize,
}

impl Store {
    /// Bytes of heap for each block of a store.
    pub const BLOCK_COST: usize = size_of::<Block>() + size_of::<Head>() + size_of::<u32>();

    /// Allocates a store of so many blocks, each for up to 60 bytes of one entry. The seed decides
    /// which keys share a hash.
    pub fn new(blocks: usize, seed: (u64, u64)) -> Self {
        let blocks = blocks.clamp(1, NONE as usize - 1);
        let empty = Block {
            next: NONE,
            bytes: [0; BLOCK],
        };
        let mut store = Store {
            seed,
            buckets: alloc::vec![NONE; blocks],
            heads: alloc::vec![Head::NONE; blocks],
            blocks: alloc::vec![empty; blocks],
            free: NONE,
            free_count: 0,
            len: 0,
        };
        store.clear();
        store
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.buckets.fill(NONE);
        self.heads.fill(Head::NONE);
        let mut next = NONE;
        for (number, block) in self.blocks.iter_mut().enumerate().rev() {
            block.next = next;
            next = number as u32;
        }
        self.free = next;
        self.free_count = self.blocks.len();
        self.len = 0;
    }

    /// Returns how many keys there are, those included that have expired and not been met.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the bytes of all blocks.
    pub fn capacity(&self) -> usize {
        self.blocks.len() * BLOCK
    }

    /// Returns the bytes of the blocks that are in use.
    pub fn used(&self) -> usize {
        (self.blocks.len() - self.free_count) * BLOCK
    }

    fn bucket(&self, key: &[u8]) -> usize {
        let mut hasher = SipHasher13::new_with_keys(self.seed.0, self.seed.1);
        hasher.write(key);
        (hasher.finish() % self.buckets.len() as u64) as usize
    }

    fn value(&self, number: u32) -> Value<'_> {
        let head = &self.heads[number as usize];
        Value {
            store: self,
            block: number,
            skip: head.key_len as usize,
            left: head.value_len as usize,
        }
    }

    fn key(&self, number: u32) -> Value<'_> {
        Value {
            store: self,
            block: number,
            skip: 0,
            left: self.heads[number as usize].key_len as usize,
        }
    }

    /// Returns the entry in front of a key's in its bucket (`NONE`: it is the first), and its own.
    fn find(&self, bucket: usize, key: &[u8]) -> Option<(u32, u32)> {
        let (mut before, mut number) = (NONE, self.buckets[bucket]);
        while number != NONE {
            if self.key(number).is(key) {
                return Some((before, number));
            }
            (before, number) = (number, self.heads[number as usize].next);
        }
        None
    }

    /// Finds an entry that has not expired.
    fn live(&mut self, key: &[u8], now: Instant) -> Option<u32> {
        let bucket = self.bucket(key);
        let (before, number) = self.find(bucket, key)?;
        if self.heads[number as usize].expires <= now {
            self.take_out(bucket, before, number);
            return None;
        }
        Some(number)
    }

    /// Returns the value of a key.
    pub fn get(&mut self, key: &[u8], now: Instant) -> Option<Value<'_>> {
        let number = self.live(key, now)?;
        Some(self.value(number))
    }

    /// Sets the value of a key, and when it expires.
    ///
    /// # Errors
    /// [`OutOfMemory`]; the key has its old value then.
    pub fn set(
        &mut self,
        key: &[u8],
        value: &[u8],
        expires: Option<Instant>,
        now: Instant,
    ) -> Result<(), OutOfMemory> {
        self.make_room(Self::blocks_of(key, value), now)?;
        self.remove(key, now);
        let bucket = self.bucket(key);
        let number = self.fill(key, value);
        self.heads[number as usize] = Head {
            next: self.buckets[bucket],
            key_len: key.len() as u32,
            value_len: value.len() as u32,
            expires: expires.unwrap_or(Instant::MAX),
        };
        self.buckets[bucket] = number;
        self.len += 1;
        Ok(())
    }

    /// Returns the blocks that an entry takes.
    pub(crate) fn blocks_of(key: &[u8], value: &[u8]) -> usize {
        (key.len() + value.len()).div_ceil(BLOCK).max(1)
    }

    /// Finds so many free blocks, by taking out what has expired if need be.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub(crate) fn make_room(&mut self, blocks: usize, now: Instant) -> Result<(), OutOfMemory> {
        if self.free_count < blocks {
            self.sweep(now);
        }
        match self.free_count < blocks {
            true => Err(OutOfMemory),
            false => Ok(()),
        }
    }

    /// Copies an entry into free blocks, of which there are enough.
    fn fill(&mut self, key: &[u8], value: &[u8]) -> u32 {
        let first = self.free;
        let mut bytes = key.iter().chain(value);
        let count = Self::blocks_of(key, value);
        for left in (0..count).rev() {
            let block = &mut self.blocks[self.free as usize];
            for (into, from) in block.bytes.iter_mut().zip(&mut bytes) {
                *into = *from;
            }
            self.free = block.next;
            if left == 0 {
                block.next = NONE;
            }
        }
        self.free_count -= count;
        first
    }

    /// Removes a key. Returns whether it was there.
    pub fn remove(&mut self, key: &[u8], now: Instant) -> bool {
        let Some(number) = self.live(key, now) else {
            return false;
        };
        let bucket = self.bucket(key);
        if let Some((before, _)) = self.find(bucket, key) {
            self.take_out(bucket, before, number);
        }
        true
    }

    fn take_out(&mut self, bucket: usize, before: u32, number: u32) {
        let next = self.heads[number as usize].next;
        match before {
            NONE => self.buckets[bucket] = next,
            before => self.heads[before as usize].next = next,
        }
        self.heads[number as usize] = Head::NONE;
        let (mut last, mut count) = (number, 1);
        while self.blocks[last as usize].next != NONE {
            last = self.blocks[last as usize].next;
            count += 1;
        }
        self.blocks[last as usize].next = self.free;
        self.free = number;
        self.free_count += count;
        self.len -= 1;
    }

    /// Returns when a key expires ([`Instant::MAX`]: never); `None` without the key.
    pub fn expires(&mut self, key: &[u8], now: Instant) -> Option<Instant> {
        let number = self.live(key, now)?;
        Some(self.heads[number as usize].expires)
    }

    /// Sets when a key expires. Returns whether it is there.
    pub fn expire_at(&mut self, key: &[u8], expires: Instant, now: Instant) -> bool {
        let number = self.live(key, now);
        if let Some(number) = number {
            self.heads[number as usize].expires = expires;
        }
        number.is_some()
    }

    /// Takes out what has expired.
    pub fn sweep(&mut self, now: Instant) {
        for bucket in 0..self.buckets.len() {
            let (mut before, mut number) = (NONE, self.buckets[bucket]);
            while number != NONE {
                let Head { next, expires, .. } = self.heads[number as usize];
                if expires <= now {
                    self.take_out(bucket, before, number);
                } else {
                    before = number;
                }
                number = next;
            }
        }
    }

    /// Returns all keys, those included that have expired and not been met.
    pub fn keys(&self) -> impl Iterator<Item = Value<'_>> {
        let entry = |number: u32| (number != NONE).then_some(number);
        let next = move |number: &u32| entry(self.heads[*number as usize].next);
        let chain = move |first: &u32| core::iter::successors(entry(*first), next);
        self.buckets
            .iter()
            .flat_map(chain)
            .map(|number| self.key(number))
    }
}

/// The bytes of a value or a key, piece by piece.
#[derive(Clone)]
pub struct Value<'s> {
    store: &'s Store,
    block: u32,
    skip: usize,
    left: usize,
}

impl Value<'_> {
    /// Returns the number of bytes that are left.
    pub fn len(&self) -> usize {
        self.left
    }

    /// Returns whether no byte is left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Copies it if it is no longer than `N`.
    pub fn copy<const N: usize>(&self) -> Option<heapless::Vec<u8, N>> {
        let mut copy = heapless::Vec::new();
        for piece in self.clone() {
            copy.extend_from_slice(piece).ok()?;
        }
        Some(copy)
    }

    fn is(&self, mut bytes: &[u8]) -> bool {
        self.left == bytes.len()
            && self.clone().all(|piece| match bytes.strip_prefix(piece) {
                Some(rest) => {
                    bytes = rest;
                    true
                }
                None => false,
            })
    }
}

impl<'s> Iterator for Value<'s> {
    type Item = &'s [u8];

    fn next(&mut self) -> Option<&'s [u8]> {
        while self.left > 0 {
            let block = &self.store.blocks[self.block as usize];
            let skip = self.skip.min(BLOCK);
            self.skip -= skip;
            self.block = block.next;
            let piece = &block.bytes[skip..];
            if !piece.is_empty() {
                let count = piece.len().min(self.left);
                self.left -= count;
                return Some(&piece[..count]);
            }
        }
        None
    }
}
