// SPDX-License-Identifier: BSD-2-Clause

//! Flags of `send` and `recv`.

use core::ops::BitOr;

use crate::Errno;

values! {
    /// A flag of `send` and `recv`, with Linux's bit.
    Flag(u32) {
        /// Of `recv`: what is received can be received again. Of a datagram socket only the oldest
        /// datagram is.
        Peek = 0x2, MSG_PEEK;
        /// Of `recv` on a stream: bytes are taken and not written into the window. A datagram's
        /// header always has its whole length.
        Truncate = 0x20, MSG_TRUNC;
        /// No call waits, so this changes nothing.
        DontWait = 0x40, MSG_DONTWAIT;
        /// No call waits, so this changes nothing; a library that waits calls again.
        WaitAll = 0x100, MSG_WAITALL;
        /// There are no signals, so this changes nothing.
        NoSignal = 0x4000, MSG_NOSIGNAL;
    }
}

/// A set of flags. Those that are not of the operation change nothing, as on Linux.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u32);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);

    /// The set with these bits, if all of them are known.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Flags> {
        let known = Flag::ALL.iter().fold(0, |all, flag| all | flag.raw());
        let bits = u32::try_from(bits).ok()?;
        (bits & !known == 0).then_some(Flags(bits))
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether a flag is in the set.
    #[must_use]
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & flag.raw() != 0
    }
}

impl From<Flag> for Flags {
    fn from(flag: Flag) -> Flags {
        Flags(flag.raw())
    }
}

impl BitOr<Flag> for Flags {
    type Output = Flags;

    fn bitor(self, flag: Flag) -> Flags {
        Flags(self.0 | flag.raw())
    }
}

one_word!(Flags, |flags| flags.0.into(), |word| Flags::from_bits(word)
    .ok_or(Errno::EOPNOTSUPP));
