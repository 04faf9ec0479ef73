// SPDX-License-Identifier: BSD-2-Clause
//! Request and reply for random bytes as label and message registers.

use crate::{CallError, decode_result, encode_result};

/// Bytes that a call returns.
pub type Bytes = [u8; 32];

/// Message registers of a reply that has bytes.
pub const WORDS: usize = size_of::<Bytes>() / size_of::<u64>();

/// The request's label. It has no words.
pub(crate) const RANDOM_BYTES: u64 = 1;

/// Reads label and message registers of any caller.
///
/// # Errors
/// [`CallError::Invalid`] if they are not a request for random bytes.
pub fn decode_random_request(label: u64, words: &[u64]) -> Result<(), CallError> {
    match (label, words) {
        (RANDOM_BYTES, []) => Ok(()),
        _ => Err(CallError::Invalid),
    }
}

/// What the driver returns: label, and as many words as are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomReply {
    /// That of [`encode_result`].
    pub label: u64,
    words: [u64; WORDS],
}

impl RandomReply {
    /// The reply for a result.
    pub fn encode(result: Result<Bytes, CallError>) -> Self {
        let mut words = [0; WORDS];
        let bytes = result.unwrap_or_default();
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        let label = encode_result(result.map(|_| ()));
        Self { label, words }
    }

    /// The words, first register first. An error has none.
    pub fn words(&self) -> &[u64] {
        if self.label == 0 { &self.words } else { &[] }
    }

    /// Reads label and message registers of a reply; registers that were not sent are 0.
    ///
    /// # Errors
    /// What the driver says, or [`CallError::Invalid`] if it says nothing of this protocol. Bytes
    /// that are all 0 are an error, too: a peer that replies to anything with "done" sends no
    /// words, and no generator comes upon them.
    pub fn decode(label: u64, words: [u64; WORDS]) -> Result<Bytes, CallError> {
        decode_result(label)?;
        if words == [0; WORDS] {
            return Err(CallError::Invalid);
        }
        let mut bytes = Bytes::default();
        for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *chunk = word.to_le_bytes();
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn results() -> impl Strategy<Value = Result<Bytes, CallError>> {
        let bytes = any::<Bytes>().prop_filter("no generator comes upon zeros", |b| b != &[0; 32]);
        prop_oneof![
            bytes.prop_map(Ok),
            Just(Err(CallError::NotReady)),
            Just(Err(CallError::NoDevice)),
            Just(Err(CallError::Invalid)),
            Just(Err(CallError::Restarted)),
        ]
    }

    #[test]
    fn the_request_round_trips_and_nothing_else_is_one() {
        let invalid = Err(CallError::Invalid);
        assert_eq!(decode_random_request(RANDOM_BYTES, &[]), Ok(()));
        assert_eq!(decode_random_request(RANDOM_BYTES, &[0]), invalid);
        assert_eq!(decode_random_request(RANDOM_BYTES + 1, &[]), invalid);
        assert_eq!(decode_random_request(0, &[]), invalid);
    }

    #[test]
    fn a_reply_without_words_is_no_bytes() {
        assert_eq!(RandomReply::decode(0, [0; WORDS]), Err(CallError::Invalid));
    }

    #[test]
    fn the_first_byte_is_the_lowest_of_the_first_word() {
        let mut bytes = Bytes::default();
        (bytes[0], bytes[31]) = (1, 2);
        assert_eq!(RandomReply::encode(Ok(bytes)).words(), [1, 0, 0, 2 << 56]);
    }

    proptest! {
        #[test]
        fn replies_round_trip(result in results()) {
            let reply = RandomReply::encode(result);
            let mut registers = [0; WORDS];
            registers[..reply.words().len()].copy_from_slice(reply.words());
            prop_assert_eq!(RandomReply::decode(reply.label, registers), result);
            prop_assert_eq!(reply.words().len(), if result.is_ok() { WORDS } else { 0 });
        }

        #[test]
        fn only_label_0_gives_bytes(label in 1..u64::MAX, words: [u64; WORDS]) {
            prop_assert!(RandomReply::decode(label, words).is_err());
        }
    }
}
