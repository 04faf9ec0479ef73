// SPDX-License-Identifier: BSD-2-Clause
//! The client's side of a call.

use crate::{Bytes, Reply, Request, RngError, WORDS};

/// Asks for bytes, and again as long as that can help and `wait` agrees.
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
) -> Result<Bytes, RngError> {
    loop {
        let (label, words) = call(Request::RandomBytes.label());
        match Reply::decode(label, words) {
            Err(error) if error.is_temporary() && wait() => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: Bytes = [7; 32];

    /// Asks a driver that returns these one after the other, and BYTES when there are none left.
    /// Returns the result and the number of calls.
    fn asked(results: &[RngError], patience: usize) -> (Result<Bytes, RngError>, usize) {
        let (mut calls, mut waits) = (0, 0);
        let call = |label| {
            assert_eq!(Request::decode(label, &[]), Ok(Request::RandomBytes));
            let result = results.get(calls).map_or(Ok(BYTES), |error| Err(*error));
            calls += 1;
            let reply = Reply::encode(result);
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
        let errors = [RngError::Restarted, RngError::NotReady, RngError::NotReady];
        assert_eq!(asked(&errors, 3), (Ok(BYTES), 4));
    }

    #[test]
    fn patience_ends() {
        let errors = [RngError::NotReady; 100];
        assert_eq!(asked(&errors, 5), (Err(RngError::NotReady), 6));
        let errors = [RngError::Restarted; 100];
        assert_eq!(asked(&errors, 5), (Err(RngError::Restarted), 6));
    }

    #[test]
    fn what_will_not_come_is_not_waited_for() {
        assert_eq!(
            asked(&[RngError::NoDevice], 9),
            (Err(RngError::NoDevice), 1)
        );
        assert_eq!(asked(&[RngError::Invalid], 9), (Err(RngError::Invalid), 1));
    }
}
