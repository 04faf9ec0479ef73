// SPDX-License-Identifier: BSD-2-Clause
//! The driver's record of the buffers that it has been lent.

use crate::Reason;

/// Cookies of the buffers held.
#[derive(Debug)]
pub(crate) struct Held<const N: usize> {
    cookies: [Option<u32>; N],
}

impl<const N: usize> Held<N> {
    pub(crate) fn new() -> Self {
        Self { cookies: [None; N] }
    }

    /// Notes that a buffer has come.
    ///
    /// # Errors
    /// It is here already: the server has lent it twice.
    #[inline]
    pub(crate) fn accept(&mut self, buffer: u16, cookie: u32) -> Result<(), Reason> {
        match self.cookies.get_mut(usize::from(buffer)) {
            Some(slot @ None) => {
                *slot = Some(cookie);
                Ok(())
            }
            _ => Err(Reason::Ownership { buffer }),
        }
    }

    /// Notes that a buffer goes; returns the cookie it goes with. `None`: it is not here, for a
    /// slot from before a reset.
    #[inline]
    pub(crate) fn release(&mut self, buffer: u16) -> Option<u32> {
        self.cookies.get_mut(usize::from(buffer))?.take()
    }

    pub(crate) fn reset(&mut self) {
        self.cookies.fill(None);
    }
}
