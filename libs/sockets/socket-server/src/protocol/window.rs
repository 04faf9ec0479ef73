// SPDX-License-Identifier: BSD-2-Clause

//! A client's window as the core uses it: bytes are copied out of it or into it, once.

use socket_proto::{Errno, Half, WindowSizes};

/// The bytes are not in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfWindow;

impl From<OutOfWindow> for Errno {
    fn from(_: OutOfWindow) -> Errno {
        Errno::EFAULT
    }
}

/// Payload memory that the core shares with one client. The client may change its half at any time,
/// so nothing is read twice.
pub trait Window {
    /// Sizes of the two halves. They never change.
    fn sizes(&self) -> WindowSizes;

    /// Copies bytes out, from `offset` of a half on.
    ///
    /// # Errors
    /// The range leaves the half; `into` may be partly written.
    fn read(&self, half: Half, offset: usize, into: &mut [u8]) -> Result<(), OutOfWindow>;

    /// Copies bytes into the half that the server writes.
    ///
    /// # Errors
    /// The range leaves the half.
    fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), OutOfWindow>;
}
