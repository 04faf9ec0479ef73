// SPDX-License-Identifier: BSD-2-Clause
//! Request and reply as label and message registers.

use core::fmt;

use ppc::RESTARTED;

use crate::Bytes;

/// Message registers of a reply that has bytes.
pub const WORDS: usize = size_of::<Bytes>() / size_of::<u64>();

/// Linux's errno values.
const EAGAIN: u64 = 11;
const ENODEV: u64 = 19;
const EINVAL: u64 = 22;

const RANDOM_BYTES: u64 = 1;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// 32 random bytes.
    RandomBytes,
}

impl Request {
    /// The label. A request has no words.
    pub fn label(self) -> u64 {
        match self {
            Request::RandomBytes => RANDOM_BYTES,
        }
    }

    /// Reads label and message registers of any caller.
    ///
    /// # Errors
    /// [`RngError::Invalid`] if they are not a request.
    pub fn decode(label: u64, words: &[u64]) -> Result<Self, RngError> {
        match (label, words) {
            (RANDOM_BYTES, []) => Ok(Request::RandomBytes),
            _ => Err(RngError::Invalid),
        }
    }
}

/// What the driver returns: label, and as many words as are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 0, or an errno.
    pub label: u64,
    words: [u64; WORDS],
}

impl Reply {
    /// The reply for a result.
    pub fn encode(result: Result<Bytes, RngError>) -> Self {
        let mut words = [0; WORDS];
        let label = match result {
            Ok(bytes) => {
                for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
                    *word = u64::from_le_bytes(*chunk);
                }
                0
            }
            Err(RngError::NotReady) => EAGAIN,
            Err(RngError::NoDevice) => ENODEV,
            Err(RngError::Invalid) => EINVAL,
            Err(RngError::Restarted) => RESTARTED,
        };
        Self { label, words }
    }

    /// The words, first register first. An error has none.
    pub fn words(&self) -> &[u64] {
        if self.label == 0 { &self.words } else { &[] }
    }

    /// Reads label and message registers of a reply; registers that were not sent are 0.
    ///
    /// # Errors
    /// What the driver says, or [`RngError::Invalid`] if it says nothing of this protocol. Bytes
    /// that are all 0 are an error, too: a peer that replies to anything with "done" sends no
    /// words, and no generator comes upon them.
    pub fn decode(label: u64, words: [u64; WORDS]) -> Result<Bytes, RngError> {
        match label {
            0 if words != [0; WORDS] => {
                let mut bytes = Bytes::default();
                for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
                    *chunk = word.to_le_bytes();
                }
                Ok(bytes)
            }
            EAGAIN => Err(RngError::NotReady),
            ENODEV => Err(RngError::NoDevice),
            RESTARTED => Err(RngError::Restarted),
            _ => Err(RngError::Invalid),
        }
    }
}

/// Why there are no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RngError {
    /// The device has not given enough entropy yet. Call again later.
    NotReady,
    /// There is no device, or it does not work. Calling again is of no use.
    NoDevice,
    /// The call is not of the protocol, or the reply is not: the other end is of another build.
    Invalid,
    /// The driver was restarted during the call. Call again.
    Restarted,
}

impl RngError {
    /// Whether the same call can succeed later.
    pub fn is_temporary(self) -> bool {
        matches!(self, RngError::NotReady | RngError::Restarted)
    }
}

impl fmt::Display for RngError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RngError::NotReady => "the random number generator has not given enough entropy yet",
            RngError::NoDevice => "there is no random number generator",
            RngError::Invalid => "not of the protocol for random bytes",
            RngError::Restarted => "rng_driver was restarted during the call",
        })
    }
}

impl core::error::Error for RngError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn results() -> impl Strategy<Value = Result<Bytes, RngError>> {
        let bytes = any::<Bytes>().prop_filter("no generator comes upon zeros", |b| b != &[0; 32]);
        prop_oneof![
            bytes.prop_map(Ok),
            Just(Err(RngError::NotReady)),
            Just(Err(RngError::NoDevice)),
            Just(Err(RngError::Invalid)),
            Just(Err(RngError::Restarted)),
        ]
    }

    #[test]
    fn the_request_round_trips_and_nothing_else_is_one() {
        let label = Request::RandomBytes.label();
        assert_eq!(Request::decode(label, &[]), Ok(Request::RandomBytes));
        assert_eq!(Request::decode(label, &[0]), Err(RngError::Invalid));
        assert_eq!(Request::decode(label + 1, &[]), Err(RngError::Invalid));
        assert_eq!(Request::decode(0, &[]), Err(RngError::Invalid));
    }

    #[test]
    fn a_reply_without_words_is_no_bytes() {
        assert_eq!(Reply::decode(0, [0; WORDS]), Err(RngError::Invalid));
    }

    #[test]
    fn the_first_byte_is_the_lowest_of_the_first_word() {
        let mut bytes = Bytes::default();
        (bytes[0], bytes[31]) = (1, 2);
        assert_eq!(Reply::encode(Ok(bytes)).words(), [1, 0, 0, 2 << 56]);
    }

    proptest! {
        #[test]
        fn replies_round_trip(result in results()) {
            let reply = Reply::encode(result);
            let mut registers = [0; WORDS];
            registers[..reply.words().len()].copy_from_slice(reply.words());
            prop_assert_eq!(Reply::decode(reply.label, registers), result);
            prop_assert_eq!(reply.words().len(), if result.is_ok() { WORDS } else { 0 });
        }

        #[test]
        fn only_label_0_gives_bytes(label in 1..u64::MAX, words: [u64; WORDS]) {
            prop_assert!(Reply::decode(label, words).is_err());
        }
    }
}
