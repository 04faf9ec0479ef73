// SPDX-License-Identifier: BSD-2-Clause

//! Only in images made for tests: commands on the serial port, such as `crash net_driver`, for the supervisor.

use core::fmt;

use pd_support::{Peer, region};
use sel4_microkit::Channel;
use supervision::CrashRequest;

use crate::serial::Serial;

/// The serial port's interrupt.
pub const IRQ: Channel = Channel::new(0);
/// The supervisor, for requests.
const SUPERVISOR: Peer = Peer::new(Channel::new(7));

/// Longest command in bytes; what is longer is cut and then not understood.
const MAX_COMMAND: usize = 64;

/// Reads commands and passes them on.
pub struct Injection {
    page: &'static CrashRequest,
    command: [u8; MAX_COMMAND],
    len: usize,
}

/// A command that was not understood.
pub struct Unknown;

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown command; there is: crash <PD>")
    }
}

impl Injection {
    /// Takes the page that requests go through, and lets input interrupt. To be called once.
    ///
    /// # Panics
    /// If the system description does not map `crash_request`.
    pub fn take(serial: &mut Serial) -> Self {
        serial.enable_input();
        Self {
            page: region!(rw crash_request).page(),
            command: [0; MAX_COMMAND],
            len: 0,
        }
    }

    /// Takes one byte of input; at the end of a line, does what it says.
    pub fn input(&mut self, byte: u8) -> Result<(), Unknown> {
        if byte != b'\r' && byte != b'\n' {
            if let Some(free) = self.command.get_mut(self.len) {
                *free = byte;
                self.len += 1;
            }
            return Ok(());
        }
        let command = &self.command[..self.len];
        self.len = 0;
        if command.is_empty() {
            return Ok(());
        }
        let name = str::from_utf8(command)
            .ok()
            .and_then(|command| command.strip_prefix("crash "))
            .ok_or(Unknown)?;
        if !self.page.ask(name.trim()) {
            return Err(Unknown);
        }
        SUPERVISOR.notify();
        Ok(())
    }
}
