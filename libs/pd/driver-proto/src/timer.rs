// SPDX-License-Identifier: BSD-2-Clause
//! The call of the timer as label and message registers.

use crate::CallError;

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
    /// [`CallError::Invalid`] if they are not this request.
    pub fn decode(label: u64, words: &[u64]) -> Result<Self, CallError> {
        match (label, words) {
            (SET_TIMEOUT, &[deadline]) => Ok(SetTimeout { deadline }),
            _ => Err(CallError::Invalid),
        }
    }
}

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
            prop_assert_eq!(SetTimeout::decode(label, &[word]), Err(CallError::Invalid));
        }
    }
}
