// SPDX-License-Identifier: BSD-2-Clause

//! `poll` over many sockets, answered from the readiness page.

use socket_proto::{Errno, PollBits};
use time::Instant;

use crate::{Client, Socket, Transport};

/// A socket and what is asked about it, as in `poll(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollFd {
    /// The socket.
    pub socket: Socket,
    /// What to look for. `ERR`, `HUP` and `NVAL` are always looked for.
    pub events: PollBits,
    /// What was found.
    pub revents: PollBits,
}

impl PollFd {
    /// Asks about `events` of `socket`.
    pub fn new(socket: Socket, events: PollBits) -> Self {
        PollFd {
            socket,
            events,
            revents: PollBits::NONE,
        }
    }
}

impl<T: Transport> Client<T> {
    /// Fills in `revents` of every entry and returns how many are not empty. Makes no call.
    pub fn poll(&self, fds: &mut [PollFd]) -> usize {
        let mut found = 0;
        for fd in fds {
            let wanted = fd.events | PollBits::ERR | PollBits::HUP | PollBits::NVAL;
            fd.revents = self.poll_bits(fd.socket) & wanted;
            found += usize::from(!fd.revents.is_empty());
        }
        found
    }

    /// As [`Self::poll`]; if nothing is found, the PD shall return to its event loop, and a
    /// notification comes when something becomes ready, or at `deadline` at the latest.
    ///
    /// Returns `Ok(0)` at once if the deadline has passed, so a caller that comes back with
    /// the same deadline ends its wait.
    ///
    /// # Errors
    /// `EAGAIN` if nothing is ready and the deadline lies ahead: wait for the notification and call
    /// again.
    pub fn poll_until(&self, fds: &mut [PollFd], deadline: Instant) -> Result<usize, Errno> {
        let found = self.poll(fds);
        if found > 0 || self.now() >= deadline {
            return Ok(found);
        }
        self.wake_at(deadline)?;
        // What became ready during that call has been notified already, perhaps before this look;
        // look again rather than sleep.
        match self.poll(fds) {
            0 => Err(Errno::EAGAIN),
            found => Ok(found),
        }
    }
}
