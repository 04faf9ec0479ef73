// SPDX-License-Identifier: BSD-2-Clause
//! Requests and replies as label and message registers.

use core::fmt;

/// Label with which the runtime answers a caller that was caught inside a call when the driver was
/// restarted. The same for every protected procedure call of the project; see docs/architecture.md,
/// "Restart of a PD".
pub const RESTARTED: u64 = 0xf_ffff;

/// Linux's EINVAL.
const EINVAL: u64 = 22;

const SET_TIMEOUT: u64 = 1;
const CANCEL: u64 = 2;
const NOW: u64 = 3;

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Notify me when `CNTPCT_EL0` has reached `deadline`; replaces my earlier one. A deadline in
    /// the past is notified at once.
    SetTimeout {
        /// In ticks.
        deadline: u64,
    },
    /// Forget my deadline. A notification that is under way already still arrives.
    Cancel,
    /// What time is it? For clients that cannot read the counter themselves.
    Now,
}

impl Request {
    /// Label, and the words that the message registers carry.
    pub fn encode(self) -> (u64, Words) {
        match self {
            Request::SetTimeout { deadline } => (SET_TIMEOUT, Words::one(deadline)),
            Request::Cancel => (CANCEL, Words::none()),
            Request::Now => (NOW, Words::none()),
        }
    }

    /// Reads label and message registers of any caller.
    pub fn decode(label: u64, words: &[u64]) -> Result<Self, TimerError> {
        match (label, words) {
            (SET_TIMEOUT, &[deadline]) => Ok(Request::SetTimeout { deadline }),
            (CANCEL, []) => Ok(Request::Cancel),
            (NOW, []) => Ok(Request::Now),
            _ => Err(TimerError::Invalid),
        }
    }
}

/// What the driver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done.
    Done,
    /// Answer to [`Request::Now`], in ticks.
    Time(u64),
}

impl Reply {
    /// Label and words of an answer.
    pub fn encode(result: Result<Self, TimerError>) -> (u64, Words) {
        match result {
            Ok(Reply::Done) => (0, Words::none()),
            Ok(Reply::Time(ticks)) => (0, Words::one(ticks)),
            Err(TimerError::Invalid) => (EINVAL, Words::none()),
            Err(TimerError::Restarted) => (RESTARTED, Words::none()),
        }
    }

    /// Reads label and message registers of an answer.
    pub fn decode(label: u64, words: &[u64]) -> Result<Self, TimerError> {
        match (label, words) {
            (0, []) => Ok(Reply::Done),
            (0, &[ticks]) => Ok(Reply::Time(ticks)),
            (RESTARTED, _) => Err(TimerError::Restarted),
            _ => Err(TimerError::Invalid),
        }
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerError {
    /// The call is none of the protocol's, or the answer is none; the other end is of another
    /// build.
    Invalid,
    /// The driver was restarted during the call. Call again.
    Restarted,
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

/// Up to one message register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    word: u64,
    len: usize,
}

impl Words {
    fn none() -> Self {
        Self { word: 0, len: 0 }
    }

    fn one(word: u64) -> Self {
        Self { word, len: 1 }
    }

    /// The words, first register first.
    pub fn as_slice(&self) -> &[u64] {
        &core::slice::from_ref(&self.word)[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn requests() -> impl Strategy<Value = Request> {
        prop_oneof![
            any::<u64>().prop_map(|deadline| Request::SetTimeout { deadline }),
            Just(Request::Cancel),
            Just(Request::Now),
        ]
    }

    fn answers() -> impl Strategy<Value = Result<Reply, TimerError>> {
        prop_oneof![
            Just(Ok(Reply::Done)),
            any::<u64>().prop_map(|ticks| Ok(Reply::Time(ticks))),
            Just(Err(TimerError::Invalid)),
            Just(Err(TimerError::Restarted)),
        ]
    }

    proptest! {
        #[test]
        fn requests_round_trip(request in requests()) {
            let (label, words) = request.encode();
            prop_assert_eq!(Request::decode(label, words.as_slice()), Ok(request));
        }

        #[test]
        fn answers_round_trip(answer in answers()) {
            let (label, words) = Reply::encode(answer);
            prop_assert_eq!(Reply::decode(label, words.as_slice()), answer);
        }

        /// What decodes at all is exactly what some request encodes to.
        #[test]
        fn any_words_are_a_request_or_refused(label in 0..6_u64, words in proptest::collection::vec(any::<u64>(), 0..4)) {
            if let Ok(request) = Request::decode(label, &words) {
                let (again, encoded) = request.encode();
                prop_assert_eq!((again, encoded.as_slice()), (label, words.as_slice()));
            }
        }

        #[test]
        fn other_labels_are_refused(label in 4..u64::MAX, word: u64) {
            prop_assert_eq!(Request::decode(label, &[word]), Err(TimerError::Invalid));
            prop_assert_eq!(Request::decode(label, &[]), Err(TimerError::Invalid));
        }
    }
}
