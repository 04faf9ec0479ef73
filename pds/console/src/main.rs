// SPDX-License-Identifier: BSD-2-Clause

//! Console: copies the log lines of all PDs to the serial port.
//!
//! It has the clients' priority, so a client that spins does not silence it, and looks at all rings
//! each second, because such a client never says that it has lines. Lines are ordered
//! by time, but each PD gets its turn for a few lines, so that one that writes without end, or lies
//! about the time, delays the others' lines and does not displace them.

#![no_std]
#![no_main]

#[cfg(feature = "fault-injection")]
mod injection;
mod serial;
mod sources;

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use log_ring::{Entry, Level, MAX_ENTRIES};
use pd_support::{Pd, clock};
use sel4_microkit::{ChannelSet, Handler, Infallible, panicking, protection_domain, restart_count};
use stats::{Console as Counter, Writer};
use time::Clock;

use serial::Serial;
use sources::{MAX_SOURCES, Source};

/// Entries that a PD gets printed in its turn.
const ENTRIES_PER_TURN: usize = 8;
/// This PD's name in its own lines.
const NAME: &str = "console";

struct Console {
    serial: Serial,
    clock: Clock,
    sources: &'static mut [Source],
    stats: Writer<Counter>,
    #[cfg(feature = "fault-injection")]
    injection: injection::Injection,
}

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    #[allow(unused_mut)] // only the test image's input changes it here
    let mut serial = Serial::take();
    panicking::set_hook(&last_words);
    let mut console = Console {
        #[cfg(feature = "fault-injection")]
        injection: injection::Injection::take(&mut serial),
        serial,
        clock: clock::clock(),
        sources: sources::take(),
        stats: pd.stats(),
    };
    match restart_count() {
        0 => console.say(format_args!(
            "ready, log lines of all protection domains follow"
        )),
        n => console.say(format_args!("restart {n}")),
    }
    console.drain();
    pd.run(console)
}

/// Prints why the console panicked: nobody else could, as a release kernel does not print and this
/// PD has no log ring.
fn last_words(info: &PanicInfo) {
    // SAFETY: this PD has one thread, and after a panic it runs nothing but this function until it
    // starts again.
    let mut serial = unsafe { Serial::take_over() };
    // A line may have been half printed. The port takes everything.
    let _ = write!(serial, "\r\n{NAME}: error: panicked at ");
    if let Some(place) = info.location() {
        let _ = write!(serial, "{place}: ");
    }
    let _ = write!(serial, "{}\r\n", info.message());
}

/// Writes a line with time, in microseconds, and PD name: `[   12.345678] net_driver: link up`.
fn write_line(to: &mut Serial, micros: u64, pd: &str, text: &dyn fmt::Display) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    // The serial port takes everything.
    let _ = write!(to, "[{seconds:5}.{fraction:06}] {pd}: {text}\r\n");
}

impl Console {
    /// Prints a line of the console's own.
    fn say(&mut self, text: fmt::Arguments<'_>) {
        let now = self.clock.micros(clock::now());
        write_line(&mut self.serial, now, NAME, &text);
    }

    /// Prints until all rings are empty, or have given what a ring can hold: one that goes on has
    /// notified again.
    fn drain(&mut self) {
        let mut left = [MAX_ENTRIES; MAX_SOURCES];
        while self.turn(&mut left) {
            // The port is slow: a full ring takes more than a second.
            pd_support::working();
            self.read_input();
        }
        self.stats
            .add(Counter::BytesOut, self.serial.take_written());
    }

    /// One turn of every source, the oldest lines first; `false` if none had anything. `allowed` is
    /// what each may print in this drain.
    fn turn(&mut self, allowed: &mut [usize; MAX_SOURCES]) -> bool {
        let mut left = allowed.map(|allowed| allowed.min(ENTRIES_PER_TURN));
        let mut any = false;
        loop {
            // Times are what the PDs claim: one that lies uses up its own turn.
            let next = self
                .sources
                .iter_mut()
                .zip(left.iter_mut().zip(&mut *allowed))
                .filter(|(_, (left, _))| **left > 0)
                .filter_map(|(source, left)| Some((source.next_ticks()?, source, left)))
                .min_by_key(|(ticks, ..)| *ticks);
            let Some((_, source, (left, allowed))) = next else {
                return any;
            };
            any = true;
            *left -= 1;
            *allowed -= 1;
            let name = source.name;
            if let Some(entry) = source.take() {
                self.print(name, &entry);
            }
        }
    }

    fn print(&mut self, pd: &str, entry: &Entry) {
        let to = &mut self.serial;
        let now = self.clock.micros(clock::now());
        match entry {
            Entry::Line(line) => {
                self.stats.inc(Counter::Lines);
                let at = self.clock.micros(line.ticks);
                match line.level {
                    level @ (Level::Error | Level::Warn) => {
                        write_line(to, at, pd, &format_args!("{level}: {line}"));
                    }
                    Level::Info | Level::Debug => write_line(to, at, pd, line),
                }
            }
            Entry::Lost { bytes } => {
                self.stats.add(Counter::BytesLost, *bytes);
                write_line(to, now, pd, &format_args!("{bytes} bytes of log lost"));
            }
            Entry::Garbled => {
                self.stats.inc(Counter::GarbledRings);
                write_line(to, now, pd, &"log garbled, some of it is skipped");
            }
        }
    }

    #[cfg(not(feature = "fault-injection"))]
    fn read_input(&mut self) {}

    #[cfg(feature = "fault-injection")]
    fn read_input(&mut self) {
        while let Some(byte) = self.serial.read_byte() {
            self.stats.inc(Counter::BytesIn);
            if let Err(unknown) = self.injection.input(byte) {
                self.say(format_args!("{unknown}"));
            }
        }
    }
}

impl Handler for Console {
    type Error = Infallible;

    #[cfg_attr(not(feature = "fault-injection"), allow(unused_variables))]
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        #[cfg(feature = "fault-injection")]
        if channels.contains(self.injection.irq) {
            self.stats.inc(Counter::Irqs);
            self.serial.clear_interrupts();
            self.read_input();
            if let Err(error) = self.injection.irq.irq_ack() {
                self.say(format_args!("{error}"));
            }
        }
        self.drain();
        Ok(())
    }
}
