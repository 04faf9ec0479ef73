// SPDX-License-Identifier: BSD-2-Clause

//! Log lines. They go to the PD's ring at once; the console is told once, at the end of the
//! handler's turn.
//!
//! Each use of a macro writes 32 lines at once and 16 a second after that; what is beyond is left
//! out, counted, and told of afterwards.

use core::fmt;
use core::panic::PanicInfo;

pub use log_ring::Level;
use sel4_microkit::{debug_println, pd_name};
use stats::Common;

use crate::clock;
use crate::global::{GLOBAL, count};

/// Writes a line, without a limit. Before [`Pd::start`](crate::Pd::start), and in a PD without a
/// ring, lines go to the kernel's debug output.
pub fn write(level: Level, text: fmt::Arguments<'_>) {
    // A `Display` that logs while it is being logged loses its line.
    let Ok(mut log) = GLOBAL.log.try_borrow_mut() else {
        return;
    };
    match &mut *log {
        Some(writer) => {
            let lines = writer.line(level, clock::now(), text) as u64;
            count(Common::LogLines, lines);
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
        console.notify();
    }
}

/// A panic's line goes both ways: the console may be what has panicked, or the kernel may not
/// print.
pub fn panic_hook(info: &PanicInfo<'_>) {
    debug_println!("{}: {info}", pd_name().unwrap_or("?"));
    write(Level::Error, format_args!("{info}"));
    announce();
}

/// Writes a line for the macros, unless its place in the program has written too many lately.
#[doc(hidden)]
#[macro_export]
macro_rules! limited {
    ($level:ident, $($arguments:tt)*) => {{
        static SITE: $crate::_private::Site = $crate::_private::Site::new();
        if SITE.admits() {
            $crate::write($crate::Level::$level, ::core::format_args!($($arguments)*));
        }
    }};
}

/// Writes a line about a failure from which service suffers.
#[macro_export]
macro_rules! error {
    ($($arguments:tt)*) => { $crate::limited!(Error, $($arguments)*) };
}

/// Writes a line about something wrong that was dealt with.
#[macro_export]
macro_rules! warn {
    ($($arguments:tt)*) => { $crate::limited!(Warn, $($arguments)*) };
}

/// Writes a line for the operator.
#[macro_export]
macro_rules! info {
    ($($arguments:tt)*) => { $crate::limited!(Info, $($arguments)*) };
}

/// Writes a line for the developer.
#[macro_export]
macro_rules! debug {
    ($($arguments:tt)*) => { $crate::limited!(Debug, $($arguments)*) };
}
