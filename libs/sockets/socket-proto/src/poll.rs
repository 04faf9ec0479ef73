// SPDX-License-Identifier: BSD-2-Clause

//! Readiness bits, with the values of Linux's `poll(2)`.

bitflags::bitflags! {
    /// A set of readiness bits. They are levels: a bit is set as long as its condition holds.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct PollBits: u16 {
        /// `POLLIN`: `recv` or `accept` would not return `EAGAIN`.
        const IN = 0x0001;
        /// `POLLOUT`: `send` would not return `EAGAIN`.
        const OUT = 0x0004;
        /// `POLLERR`: an error waits in `SO_ERROR`.
        const ERR = 0x0008;
        /// `POLLHUP`: both directions of a stream are over.
        const HUP = 0x0010;
        /// `POLLNVAL`: the handle names no socket. Only a reader of the page produces it.
        const NVAL = 0x0020;
        /// `POLLRDHUP`: the peer will send no more.
        const RDHUP = 0x2000;
    }
}

impl PollBits {
    /// Nothing is ready.
    pub const NONE: PollBits = PollBits::empty();

    /// `self`, with `other` added if `condition` holds.
    #[must_use]
    pub fn with(self, other: PollBits, condition: bool) -> PollBits {
        if condition { self | other } else { self }
    }
}

one_word!(PollBits, |bits| bits.bits().into(), |word| Ok(
    PollBits::from_bits_truncate(word as u16)
));
