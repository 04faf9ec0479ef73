// SPDX-License-Identifier: BSD-2-Clause

//! How datagrams lie in the window: each is a [`DatagramHeader`] and its payload, padded so that
//! the next header starts at a multiple of 8 from the start of the range. One `send` or `recv`
//! carries as many as fit.

use crate::DatagramHeader;

/// Size of a [`DatagramHeader`] in bytes.
pub const HEADER_SIZE: usize = size_of::<DatagramHeader>();
/// Headers lie at multiples of this, in bytes.
pub const ALIGN: usize = align_of::<DatagramHeader>();
/// Largest payload of a UDP datagram over IPv4, in bytes (RFC 768, RFC 791: 65,535 less 20 and 8
/// bytes of headers).
pub const MAX_PAYLOAD: usize = 65_507;

const _: () = assert!(HEADER_SIZE == 32 && ALIGN == 8);

/// Bytes from the start of a datagram's header to where the next one starts.
#[must_use]
pub const fn stride(payload: usize) -> usize {
    (HEADER_SIZE + payload).next_multiple_of(ALIGN)
}
