// SPDX-License-Identifier: BSD-2-Clause
//! Lines for the person at the serial console.
//!
//! A debug kernel prints them. A release kernel cannot: there the initialiser maps the PL011 (Arm
//! DDI 0183) into itself, as the very first thing it makes. The monitor uses that map when the PDs
//! run, even if one of them has the PL011 too: a fault that nobody handles is worth a line in the
//! middle of someone else's.

use core::fmt::{self, Write};

/// Writes one line.
pub fn line(text: fmt::Arguments<'_>) {
    // Nothing can be done if the console refuses.
    let _ = writeln!(Console, "{text}");
}

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                put(b'\r')?;
            }
            put(byte)?;
        }
        Ok(())
    }
}

fn put(byte: u8) -> fmt::Result {
    if sel4::PRINTING {
        sel4::debug_put_char(byte);
        Ok(())
    } else {
        uart::put(byte)
    }
}

pub use uart::{PADDR as UART_PADDR, attach};

mod uart {
    use core::fmt;
    use core::sync::atomic::{AtomicU64, Ordering};

    /// Physical address of the board's PL011.
    pub const PADDR: u64 = 0x0900_0000;

    const DATA: u64 = 0x00;
    const FLAGS: u64 = 0x18;
    const FLAGS_TRANSMIT_FULL: u32 = 1 << 5;
    /// Looks at a full queue before a line is given up. At 115,200 baud a byte leaves within 90 us,
    /// which is some thousand looks; a port that somebody has switched off never becomes ready.
    const PATIENCE: u32 = 1_000_000;

    /// The address at which the PL011 is mapped; 0 if it is not yet.
    static BASE: AtomicU64 = AtomicU64::new(0);

    /// Uses the PL011 that is mapped at `address` from now on.
    ///
    /// # Safety
    /// The PL011's registers must be mapped there, readable and writable, for good.
    pub unsafe fn attach(address: u64) {
        BASE.store(address, Ordering::Relaxed);
    }

    /// Writes one byte, or gives up if the port takes none. Before `attach` there is no console.
    pub fn put(byte: u8) -> fmt::Result {
        let base = BASE.load(Ordering::Relaxed);
        if base == 0 {
            return Err(fmt::Error);
        }
        let is_full = || {
            // SAFETY: `attach` was promised that the PL011 is mapped here; this is one of its
            // registers.
            let flags = unsafe { ((base + FLAGS) as *const u32).read_volatile() };
            flags & FLAGS_TRANSMIT_FULL != 0
        };
        if (0..PATIENCE).all(|_| is_full()) {
            return Err(fmt::Error);
        }
        // SAFETY: as above.
        unsafe { ((base + DATA) as *mut u32).write_volatile(u32::from(byte)) };
        Ok(())
    }
}
