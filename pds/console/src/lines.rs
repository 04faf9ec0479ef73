// SPDX-License-Identifier: BSD-2-Clause

//! How lines look on the serial port.

use core::fmt::{Display, Write};

use log_ring::{Level, Line};
use time::Clock;

/// Writes lines with time and PD name: `[   12.345678] net_driver: link up`.
#[derive(Clone, Copy)]
pub struct Format {
    clock: Clock,
}

impl Format {
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }

    /// A line from a log ring.
    pub fn line(self, to: &mut impl Write, pd: &str, line: &Line) {
        match line.level {
            level @ (Level::Error | Level::Warn) => {
                self.text(to, line.ticks, pd, &format_args!("{level}: {line}"));
            }
            Level::Info | Level::Debug => self.text(to, line.ticks, pd, line),
        }
    }

    /// Any text that is one line.
    pub fn text(self, to: &mut impl Write, ticks: u64, pd: &str, text: &dyn Display) {
        let micros = self.clock.micros(ticks);
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        // The serial port takes everything.
        let _ = write!(to, "[{seconds:5}.{fraction:06}] {pd}: {text}\r\n");
    }
}
