// SPDX-License-Identifier: BSD-2-Clause

//! Memory for parts of packets, from the heap.

use alloc::boxed::Box;

use rust_mqtt::buffer::BufferProvider;

/// Bytes of the longest packet that is taken, which the broker is told.
pub const MAX_PACKET: usize = 4096;

/// A part is longer than any packet may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Allocates, but nothing that is longer than [`MAX_PACKET`]: the lengths are the broker's.
#[derive(Debug)]
pub struct Packets;

impl BufferProvider<'_> for Packets {
    type Buffer = Box<[u8]>;
    type ProvisionError = TooLong;

    fn provide_buffer(&mut self, len: usize) -> Result<Box<[u8]>, TooLong> {
        match len {
            ..=MAX_PACKET => Ok(alloc::vec![0; len].into_boxed_slice()),
            _ => Err(TooLong),
        }
    }
}
