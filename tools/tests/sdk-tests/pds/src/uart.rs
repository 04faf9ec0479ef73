// SPDX-License-Identifier: BSD-2-Clause

//! Output on the PL011, which every test PD maps.

use core::fmt::{self, Write};
use core::ptr::NonNull;

use sel4_microkit::memory_region_symbol;

/// Data and flag registers (ARM DDI 0183, section 3.2); bit 5 of the flags: transmit FIFO full.
const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const TRANSMIT_FULL: u32 = 1 << 5;

struct Uart(NonNull<u8>);

impl Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the system description maps the device's registers there.
            unsafe {
                while self.0.add(FLAGS).cast::<u32>().read_volatile() & TRANSMIT_FULL != 0 {}
                self.0.add(DATA).cast::<u32>().write_volatile(byte.into());
            }
        }
        Ok(())
    }
}

/// For `say!`.
#[doc(hidden)]
pub fn print(text: fmt::Arguments<'_>) {
    let mut uart = Uart(memory_region_symbol!(uart_vaddr: *mut u8));
    // Writing to the device does not fail.
    let _ = writeln!(uart, "{}: {text}", crate::name());
}
