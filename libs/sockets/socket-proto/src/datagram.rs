// SPDX-License-Identifier: BSD-2-Clause

//! How datagrams lie in the window: each is a [`DatagramHeader`] and its payload, padded so that
//! the next header starts at a multiple of 8 from the start of the range. One `send` or `recv`
//! carries as many as fit.

use core::net::SocketAddr;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Errno, addr};

/// In front of each datagram's payload. In the byte order of the machine: the window never leaves
/// it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct DatagramHeader {
    /// Bytes of payload behind this header.
    pub length: u16,
    /// From the server: bytes that the datagram had on the wire; more than `length` if it had to
    /// be cut off (`MSG_TRUNC`). From the client: not looked at, so that an echo can send what
    /// it received as it lies there.
    pub wire_length: u16,
    /// Must be 0.
    pub flags: u32,
    /// The peer, as in [`crate::addr`]. From the client, [`addr::NO_ADDRESS`] means the connected
    /// peer.
    pub address: [u64; 3],
}

/// Size of a [`DatagramHeader`] in bytes.
pub const HEADER_SIZE: usize = 32;
/// Headers lie at multiples of this, in bytes.
pub const ALIGN: usize = 8;
/// Largest payload of a UDP datagram over IPv4, in bytes (RFC 768, RFC 791: 65,535 less 20 and 8
/// bytes of headers).
pub const MAX_PAYLOAD: usize = 65_507;

const _: () = assert!(size_of::<DatagramHeader>() == HEADER_SIZE);
const _: () = assert!(align_of::<DatagramHeader>() == ALIGN);

impl DatagramHeader {
    /// A header for sending `length` bytes to `to`, or to the connected peer.
    #[must_use]
    pub const fn outgoing(length: u16, to: Option<SocketAddr>) -> DatagramHeader {
        DatagramHeader {
            length,
            wire_length: 0,
            flags: 0,
            address: match to {
                Some(to) => addr::to_words(to),
                None => addr::NO_ADDRESS,
            },
        }
    }

    /// A header for `length` of `wire_length` bytes received from `from`.
    #[must_use]
    pub const fn incoming(length: u16, wire_length: u16, from: SocketAddr) -> DatagramHeader {
        DatagramHeader {
            length,
            wire_length,
            flags: 0,
            address: addr::to_words(from),
        }
    }

    /// The address.
    ///
    /// # Errors
    /// As [`addr::from_words`].
    pub const fn peer(&self) -> Result<Option<SocketAddr>, Errno> {
        addr::from_words(self.address)
    }

    /// Whether the payload was cut off.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.wire_length > self.length
    }

    /// The header's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_SIZE] {
        zerocopy::transmute!(*self)
    }

    /// A header from its bytes; the content is not checked.
    #[must_use]
    pub fn from_bytes(bytes: [u8; HEADER_SIZE]) -> DatagramHeader {
        zerocopy::transmute!(bytes)
    }
}

/// Bytes from the start of a datagram's header to where the next one starts.
#[must_use]
pub const fn stride(payload: usize) -> usize {
    (HEADER_SIZE + payload).next_multiple_of(ALIGN)
}
