// SPDX-License-Identifier: BSD-2-Clause

//! The kernel's debug output, where there is one.

use core::fmt;

use crate::PRINTING;

/// `seL4_DebugPutChar`; does nothing on a kernel that does not print.
pub fn debug_put_char(character: u8) {
    // Such a kernel would answer with a fault (unknown system call).
    if PRINTING {
        crate::syscalls::debug_put_char(character);
    }
}

/// `core::fmt::Write` on [`debug_put_char`].
pub struct DebugWrite;

impl fmt::Write for DebugWrite {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(debug_put_char);
        Ok(())
    }
}

/// Prints, for the macros.
#[doc(hidden)]
pub fn print(arguments: fmt::Arguments<'_>) {
    // `DebugWrite` never fails; a `Display` that fails has its text cut, which is no reason to
    // panic.
    let _ = fmt::write(&mut DebugWrite, arguments);
}

/// Like `std::print!`, on the kernel's debug output. Costs nothing on a kernel that does not print.
#[macro_export]
macro_rules! debug_print {
    ($($arguments:tt)*) => {
        if $crate::PRINTING {
            $crate::_private::print(::core::format_args!($($arguments)*))
        }
    };
}

/// Like `std::println!`, on the kernel's debug output. Costs nothing on a kernel that does not
/// print.
#[macro_export]
macro_rules! debug_println {
    () => { $crate::debug_print!("\n") };
    ($($arguments:tt)*) => {
        $crate::debug_print!("{}\n", ::core::format_args!($($arguments)*))
    };
}
