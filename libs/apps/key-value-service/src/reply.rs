// SPDX-License-Identifier: BSD-2-Clause

//! Replies (RESP2), collected until they are sent.

use core::fmt::{self, Write};

use heapless::Vec;

/// Bytes of the longest reply.
pub const REPLY_LEN: usize = 8 * 1024;

/// A reply does not fit beside those that wait to be sent. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl From<fmt::Error> for Full {
    fn from(_: fmt::Error) -> Self {
        Full
    }
}

/// Replies that wait to be sent.
pub struct Reply(pub(crate) Vec<u8, REPLY_LEN>);

impl Reply {
    /// There are none.
    #[expect(clippy::new_without_default, reason = "it is const")]
    pub const fn new() -> Self {
        Reply(Vec::new())
    }

    /// Returns the bytes to send.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// They are sent.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn room(&self) -> usize {
        REPLY_LEN - self.0.len()
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.0.extend_from_slice(bytes).map_err(|_| Full)
    }

    pub(crate) fn status(&mut self, text: &str) -> Result<(), Full> {
        Ok(write!(self.0, "+{text}\r\n")?)
    }

    /// An error; its text begins with a word in capitals.
    pub(crate) fn error(&mut self, text: &str) -> Result<(), Full> {
        Ok(write!(self.0, "-{text}\r\n")?)
    }

    pub(crate) fn integer(&mut self, number: i64) -> Result<(), Full> {
        Ok(write!(self.0, ":{number}\r\n")?)
    }

    /// So many replies follow as one.
    pub(crate) fn array(&mut self, count: usize) -> Result<(), Full> {
        Ok(write!(self.0, "*{count}\r\n")?)
    }

    pub(crate) fn nothing(&mut self) -> Result<(), Full> {
        self.raw(b"$-1\r\n")
    }

    pub(crate) fn string(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.pieces(bytes.len(), [bytes])
    }

    /// A string of this length, in pieces.
    pub(crate) fn pieces<'p>(
        &mut self,
        length: usize,
        pieces: impl IntoIterator<Item = &'p [u8]>,
    ) -> Result<(), Full> {
        write!(self.0, "${length}\r\n")?;
        for piece in pieces {
            self.raw(piece)?;
        }
        self.raw(b"\r\n")
    }
}
