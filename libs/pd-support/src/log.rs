// SPDX-License-Identifier: BSD-2-Clause

//! Log lines. They go to the PD's ring at once; the console is told once, at the end of the handler's turn.

use core::fmt;
use core::panic::PanicInfo;

pub use log_ring::Level;
use sel4_microkit::{debug_println, pd_name};

use crate::clock;
use crate::global::GLOBAL;

/// For the macros. Before [`Pd::start`](crate::Pd::start), and in a PD without a ring, lines go to the kernel's debug output.
pub fn write(level: Level, text: fmt::Arguments<'_>) {
    // A `Display` that logs while it is being logged loses its line.
    let Ok(mut log) = GLOBAL.log.try_borrow_mut() else {
        return;
    };
    match &mut *log {
        Some(writer) => {
            let lines = writer.line(level, clock::now(), text) as u64;
            GLOBAL.lines.set(GLOBAL.lines.get().wrapping_add(lines));
            GLOBAL.unannounced.set(true);
        }
        None => debug_println!("{}: {text}", pd_name().unwrap_or("?")),
    }
}

/// Tells the console, if there is anything to tell.
pub fn announce() {
    if GLOBAL.unannounced.take()
        && let Some(console) = GLOBAL.console.get()
    {
        crate::Peer::new(console).notify();
    }
}

/// A panic's line goes both ways: the console may be what has panicked, or the kernel may not print.
pub fn panic_hook(info: &PanicInfo<'_>) {
    debug_println!("{}: {info}", pd_name().unwrap_or("?"));
    write(Level::Error, format_args!("{info}"));
    announce();
}

/// Something failed and service suffers.
#[macro_export]
macro_rules! error {
    ($($arguments:tt)*) => { $crate::write($crate::Level::Error, ::core::format_args!($($arguments)*)) };
}

/// Something is wrong and was dealt with.
#[macro_export]
macro_rules! warn {
    ($($arguments:tt)*) => { $crate::write($crate::Level::Warn, ::core::format_args!($($arguments)*)) };
}

/// What an operator wants to know.
#[macro_export]
macro_rules! info {
    ($($arguments:tt)*) => { $crate::write($crate::Level::Info, ::core::format_args!($($arguments)*)) };
}

/// What a developer wants to know.
#[macro_export]
macro_rules! debug {
    ($($arguments:tt)*) => { $crate::write($crate::Level::Debug, ::core::format_args!($($arguments)*)) };
}
