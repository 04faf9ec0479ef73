// SPDX-License-Identifier: BSD-2-Clause

//! Only in images made for tests: commands on the serial port, such as `crash net_driver`, for the
//! supervisor; and what this PD does itself as a hostile one would.

use core::arch::asm;

use heapless::Vec;
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
    command: Vec<u8, MAX_COMMAND>,
}

/// The reply to a command that was not understood.
const UNKNOWN: &str =
    "unknown command; there is: crash <PD>, hang <PD>, stall <PD>, stop timer, flood supervisor";

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
            command: Vec::new(),
        }
    }

    /// Takes one byte of input; at the end of a line, does what it says.
    ///
    /// # Errors
    /// If the line is no command. The text says which there are.
    pub fn input(&mut self, byte: u8) -> Result<(), &'static str> {
        if byte != b'\r' && byte != b'\n' {
            // What does not fit is cut.
            let _ = self.command.push(byte);
            return Ok(());
        }
        let command = core::mem::take(&mut self.command);
        if command.is_empty() {
            return Ok(());
        }
        let (word, name) = str::from_utf8(&command)
            .ok()
            .and_then(|command| command.trim().split_once(' '))
            .ok_or(UNKNOWN)?;
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
        self.page.ask(action.ok_or(UNKNOWN)?, number);
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
