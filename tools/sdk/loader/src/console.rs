// SPDX-License-Identifier: BSD-2-Clause
//! The PL011 (Arm DDI 0183), as QEMU leaves it after reset.

use core::fmt;

const BASE: usize = 0x0900_0000;
const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const FLAGS_TRANSMIT_FULL: u32 = 1 << 5;

/// Writes to the serial line, waiting while it is busy.
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                put(b'\r');
            }
            put(byte);
        }
        Ok(())
    }
}

fn put(byte: u8) {
    // SAFETY: these are two registers of the board's PL011; with the MMU off, and in the loader's
    // map, they are device memory, and nobody else runs.
    unsafe {
        while ((BASE + FLAGS) as *const u32).read_volatile() & FLAGS_TRANSMIT_FULL != 0 {}
        ((BASE + DATA) as *mut u32).write_volatile(u32::from(byte));
    }
}
