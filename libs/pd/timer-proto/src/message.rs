// SPDX-License-Identifier: BSD-2-Clause
//! The call as label and message registers.

use core::fmt;

use ppc::RESTARTED;

/// Linux's EINVAL.
const EINVAL: u64 = 22;

const SET_TIMEOUT: u64 = 1;

/// What a client asks: notify me when `CNTPCT_EL0` has reached the deadline; replaces my earlier
/// one. A deadline in the past is notified at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetTimeout {
    /// In ticks.
    pub deadline: u64,
}

impl SetTimeout {
    /// Label and message registers.
    pub fn encode(self) -> (u64, [u64; 1]) {
        (SET_TIMEOUT, [self.deadline])
    }

    /// Reads label and message registers of any caller.
    ///
    /// # Errors
    /// [`TimerError::Invalid`] if they are not this request.
    pub fn decode(label: u64, words: &[u64]) -> Result<Self, TimerError> {
        match (label, words) {
            (SET_TIMEOUT, &[deadline]) => Ok(SetTimeout { deadline }),
            _ => Err(TimerError::Invalid),
        }
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerError {
    /// The call or the reply is not of the protocol; the other end is of another build.
    Invalid,
    /// The driver was restarted during the call. Call again.
    Restarted,
}

/// The label of a reply, which has no words.
pub fn encode_reply(result: Result<(), TimerError>) -> u64 {
    match result {
        Ok(()) => 0,
        Err(TimerError::Invalid) => EINVAL,
        Err(TimerError::Restarted) => RESTARTED,
    }
}

/// Reads the label of a reply.
///
/// # Errors
/// What the driver says; [`TimerError::Invalid`] if it says nothing of this protocol.
pub fn decode_reply(label: u64) -> Result<(), TimerError> {
    match label {
        0 => Ok(()),
        RESTARTED => Err(TimerError::Restarted),
        _ => Err(TimerError::Invalid),
    }
}

impl fmt::Display for TimerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimerError::Invalid => "not of the timer protocol",
            TimerError::Restarted => "timer driver restarted during the call",
        })
    }
}

impl core::error::Error for TimerError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_request_round_trips(deadline: u64) {
            let request = SetTimeout { deadline };
            let (label, words) = request.encode();
            prop_assert_eq!(SetTimeout::decode(label, &words), Ok(request));
        }

        /// What decodes at all is exactly what some request encodes to.
        #[test]
        fn any_words_are_a_request_or_refused(label in 0..4_u64, words in proptest::collection::vec(any::<u64>(), 0..4)) {
            if let Ok(request) = SetTimeout::decode(label, &words) {
                let (again, encoded) = request.encode();
                prop_assert_eq!((again, &encoded[..]), (label, &words[..]));
            }
        }

        #[test]
        fn other_labels_are_refused(label in 2..u64::MAX, word: u64) {
            prop_assert_eq!(SetTimeout::decode(label, &[word]), Err(TimerError::Invalid));
        }
    }

    #[test]
    fn replies_round_trip() {
        for reply in [Ok(()), Err(TimerError::Invalid), Err(TimerError::Restarted)] {
            assert_eq!(decode_reply(encode_reply(reply)), reply);
        }
        assert_eq!(decode_reply(1), Err(TimerError::Invalid));
    }
}
