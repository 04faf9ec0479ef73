// SPDX-License-Identifier: BSD-2-Clause

//! `poll`.

use core::time::Duration;

use socket_client::{Instant, PollBits, Transport};

use crate::{Error, FIRST, File, Posix, Target, Wait};

/// `POLLRDNORM` and `POLLWRNORM` of Linux: the same as `POLLIN` and `POLLOUT`.
const READ_NORMAL: u16 = 0x40;
const WRITE_NORMAL: u16 = 0x100;

/// `struct pollfd`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct PollEntry {
    /// The descriptor; one below 0 is left out.
    pub fd: i32,
    /// What to look for.
    pub events: u16,
    /// What was found.
    pub revents: u16,
}

impl<T: Transport, W: Wait> Posix<'_, T, W> {
    fn bits(&self, entry: PollEntry) -> u16 {
        let bits = match self.file(entry.fd) {
            Ok(File { target, .. }) => match target {
                Target::Server(socket) => self.client().poll_bits(socket),
                Target::End(end) => self.end_bits(end),
            },
            // Nothing is read from the console, and it takes everything.
            Err(_) if (0..FIRST).contains(&entry.fd) => PollBits::OUT,
            Err(_) if entry.fd < 0 => PollBits::NONE,
            Err(_) => PollBits::NVAL,
        };
        let bits = bits.bits()
            | (READ_NORMAL * u16::from(bits.contains(PollBits::IN)))
            | (WRITE_NORMAL * u16::from(bits.contains(PollBits::OUT)));
        let always = PollBits::ERR | PollBits::HUP | PollBits::NVAL;
        bits & (entry.events | always.bits())
    }

    fn look(&self, entries: &mut [PollEntry]) -> usize {
        let mut found = 0;
        for entry in entries {
            entry.revents = self.bits(*entry);
            found += usize::from(entry.revents != 0);
        }
        found
    }

    /// Waits until one of the descriptors is ready or the time is up; without a time for as long as
    /// it takes. Returns how many are ready.
    ///
    /// # Errors
    /// Those of [`Wait::wait`].
    pub fn poll(&self, entries: &mut [PollEntry], time: Option<Duration>) -> Result<usize, Error> {
        let until = time.map_or(Instant::MAX, |time| self.now() + time);
        loop {
            let seen = self.seen();
            let found = self.look(entries);
            if found > 0 || self.now() >= until {
                return Ok(found);
            }
            self.wait_until(until, seen)?;
        }
    }
}
