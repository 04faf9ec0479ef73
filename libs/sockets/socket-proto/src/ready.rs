// SPDX-License-Identifier: BSD-2-Clause

//! The readiness region: written by the server, read by one client, so that looking for ready
//! sockets costs no call, and looking for what has changed does not depend on how many there are.
//!
//! | word (32 bits) | content |
//! | --- | --- |
//! | 0 | epoch of the server: another value than at `attach` means that it has restarted |
//! | 1 | serial: how many changes have been logged, modulo 2^32 |
//! | 2..16 | 0 |
//! | 16 + i, i < S | socket i: poll bits (bits 0..16), generation (16..32); 0 if there is none |
//! | 16 + S + n mod L | index of the socket of change n |
//!
//! Of a region of W words the change log has L, the largest power of two that is not above W / 8,
//! and the sockets have the rest, S = W - 16 - L, but not more than [`MAX_SOCKETS`]. [`layout`]
//! computes both.
//!
//! A change is logged when a bit of a socket goes from 0 to 1, and when a socket ends. The client's
//! rule: look at the sockets of the changes since the last look, at all sockets if there may have
//! been as many changes as the log has entries; nothing wanted there, wait for the notification.
//!
//! # Memory ordering
//!
//! For a change the server stores the socket's word, the log's entry n, and the serial n + 1, each
//! with release ordering, and then notifies. A client that loads the serial with acquire ordering
//! and finds n + 1 sees the entry and the word. It may see a later entry there: that of change
//! n + L, stored after the serial n + L. The client has loaded it with acquire ordering, so when it
//! loads the serial again it finds at least n + L, and knows that its look was too late.
//!
//! To a client the server is a peer too: an index out of range names no socket, and a look is at
//! most as long as the log.

use core::cell::Cell;
#[cfg(not(loom))]
use core::sync::atomic::{AtomicU32, Ordering};

#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, Ordering};

use crate::{Handle, PollBits};

const EPOCH: usize = 0;
const SERIAL: usize = 1;
const FIRST_SOCKET: usize = 16;
/// Bytes of a page, the smallest region.
const PAGE: usize = 4096;
/// Most sockets that one client can have.
pub const MAX_SOCKETS: usize = 4096;

/// How many sockets and how many entries of the change log a region of so many words has.
#[must_use]
pub const fn layout(words: usize) -> (usize, usize) {
    let log = match (words / 8).checked_ilog2() {
        Some(bits) => 1 << bits,
        None => 0,
    };
    let sockets = words.saturating_sub(FIRST_SOCKET + log);
    if sockets > MAX_SOCKETS {
        (MAX_SOCKETS, log)
    } else {
        (sockets, log)
    }
}

/// Sockets that a region of so many bytes has room for.
#[must_use]
pub const fn capacity(bytes: usize) -> usize {
    layout(bytes / size_of::<u32>()).0
}

/// Size in bytes, in whole pages, of the region for so many sockets, at most [`MAX_SOCKETS`].
#[must_use]
pub const fn region_size(sockets: usize) -> usize {
    assert!(sockets <= MAX_SOCKETS, "more than a client can have");
    let mut size = PAGE;
    while capacity(size) < sockets {
        size += PAGE;
    }
    size
}

const _: () = assert!(region_size(0) == PAGE && region_size(880) == PAGE);
const _: () = assert!(region_size(MAX_SOCKETS) == 5 * PAGE);

/// The server's end. There is one for a region.
pub struct ReadinessWriter<'a> {
    region: ReadinessReader<'a>,
    serial: Cell<u32>,
}

/// The client's end.
#[derive(Clone, Copy)]
pub struct ReadinessReader<'a> {
    header: &'a [AtomicU32],
    sockets: &'a [AtomicU32],
    log: &'a [AtomicU32],
}

impl<'a> ReadinessWriter<'a> {
    /// Takes the region and clears every socket word, so that nothing of an earlier life stays. The
    /// epoch is left for [`Self::set_epoch`].
    #[must_use]
    pub fn new(words: &'a [AtomicU32]) -> Self {
        let region = ReadinessReader::new(words);
        for word in region.sockets {
            word.store(0, Ordering::Release);
        }
        let serial = Cell::new(region.serial());
        let writer = ReadinessWriter { region, serial };
        writer.log_all();
        writer
    }

