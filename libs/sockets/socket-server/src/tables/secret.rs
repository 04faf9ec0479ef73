// SPDX-License-Identifier: BSD-2-Clause

//! Numbers that nobody can predict who does not know the key: SipHash-2-4, a pseudorandom function
//! for short inputs.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;

/// A key for one purpose.
#[derive(Clone, Copy)]
pub(crate) struct Secret(SipHasher24);

impl Secret {
    /// The key for `purpose`. Another purpose has a key that tells nothing of this one.
    pub(crate) fn new(key: &[u8; 16], purpose: u64) -> Self {
        let root = Secret(SipHasher24::new_with_key(key));
        let (high, low) = (root.hash([purpose, 0]), root.hash([purpose, 1]));
        Secret(SipHasher24::new_with_keys(high, low))
    }

    /// The function's value for these words.
    pub(crate) fn hash<const N: usize>(&self, words: [u64; N]) -> u64 {
        let mut hasher = self.0;
        for word in words {
            hasher.write_u64(word);
        }
        hasher.finish()
    }
}
