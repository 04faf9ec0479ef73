// SPDX-License-Identifier: BSD-2-Clause
//! The first instructions, and where the tool put the spec.

use core::arch::{asm, global_asm};

// x0 is the address of the boot information.
global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "adrp x1, _stack_top",
    "add x1, x1, :lo12:_stack_top",
    "mov sp, x1",
    "b initialiser_main",
);

/// Address and length of the spec; the `microkit` tool writes them into the finished image.
#[unsafe(no_mangle)]
#[used]
#[allow(non_upper_case_globals)]
static sdk_spec: [u64; 2] = [0; 2];

/// The spec as the tool put it behind the image; empty if it put none.
pub fn spec_bytes() -> &'static [u8] {
    // SAFETY: reads an initialised static; volatile because the value in the image is not the one
    // compiled here.
    let [address, len] = unsafe { (&raw const sdk_spec).read_volatile() };
    if address == 0 {
        return &[];
    }
    // SAFETY: the tool puts the spec into the root task's image, which the kernel maps as a whole
    // and nobody writes there.
    unsafe { core::slice::from_raw_parts(address as *const u8, len as usize) }
}

unsafe extern "C" {
    /// End of the monitor's stack; defined by initialiser.ld.
    static _monitor_stack_top: u8;
}

/// First stack pointer of the monitor's thread.
pub fn monitor_stack() -> u64 {
    &raw const _monitor_stack_top as u64
}

/// Gives the CPU to nobody in particular for a while; there is nothing left to do.
pub fn wait() {
    // SAFETY: waits for an event; touches nothing.
    unsafe { asm!("wfe", options(nomem, nostack)) };
}
