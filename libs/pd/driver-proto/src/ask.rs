// SPDX-License-Identifier: BSD-2-Clause
//! The client's side of a call for random bytes.

use crate::CallError;
use crate::random::{Bytes, RANDOM_BYTES, RandomReply, WORDS};

/// Asks for random bytes, and again as long as that can help and `wait` agrees.
///
/// `call` makes the protected procedure call with this label and no words, and returns the label
/// and the words of the reply, with 0 for words that were not sent. `wait` is called before each
/// further attempt; it lets some time pass, and returns `false` when that is enough.
///
/// # Errors
/// That of the last attempt.
pub fn ask(
    mut call: impl FnMut(u64) -> (u64, [u64; WORDS]),
    mut wait: impl FnMut() -> bool,
) -> Result<Bytes, CallError> {
    loop {
        let (label, words) = call(RANDOM_BYTES);
        match RandomReply::decode(label, words) {
            Err(error) if error.is_temporary() && wait() => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode_random_request;

    const BYTES: Bytes = [7; 32];

    /// Asks a driver that returns these one after the other, and BYTES when there are none left.
    /// Returns the result and the number of calls.
    fn asked(results: &[CallError], patience: usize) -> (Result<Bytes, CallError>, usize) {
        let (mut calls, mut waits) = (0, 0);
        let call = |label| {
            assert_eq!(decode_random_request(label, &[]), Ok(()));
            let result = results.get(calls).map_or(Ok(BYTES), |error| Err(*error));
            calls += 1;
            let reply = RandomReply::encode(result);
            let mut words = [0; WORDS];
            words[..reply.words().len()].copy_from_slice(reply.words());
            (reply.label, words)
        };
        let wait = || {
            waits += 1;
            waits <= patience
        };
        (ask(call, wait), calls)
    }

    #[test]
    fn bytes_are_returned_at_once() {
        assert_eq!(asked(&[], 0), (Ok(BYTES), 1));
    }

    #[test]
    fn what_can_pass_is_waited_for() {
        let errors = [
            CallError::Restarted,
            CallError::NotReady,
            CallError::NotReady,
        ];
        assert_eq!(asked(&errors, 3), (Ok(BYTES), 4));
    }

    #[test]
    fn patience_ends() {
        let errors = [CallError::NotReady; 100];
        assert_eq!(asked(&errors, 5), (Err(CallError::NotReady), 6));
        let errors = [CallError::Restarted; 100];
        assert_eq!(asked(&errors, 5), (Err(CallError::Restarted), 6));
    }

    #[test]
    fn what_will_not_come_is_not_waited_for() {
        assert_eq!(
            asked(&[CallError::NoDevice], 9),
            (Err(CallError::NoDevice), 1)
        );
        assert_eq!(
            asked(&[CallError::Invalid], 9),
            (Err(CallError::Invalid), 1)
        );
    }
}
