// SPDX-License-Identifier: BSD-2-Clause

//! The readiness page: written by the server, read by one client, so that looking for ready sockets
//! costs no call.
//!
//! | word (32 bits) | content |
//! | --- | --- |
//! | 0 | epoch of the server: another value than at `attach` means that it has restarted |
//! | 1 | serial number, raised after each batch of changes |
//! | 2..16 | 0 |
//! | 16 + i | socket index i: poll bits (bits 0..16), generation (16..32); 0 if there is no such socket |
//!
//! The client's rule: look at the page; if nothing wanted is ready, wait for the notification, then
//! look again. The server writes words first, then the serial number, then notifies.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::{Handle, PollBits};

/// Size of the page in bytes.
pub const PAGE_SIZE: usize = 4096;
/// Number of words in the page.
pub const PAGE_WORDS: usize = PAGE_SIZE / size_of::<AtomicU32>();
const EPOCH: usize = 0;
const SERIAL: usize = 1;
const FIRST_SOCKET: usize = 16;
/// Most sockets that one client can have: as many as the page has room for.
pub const MAX_SOCKETS: usize = PAGE_WORDS - FIRST_SOCKET;

/// The shared words of a page.
pub type PageWords = [AtomicU32; PAGE_WORDS];

const _: () = assert!(size_of::<PageWords>() == PAGE_SIZE);

/// The server's end.
#[derive(Clone, Copy)]
pub struct ReadinessWriter<'a> {
    words: &'a PageWords,
}

/// The client's end.
#[derive(Clone, Copy)]
pub struct ReadinessReader<'a> {
    words: &'a PageWords,
}

impl<'a> ReadinessWriter<'a> {
    /// Takes the page and clears every socket word, so that nothing of an earlier life stays. The
    /// epoch is left for [`Self::set_epoch`].
    #[must_use]
    pub fn new(words: &'a PageWords) -> Self {
        for word in &words[2..] {
            word.store(0, Ordering::Relaxed);
        }
        ReadinessWriter { words }
    }

    /// The page as the client sees it.
    #[must_use]
    pub const fn reader(&self) -> ReadinessReader<'a> {
        ReadinessReader::new(self.words)
    }

    /// Publishes the server's epoch.
    pub fn set_epoch(&self, epoch: u32) {
        self.words[EPOCH].store(epoch, Ordering::Release);
    }

    /// Sets a socket's level state.
    pub fn set(&self, handle: Handle, bits: PollBits) {
        let word = u32::from(bits.raw()) | u32::from(handle.generation().get()) << 16;
        self.store(handle.index(), word);
    }

    /// Says that an index has no socket.
    pub fn clear(&self, index: usize) {
        self.store(index, 0);
    }

    fn store(&self, index: usize, word: u32) {
        if let Some(slot) = self.words[FIRST_SOCKET..].get(index) {
            slot.store(word, Ordering::Release);
        }
    }

    /// Ends a batch of changes.
    pub fn bump_serial(&self) {
        // One writer: load and store need not be one step.
        let next = self.words[SERIAL].load(Ordering::Relaxed).wrapping_add(1);
        self.words[SERIAL].store(next, Ordering::Release);
    }
}

impl<'a> ReadinessReader<'a> {
    /// Looks at a page.
    #[must_use]
    pub const fn new(words: &'a PageWords) -> Self {
        ReadinessReader { words }
    }

    /// The server's epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.words[EPOCH].load(Ordering::Acquire)
    }

    /// The serial number: unchanged means that no socket became ready since.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.words[SERIAL].load(Ordering::Acquire)
    }

    /// A socket's bits; [`PollBits::NVAL`] if the handle is stale.
    #[must_use]
    pub fn bits(&self, handle: Handle) -> PollBits {
        let word = match self.words[FIRST_SOCKET..].get(handle.index()) {
            Some(slot) => slot.load(Ordering::Acquire),
            None => return PollBits::NVAL,
        };
        if word >> 16 == u32::from(handle.generation().get()) {
            PollBits::from_raw(u64::from(word & 0xffff))
        } else {
            PollBits::NVAL
        }
    }
}
