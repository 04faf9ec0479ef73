// SPDX-License-Identifier: BSD-2-Clause

//! The way to the driver: received frames are looked at where they lie, frames to send are written
//! where the driver takes them. The two directions are separate objects, because an answer is
//! written while the question is being read. What goes to this machine itself takes `loopback`.

pub(crate) mod loopback;

use core::convert::Infallible;

/// Largest Ethernet frame, without the frame check sequence, in bytes.
pub const FRAME_MAX: usize = 1514;

/// Received frames, oldest first.
pub trait RxQueue {
    /// The oldest frame. It stays the same until [`Self::pop`].
    fn front(&mut self) -> Option<&[u8]>;

    /// Gives the buffer of the oldest frame back.
    fn pop(&mut self);
}

/// Buffers for frames to send.
pub trait TxQueue {
    /// How many frames can be sent now.
    fn free(&mut self) -> usize;

    /// Frames wait for buffers although some are free: has the driver say soon which frames it has
    /// sent.
    fn hurry(&mut self) {}

    /// Lets `fill` write a frame of exactly `length` bytes (at most [`FRAME_MAX`]) and queues it.
    /// If `fill` fails, nothing is queued and the buffer stays free. Returns `None`, without
    /// calling `fill`, if no buffer is free.
    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>>;

    /// As [`Self::try_send`], with a `fill` that cannot fail.
    fn send<R>(&mut self, length: usize, fill: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        match self.try_send(length, |frame| Ok::<R, Infallible>(fill(frame)))? {
            Ok(result) => Some(result),
        }
    }
}

/// Both directions.
pub struct Link<R, T> {
    /// Received frames.
    pub rx: R,
    /// Frames to send.
    pub tx: T,
}

/// What the device does for the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// Checksums of received TCP and UDP packets have been verified.
    pub rx_checksum: bool,
    /// Checksums of TCP and UDP packets to send are filled in later.
    pub tx_checksum: bool,
}
