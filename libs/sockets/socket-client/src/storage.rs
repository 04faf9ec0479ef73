// SPDX-License-Identifier: BSD-2-Clause

//! Memory for what tasks wait for.

use core::fmt::{Debug, Formatter, Result};

use crate::timer::Entry;
use crate::wakers::Waiting;

/// Memory for what the tasks of a [`Net`](crate::Net) wait for: sockets, and timers at once. About
/// 64 bytes for each socket and 40 for each timer, in a static:
///
/// ```
/// use socket_client::Storage;
/// use static_cell::StaticCell;
///
/// static STORAGE: StaticCell<Storage<1024, 64>> = StaticCell::new();
/// let storage = STORAGE.init_with(Storage::new);
/// ```
pub struct Storage<const SOCKETS: usize, const TIMERS: usize> {
    pub(crate) waiting: [Waiting; SOCKETS],
    pub(crate) timers: [Option<Entry>; TIMERS],
}

impl<const SOCKETS: usize, const TIMERS: usize> Storage<SOCKETS, TIMERS> {
    /// Nobody waits.
    #[must_use]
    pub const fn new() -> Self {
        Storage {
            waiting: [const { Waiting::NONE }; SOCKETS],
            timers: [const { None }; TIMERS],
        }
    }
}

impl<const SOCKETS: usize, const TIMERS: usize> Default for Storage<SOCKETS, TIMERS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SOCKETS: usize, const TIMERS: usize> Debug for Storage<SOCKETS, TIMERS> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Storage")
            .field("sockets", &SOCKETS)
            .field("timers", &TIMERS)
            .finish_non_exhaustive()
    }
}
