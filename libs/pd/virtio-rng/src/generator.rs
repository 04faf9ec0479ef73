// SPDX-License-Identifier: BSD-2-Clause
//! The generator: ChaCha20 (RFC 8439 section 2.3) with fast key erasure.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// Bytes of a seed, of the key, and of what a caller gets.
pub const SEED_LEN: usize = 32;

/// A seed, a key, or what a caller gets.
pub type Seed = [u8; SEED_LEN];

/// A generator of bytes that nobody can guess once it has been seeded, and that gives none before.
#[derive(Default)]
pub struct Generator {
    key: Option<Seed>,
}

impl Generator {
    /// A generator without a seed.
    pub const fn new() -> Self {
        Self { key: None }
    }

    /// Whether there has been a seed.
    pub fn is_seeded(&self) -> bool {
        self.key.is_some()
    }

    /// Mixes a seed in, and a `salt` that need not be secret: it keeps two generators apart that
    /// got the same seed.
    ///
    /// The state afterwards can be guessed only by somebody who knows both the state before and the
    /// seed.
    pub fn seed(&mut self, seed: &Seed, salt: [u64; 2]) {
        let mut key = self.key.unwrap_or_default();
        xor(&mut key, seed);
        (key, _) = expand(key);
        let mut block = Seed::default();
        for (chunk, word) in block.as_chunks_mut::<8>().0.iter_mut().zip(salt) {
            *chunk = word.to_le_bytes();
        }
        xor(&mut key, &block);
        (key, _) = expand(key);
        self.key = Some(key);
    }

    /// Bytes for one caller. `None` before the first seed.
    pub fn generate(&mut self) -> Option<Seed> {
        let (next, bytes) = expand(self.key?);
        self.key = Some(next);
        Some(bytes)
    }
}

/// Tells seeds apart and does not tell what they are. A seed that is kept would give away what the
/// generator made of it.
#[derive(PartialEq, Eq)]
pub(crate) struct Fingerprint(Seed);

impl Fingerprint {
    pub(crate) fn of(seed: &Seed) -> Self {
        let (_, unused_elsewhere) = expand(*seed);
        Self(unused_elsewhere)
    }
}

fn xor(key: &mut Seed, with: &Seed) {
    for (byte, other) in key.iter_mut().zip(with) {
        *byte ^= other;
    }
}

/// The first block of a key's stream in two halves: the next key, and bytes to give out.
fn expand(key: Seed) -> (Seed, Seed) {
    let mut stream = ChaCha20Rng::from_seed(key);
    let (mut next, mut bytes) = (Seed::default(), Seed::default());
    stream.fill_bytes(&mut next);
    stream.fill_bytes(&mut bytes);
    (next, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8439 appendix A.1, test vector 1: key, nonce and counter are 0.
    #[test]
    fn the_stream_is_that_of_chacha20() {
        let (next, bytes) = expand([0; SEED_LEN]);
        let first = 0x76b8e0ada0f13d90405d6ae55386bd28_u128;
        let second = 0xbdd219b8a08ded1aa836efcc8b770dc7_u128;
        let third = 0xda41597c5157488d7724e03fb8d84a37_u128;
        let fourth = 0x6a43b8f41518a11cc387b669b2ee6586_u128;
        let halves = |high: u128, low: u128| [high.to_be_bytes(), low.to_be_bytes()].concat();
        assert_eq!(next[..], halves(first, second));
        assert_eq!(bytes[..], halves(third, fourth));
    }

    #[test]
    fn nothing_comes_out_before_a_seed() {
        let mut generator = Generator::new();
        assert_eq!(generator.generate(), None);
        assert!(!generator.is_seeded());
        generator.seed(&[0; SEED_LEN], [0; 2]);
        assert!(generator.is_seeded() && generator.generate().is_some());
    }

    #[test]
    fn what_was_given_out_is_not_in_the_state() {
        let mut generator = Generator::new();
        generator.seed(&[1; SEED_LEN], [2; 2]);
        let given = generator.generate().unwrap();
        let key = generator.key.unwrap();
        assert_ne!(key, given);
        assert_ne!(generator.generate().unwrap(), given);
        assert_ne!(generator.key.unwrap(), key);
    }

    #[test]
    fn seed_salt_and_state_all_count() {
        let first = |before: Option<Seed>, seed: u8, salt: [u64; 2]| {
            let mut generator = Generator { key: before };
            generator.seed(&[seed; SEED_LEN], salt);
            generator.generate().unwrap()
        };
        let all = [
            first(None, 1, [1, 1]),
            first(None, 2, [1, 1]),
            first(None, 1, [2, 1]),
            first(None, 1, [1, 2]),
            first(Some([5; SEED_LEN]), 1, [1, 1]),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[..i].contains(one));
        }
    }
}
