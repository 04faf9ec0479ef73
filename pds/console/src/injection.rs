// SPDX-License-Identifier: BSD-2-Clause

//! Only in images made for tests: commands on the serial port, such as `crash net_driver`, for the
//! supervisor; and what this PD does itself as a hostile one would.

use core::arch::asm;
use core::fmt;

use pd_support::{Peer, ReadWrite, find_peer, interrupt, peer, region, role, wiring};
use sel4_microkit::Channel;
use supervision::{Action, FaultRequest};

use crate::serial::Serial;

/// Memory and channel for requests to the supervisor.
const REQUEST: &str = "fault_request";

/// Longest command in bytes; what is longer is cut and then not understood.
const MAX_COMMAND: usize = 64;

/// Reads commands and passes them on.
pub struct Injection {
    /// The serial port's interrupt.
    pub irq: Channel,
    page: &'static FaultRequest,
    supervisor: Peer,
    command: [u8; MAX_COMMAND],
    len: usize,
}

/// A command that was not understood.
pub struct Unknown;

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "unknown command; there is: crash <PD>, hang <PD>, stall <PD>, stop timer, flood supervisor",
        )
    }
}

impl Injection {
    /// Takes the page that requests go through, and lets input interrupt. To be called once.
    ///
    /// # Panics
    /// If the declaration gives this PD no memory for requests.
    pub fn take(serial: &mut Serial) -> Self {
        serial.enable_input();
        Self {
            irq: interrupt(),
            page: region::<ReadWrite>(REQUEST).page(),
            supervisor: peer(REQUEST),
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
        let (word, name) = str::from_utf8(command)
            .ok()
            .and_then(|command| command.trim().split_once(' '))
            .ok_or(Unknown)?;
        match (word, name) {
            ("stop", "timer") => {
                stop_timer();
                return Ok(());
            }
            ("flood", "supervisor") => flood_supervisor(),
            _ => {}
        }
        let mut actions = Action::ALL.into_iter();
        let action = actions.find(|action| action.word() == word);
        // The supervisor lists the children when it is asked for a number that is none of them.
        let mut pds = wiring().peers().chain([wiring().own()]);
        let child = pds.find(|pd| pd.name == name);
        let number = child.map_or(usize::MAX, |child| child.number);
        self.page.ask(action.ok_or(Unknown)?, number);
        self.supervisor.notify();
        Ok(())
    }
}

/// Does to the timer driver what a hostile PD would: switches its comparator off. Where the kernel
/// keeps the registers for the driver, this PD faults, and is restarted.
fn stop_timer() {
    // SAFETY: writes a timer register; no memory is involved.
    unsafe {
        asm!(
            "msr cntp_ctl_el0, xzr",
            options(nomem, nostack, preserves_flags)
        )
    };
}

/// Signals the supervisor until that ends this life.
fn flood_supervisor() {
    while let Some(supervisor) = find_peer(role::SUPERVISION) {
        supervisor.notify();
    }
}
