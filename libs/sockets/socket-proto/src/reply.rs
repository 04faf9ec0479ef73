// SPDX-License-Identifier: BSD-2-Clause

//! Replies: label 0 and up to four words, or the number of an error, or [`RESTARTED`].

use crate::{Errno, Record, WORDS};

/// Label of the reply to a client that this life of the server does not know: it was caught inside
/// a call when the server restarted, or has not attached since.
pub use ppc::RESTARTED;

/// Label of the answer to a client that this life of the server has no place for: it is not in the
/// configuration. To attach again is useless.
pub const NO_PLACE: u64 = 0xf_fffe;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server's answer.
    Errno(Errno),
    /// The server does not know the client: see [`RESTARTED`].
    Restarted,
    /// The server has no place for the client: see [`NO_PLACE`].
    NoPlace,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Failure::Errno(errno)
    }
}

/// The words of a reply to any request, or its failure.
pub type Reply = Result<[u64; WORDS], Failure>;

/// The reply's label and words.
#[must_use]
pub const fn encode(reply: Reply) -> (u64, [u64; WORDS]) {
    match reply {
        Ok(words) => (0, words),
        Err(Failure::Errno(errno)) => (errno.raw() as u64, [0; WORDS]),
        Err(Failure::Restarted) => (RESTARTED, [0; WORDS]),
        Err(Failure::NoPlace) => (NO_PLACE, [0; WORDS]),
    }
}

/// Reads a reply. One that makes no sense reads as `EPROTO`: for a client, its server is a peer
/// too.
///
/// # Errors
/// The failure that the reply carries.
pub fn decode<R: Record>(label: u64, words: [u64; WORDS]) -> Result<R, Failure> {
    match label {
        0 => R::decode(words).map_err(|_| Errno::EPROTO.into()),
        RESTARTED => Err(Failure::Restarted),
        NO_PLACE => Err(Failure::NoPlace),
        errno => Err(Errno::from_raw(errno).unwrap_or(Errno::EPROTO).into()),
    }
}
