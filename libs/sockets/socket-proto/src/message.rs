// SPDX-License-Identifier: BSD-2-Clause

//! A request or a reply as it lies in the window, for `batch`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::WORDS;

/// Most requests that one `batch` carries out.
pub const MAX_BATCH: usize = 64;

/// A label and its words. In the byte order of the machine: the window never leaves it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Message {
    /// The operation, or what has become of it.
    pub label: u64,
    /// The words; those that are not used are 0.
    pub words: [u64; WORDS],
}

impl Message {
    /// Bytes of a message.
    pub const SIZE: usize = size_of::<Message>();

    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        zerocopy::transmute!(self)
    }

    /// A message from its bytes; the content is not checked.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Message {
        zerocopy::transmute!(bytes)
    }
}

const _: () = assert!(Message::SIZE == 40);
