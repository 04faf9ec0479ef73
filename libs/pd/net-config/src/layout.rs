// SPDX-License-Identifier: BSD-2-Clause
//! Bytes: all little-endian, without padding, without alignment.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U16, U32},
};

/// Version of the layout, part of the magic number.
pub const VERSION: u8 = 2;

/// Clients that one server can have. It has a channel to each, of the 62 that a PD can have
/// (Microkit manual, "Channels"), and some others.
pub const MAX_CLIENTS: usize = 54;

/// Longest name of a PD or host in bytes.
pub const MAX_NAME: usize = 32;

/// Port ranges in each list of a client.
pub const MAX_PORT_RANGES: usize = 8;

/// Remote destinations of a client.
pub const MAX_DESTINATIONS: usize = 8;

pub(crate) const MAGIC: [u8; 8] = *b"ISTHNET\x02";
const _: () = assert!(MAGIC[7] == VERSION);

/// Text of up to [`MAX_NAME`] bytes.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawName {
    pub len: u8,
    pub bytes: [u8; MAX_NAME],
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawInterface {
    pub address: [u8; 4],
    pub gateway: [u8; 4],
    pub prefix_len: u8,
    pub hostname: RawName,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawBuffers {
    pub stream_receive: U32,
    pub stream_send: U32,
    pub datagram_receive: U32,
    pub datagram_send: U32,
}

/// `first` 0 ends a list.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawPorts {
    pub first: U16,
    pub last: U16,
}

/// `ports.first` 0 ends a list.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawDestination {
    pub network: [u8; 4],
    pub prefix_len: u8,
    pub ports: RawPorts,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawClient {
    pub name: RawName,
    pub stream_sockets: U16,
    pub datagram_sockets: U16,
    pub tcp_listen: [RawPorts; MAX_PORT_RANGES],
    pub udp_bind: [RawPorts; MAX_PORT_RANGES],
    pub tcp_connect: [RawDestination; MAX_DESTINATIONS],
}

/// What stands in front of the clients.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawHeader {
    pub magic: [u8; 8],
    pub size: U32,
    pub interface: RawInterface,
    pub buffers: RawBuffers,
    pub clients: U16,
}