    /// The region as the client sees it.
    #[must_use]
    pub const fn reader(&self) -> ReadinessReader<'a> {
        self.region
    }

    /// Sockets that there is room for.
    #[must_use]
    pub const fn sockets(&self) -> usize {
        self.region.sockets.len()
    }

    /// Publishes the server's epoch.
    pub fn set_epoch(&self, epoch: u32) {
        if let Some(word) = self.region.header.get(EPOCH) {
            word.store(epoch, Ordering::Release);
        }
    }

    /// Sets a socket's level state. `raised` says that a bit has gone from 0 to 1.
    pub fn set(&self, handle: Handle, bits: PollBits, raised: bool) {
        let word = u32::from(bits.bits()) | u32::from(handle.generation().get()) << 16;
        self.store(handle.index(), word);
        if raised {
            self.log(handle.index());
        }
    }

    /// Says that an index has no socket.
    pub fn clear(&self, index: usize) {
        self.store(index, 0);
        self.log(index);
    }

    fn store(&self, index: usize, word: u32) {
        if let Some(slot) = self.region.sockets.get(index) {
            slot.store(word, Ordering::Release);
        }
    }

    fn log(&self, index: usize) {
        if let Some(entry) = self.region.entry(self.serial.get()) {
            entry.store(index as u32, Ordering::Release);
        }
        self.advance(1);
    }

    /// Has the client look at all of its sockets.
    pub fn log_all(&self) {
        self.advance(self.region.log.len() as u32);
    }

    fn advance(&self, count: u32) {
        let serial = self.serial.get().wrapping_add(count);
        self.serial.set(serial);
        if let Some(word) = self.region.header.get(SERIAL) {
            word.store(serial, Ordering::Release);
        }
    }
}

impl<'a> ReadinessReader<'a> {
    /// Looks at a region.
    #[must_use]
    pub fn new(words: &'a [AtomicU32]) -> Self {
        let (sockets, log) = layout(words.len());
        let (header, rest) = words.split_at(FIRST_SOCKET.min(words.len()));
        let (sockets, rest) = rest.split_at(sockets);
        ReadinessReader {
            header,
            sockets,
            log: &rest[..log.min(rest.len())],
        }
    }

    fn load(&self, word: usize) -> u32 {
        let word = self.header.get(word);
        word.map_or(0, |word| word.load(Ordering::Acquire))
    }

    fn entry(&self, serial: u32) -> Option<&'a AtomicU32> {
        self.log
            .get(serial as usize & self.log.len().wrapping_sub(1))
    }

    /// The server's epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.load(EPOCH)
    }

    /// The serial: unchanged means that no socket became ready since.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.load(SERIAL)
    }

    /// Calls `changed` with the index of each socket that has changed since the serial was `since`;
    /// one may come several times. Returns the serial to go on from.
    ///
    /// # Errors
    /// There were too many changes: all sockets are to be looked at, and this is the serial to go
    /// on from.
    pub fn changes(&self, since: u32, mut changed: impl FnMut(usize)) -> Result<u32, u32> {
        let serial = self.serial();
        let count = serial.wrapping_sub(since);
        let too_many = |serial: u32| serial.wrapping_sub(since) as usize >= self.log.len();
        if count != 0 && too_many(serial) {
            return Err(serial);
        }
        for n in 0..count {
            let entry = self.entry(since.wrapping_add(n));
            let index = entry.map_or(0, |entry| entry.load(Ordering::Acquire) as usize);
            if index < self.sockets.len() {
                changed(index);
            }
        }
        if count != 0 && too_many(self.serial()) {
            return Err(serial);
        }
        Ok(serial)
    }

    /// A socket's bits; [`PollBits::NVAL`] if the handle is stale.
    #[must_use]
    pub fn bits(&self, handle: Handle) -> PollBits {
        let slot = self.sockets.get(handle.index());
        let word = slot.map_or(0, |slot| slot.load(Ordering::Acquire));
        if word >> 16 == u32::from(handle.generation().get()) {
            PollBits::from_bits_truncate(word as u16)
        } else {
            PollBits::NVAL
        }
    }
}
