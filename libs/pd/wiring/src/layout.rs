// SPDX-License-Identifier: BSD-2-Clause
//! The bytes of a table, as the crate's documentation describes them.

use core::str;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::network::{Limits, Network};

/// Version of the layout, part of the magic number.
pub const VERSION: u8 = 7;
/// Longest name of a PD, role or host in bytes.
pub const MAX_NAME: usize = 32;
/// Longest description of a PD in bytes.
pub const MAX_ABOUT: usize = 64;
/// Longest search domain in bytes.
pub const MAX_DOMAIN: usize = 64;
/// Ids of channels and interrupts are below this (Microkit manual, "Channels").
pub const CHANNELS: usize = 62;

pub(crate) const MAGIC: [u8; 8] = *b"ISTHWIR\x07";
const _: () = assert!(MAGIC[7] == VERSION);

/// The index of no peer.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Bits of [`RawPeer::flags`].
pub(crate) const CHILD: u32 = 1;
pub(crate) const CLIENT: u32 = 1 << 1;

/// Bits of [`RawMemory::rights`].
pub(crate) const READ: u32 = 1;
pub(crate) const WRITE: u32 = 1 << 1;
pub(crate) const DEVICE: u32 = 1 << 2;

/// Bits of [`RawChannel::flags`].
pub(crate) const NOTIFY: u32 = 1;
pub(crate) const CALL: u32 = 1 << 1;
pub(crate) const CALLED: u32 = 1 << 2;
pub(crate) const INTERRUPT: u32 = 1 << 3;

/// Text of up to `N` bytes, padded with zeros.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(transparent)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// Returns `None` if the text is longer than `N` bytes.
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; N];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        Some(Text(bytes))
    }

    /// Returns the text. In a checked table it is there.
    pub fn as_str(&self) -> &str {
        self.checked().unwrap_or_default()
    }

    /// Returns the text if it is UTF-8 and only zeros follow it.
    pub(crate) fn checked(&self) -> Option<&str> {
        let len = self.0.iter().position(|&b| b == 0).unwrap_or(N);
        let (text, rest) = self.0.split_at_checked(len)?;
        rest.iter().all(|&b| b == 0).then_some(())?;
        str::from_utf8(text).ok()
    }

    /// Whether it is text, and not empty.
    pub(crate) fn is_name(&self) -> bool {
        self.checked().is_some_and(|name| !name.is_empty())
    }
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawHeader {
    pub magic: [u8; 8],
    pub size: U32,
    pub peers: U16,
    pub memory: U16,
    pub channels: U16,
    pub clients: U16,
    pub networks: U16,
    pub reserved: [u8; 10],
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawPeer {
    pub name: Text<MAX_NAME>,
    pub about: Text<MAX_ABOUT>,
    pub number: U32,
    pub priority: U32,
    pub stack: U64,
    pub flags: U32,
    pub reserved: [U32; 3],
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawMemory {
    pub role: Text<MAX_NAME>,
    pub address: U64,
    pub size: U64,
    pub peer: U32,
    pub rights: U32,
    pub reserved: U64,
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawChannel {
    pub role: Text<MAX_NAME>,
    pub id: U32,
    pub peer: U32,
    pub flags: U32,
    pub reserved: U32,
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawClient {
    pub peer: U32,
    pub limits: Limits,
}

const _: () = assert!(size_of::<RawHeader>() == 32);
const _: () = assert!(size_of::<RawPeer>() == 128);
const _: () = assert!(size_of::<RawMemory>() == 64);
const _: () = assert!(size_of::<RawChannel>() == 48);
const _: () = assert!(size_of::<RawClient>() == 484);
const _: () = assert!(size_of::<Network>() == 180);
