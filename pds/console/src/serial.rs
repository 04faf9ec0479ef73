// SPDX-License-Identifier: BSD-2-Clause

//! The serial port: an Arm PL011.

use core::fmt;

use arm_pl011_uart::{
    DataBits, Interrupts, LineConfig, PL011Registers, Parity, StopBits, Uart, UniqueMmioPointer,
};
use pd_support::registers;

const BAUD_RATE: u32 = 115_200;
/// Clock of the UART in Hz on QEMU's `virt` machine, as its device tree has it.
const UART_CLOCK: u32 = 24_000_000;

/// The port; counts what goes out.
pub struct Serial {
    uart: Uart<'static>,
    written: u64,
}

impl Serial {
    /// Takes the port that the declaration gives to this PD and sets it up. To be called once.
    ///
    /// # Panics
    /// If it gives none.
    pub fn take() -> Self {
        // SAFETY: the program calls this function once.
        let mut uart = unsafe { uart() };
        let line = LineConfig {
            data_bits: DataBits::Bits8,
            parity: Parity::None,
            stop_bits: StopBits::One,
        };
        // It fails only for a rate that the clock cannot make; then the port works at the rate it
        // was left with.
        let _ = uart.enable(line, BAUD_RATE, UART_CLOCK);
        uart.set_interrupt_masks(Interrupts::empty());
        Self { uart, written: 0 }
    }

    /// The port as it was set up, in the middle of whatever was being written.
    ///
    /// # Safety
    /// The one that [`Serial::take`] gave is not used from now on.
    pub unsafe fn take_over() -> Self {
        // SAFETY: as the caller promises.
        let uart = unsafe { uart() };
        Self { uart, written: 0 }
    }

    /// Bytes written since this was last asked.
    pub fn take_written(&mut self) -> u64 {
        core::mem::take(&mut self.written)
    }

    fn write_byte(&mut self, byte: u8) {
        // While this PD waits, the clients run, which have the same priority.
        while self.uart.is_tx_fifo_full() {
            sel4::r#yield();
        }
        self.uart.write_word(byte);
        self.written += 1;
    }
}

/// The registers.
///
/// # Safety
/// What an earlier call gave is not used from now on.
unsafe fn uart() -> Uart<'static> {
    // SAFETY: the PL011's page is mapped there, as device memory, readable and writable, and into
    // no other PD (sysgen checks that); it is the PD's only device, and the caller promises that
    // nobody else uses it.
    Uart::new(unsafe { UniqueMmioPointer::new(registers::<PL011Registers>()) })
}

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.write_byte(byte);
        }
        Ok(())
    }
}

#[cfg(feature = "fault-injection")]
impl Serial {
    const INPUT: Interrupts = Interrupts::RXI.union(Interrupts::RTI);

    /// Lets the port interrupt when there is input.
    pub fn enable_input(&mut self) {
        self.uart.set_interrupt_masks(Self::INPUT);
    }

    /// Forgets the interrupts that have come; to be called before the input is read, so that none
    /// is lost.
    pub fn clear_interrupts(&mut self) {
        self.uart.clear_interrupts(Self::INPUT);
    }

    /// The next byte of input. A byte that arrived damaged is skipped.
    pub fn read_byte(&mut self) -> Option<u8> {
        loop {
            if let Ok(word) = self.uart.read_word() {
                return word;
            }
        }
    }
}
