// SPDX-License-Identifier: BSD-2-Clause
//! The bytes of a table, as the crate's documentation describes them.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Version of the layout, part of the magic number.
pub const VERSION: u8 = 1;
/// Longest name of a PD or role in bytes.
pub const MAX_NAME: usize = 32;
/// Longest description of a PD in bytes.
pub const MAX_ABOUT: usize = 64;

pub(crate) const MAGIC: [u8; 8] = *b"ISTHWIR\x01";
const _: () = assert!(MAGIC[7] == VERSION);

/// The index of no peer.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Bits of [`RawPeer::flags`].
pub(crate) const CHILD: u64 = 1;
pub(crate) const CLIENT: u64 = 1 << 1;

/// Bits of [`RawMemory::rights`].
pub(crate) const READ: u32 = 1;
pub(crate) const WRITE: u32 = 1 << 1;
pub(crate) const DEVICE: u32 = 1 << 2;

/// Bits of [`RawChannel::flags`].
pub(crate) const NOTIFY: u32 = 1;
pub(crate) const CALL: u32 = 1 << 1;
pub(crate) const CALLED: u32 = 1 << 2;
pub(crate) const INTERRUPT: u32 = 1 << 3;

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawHeader {
    pub magic: [u8; 8],
    pub size: U32,
    pub peers: U16,
    pub memory: U16,
    pub channels: U16,
    pub reserved: [u8; 14],
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawPeer {
    pub name: [u8; MAX_NAME],
    pub about: [u8; MAX_ABOUT],
    pub number: U32,
    pub priority: U32,
    pub stack: U64,
    pub flags: U64,
    pub reserved: U64,
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawMemory {
    pub role: [u8; MAX_NAME],
    pub address: U64,
    pub size: U64,
    pub peer: U32,
    pub rights: U32,
    pub reserved: U64,
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawChannel {
    pub role: [u8; MAX_NAME],
    pub id: U32,
    pub peer: U32,
    pub flags: U32,
    pub reserved: U32,
}

const _: () = assert!(size_of::<RawHeader>() == 32);
const _: () = assert!(size_of::<RawPeer>() == 128);
const _: () = assert!(size_of::<RawMemory>() == 64);
const _: () = assert!(size_of::<RawChannel>() == 48);
