// SPDX-License-Identifier: BSD-2-Clause
//! The test's own port of the switch.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Frames to the far end, past all faults of the cable, and those from it that are not for Linux:
/// for everybody, or for an address that Linux does not have.
#[derive(Debug)]
pub struct RawPort {
    to: UnixDatagram,
    from: Mutex<Receiver<Vec<u8>>>,
}

impl RawPort {
    pub(crate) fn new(to: UnixDatagram, from: Receiver<Vec<u8>>) -> Self {
        Self {
            to,
            from: Mutex::new(from),
        }
    }

    /// Sends a frame; waits while the far end takes none.
    ///
    /// # Errors
    /// If the switch has ended.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        loop {
            match self.to.send(frame) {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e).context("cannot send a frame: the switch has ended"),
            }
        }
    }

    /// Receives one frame; none if the time passes first.
    ///
    /// # Errors
    /// If the switch has ended.
    pub fn receive(&self, deadline: Instant) -> Result<Option<Vec<u8>>> {
        let from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        match from.recv_timeout(left) {
            Ok(frame) => Ok(Some(frame)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!("the switch has ended"),
        }
    }

    /// Throws away what has come so far.
    pub fn drain(&self) {
        let from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        while from.try_recv().is_ok() {}
    }
}
