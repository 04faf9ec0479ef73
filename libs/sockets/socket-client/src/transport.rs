// SPDX-License-Identifier: BSD-2-Clause

//! What the library needs from its surroundings: a call to the server, a clock, and three pieces of
//! shared memory.

use core::sync::atomic::AtomicU32;

use shm::{ExclusiveBytes, ReadWindow};
use time::Instant;

/// The way to the server. In a protection domain a protected procedure call on a channel, in a test
/// a function call.
pub trait Transport {
    /// One protected procedure call: a label and four words each way.
    fn call(&self, label: u64, words: [u64; 4]) -> (u64, [u64; 4]);

    /// The time.
    fn now(&self) -> Instant;
}

/// The memory that a client shares with the server.
#[derive(Debug)]
pub struct Memory {
    /// The half of the window that the client writes.
    pub c2s: ExclusiveBytes,
    /// The half of the window that the server writes.
    pub s2c: ReadWindow,
    /// The readiness region: see [`socket_proto::ready`].
    pub ready: &'static [AtomicU32],
}
