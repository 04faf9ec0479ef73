// SPDX-License-Identifier: BSD-2-Clause

//! The window's offset space. A window has two halves in two memory regions: the client writes
//! `0..c2s`, the server writes `c2s..c2s + s2c`. Offsets in messages count through both, as if they
//! lay one behind the other.

use crate::Errno;

/// A range of the window's offset space as a peer named it: an allegation until [`WindowSizes`] has
/// looked at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
}

/// Lengths of the two halves, in bytes. In a message they are one word, `c2s | s2c << 32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSizes {
    /// The half that the client writes.
    pub c2s: u32,
    /// The half that the server writes.
    pub s2c: u32,
}

/// Which half a checked range lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Written by the client.
    ClientToServer,
    /// Written by the server.
    ServerToClient,
}

/// A range that lies in one half of a window with the sizes that checked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedSpan {
    half: Half,
    start: u32,
    length: u32,
}

impl CheckedSpan {
    /// The half it lies in.
    #[must_use]
    pub const fn half(self) -> Half {
        self.half
    }

    /// First byte, counted from the start of its half.
    #[must_use]
    pub const fn start(self) -> usize {
        self.start as usize
    }

    /// Number of bytes.
    #[must_use]
    pub const fn length(self) -> usize {
        self.length as usize
    }
}

impl WindowSizes {
    /// The offset of the first byte of the server's half.
    #[must_use]
    pub const fn s2c_offset(self) -> u64 {
        self.c2s as u64
    }

    /// Checks a range that may lie in either half (what `send` takes).
    ///
    /// # Errors
    /// `EFAULT` if it lies in neither or crosses from one to the other.
    pub fn check(self, span: Span) -> Result<CheckedSpan, Errno> {
        let (half, start, size) = match span.offset.checked_sub(self.s2c_offset()) {
            None => (Half::ClientToServer, span.offset, self.c2s),
            Some(start) => (Half::ServerToClient, start, self.s2c),
        };
        match u64::from(size).checked_sub(start) {
            Some(room) if span.length <= room => Ok(CheckedSpan {
                half,
                start: start as u32,
                length: span.length as u32,
            }),
            _ => Err(Errno::EFAULT),
        }
    }

    /// Checks a range that must lie in the half that the server writes (what `recv` takes).
    ///
    /// # Errors
    /// `EFAULT` otherwise.
    pub fn check_writable(self, span: Span) -> Result<CheckedSpan, Errno> {
        let checked = self.check(span)?;
        match checked.half {
            Half::ServerToClient => Ok(checked),
            Half::ClientToServer => Err(Errno::EFAULT),
        }
    }
}
