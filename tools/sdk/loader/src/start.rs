// SPDX-License-Identifier: BSD-2-Clause
//! The first and the last instructions, and the exception vectors in between.

use core::arch::{asm, global_asm};

// x0.. are free until loader_main: QEMU's generic loader passes nothing.
global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "msr daifset, #0xf",
    "adrp x1, _stack_top",
    "add x1, x1, :lo12:_stack_top",
    "mov sp, x1",
    "mrs x0, CurrentEL",
    "lsr x0, x0, #2",
    "cmp x0, #1",
    "b.eq 2f",
    "cmp x0, #2",
    "b.eq 1f",
    "b loader_wrong_level",
    // EL2: leave it for good. EL1 is 64-bit and traps nothing; it has both timers; counters have
    // no offset.
    "1:",
    "mov x2, #(1 << 31)",
    "msr hcr_el2, x2",
    "mov x2, #3",
    "msr cnthctl_el2, x2",
    "msr cntvoff_el2, xzr",
    "mov x2, #0x33ff",
    "msr cptr_el2, x2",
    "msr hstr_el2, xzr",
    "msr vttbr_el2, xzr",
    "mrs x2, midr_el1",
    "msr vpidr_el2, x2",
    "mrs x2, mpidr_el1",
    "msr vmpidr_el2, x2",
    // A defined SCTLR_EL1 with the MMU off: RES1 bits only.
    "movz x2, #0x30d0, lsl #16",
    "movk x2, #0x0800",
    "msr sctlr_el1, x2",
    "msr sp_el1, x1",
    "adr x2, 2f",
    "msr elr_el2, x2",
    // EL1 with its own stack pointer, all exceptions masked.
    "mov x2, #0x3c5",
    "msr spsr_el2, x2",
    "eret",
    // EL1: vectors, and NEON, which the compiler may use to copy.
    "2:",
    "adrp x2, loader_vectors",
    "add x2, x2, :lo12:loader_vectors",
    "msr vbar_el1, x2",
    "mov x2, #(3 << 20)",
    "msr cpacr_el1, x2",
    "isb",
    "b loader_main",
    // Sixteen vectors of 128 bytes, all alike.
    ".balign 2048",
    "loader_vectors:",
    ".rept 16",
    ".balign 128",
    "mrs x0, esr_el1",
    "mrs x1, elr_el1",
    "mrs x2, far_el1",
    "b loader_exception",
    ".endr",
);

/// Jumps to the kernel with the arguments of its entry point.
///
/// # Safety
/// The kernel must be loaded and mapped at `kernel_entry`, and the root task loaded from
/// `root_start` to `root_end` (physical); `offset` is the root task's physical minus its virtual
/// address, `root_entry` is virtual.
pub unsafe fn enter_kernel(
    root_start: u64,
    root_end: u64,
    offset: u64,
    root_entry: u64,
    kernel_entry: u64,
) -> ! {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "br {kernel}",
            kernel = in(reg) kernel_entry,
            in("x0") root_start,
            in("x1") root_end,
            in("x2") offset,
            in("x3") root_entry,
            options(noreturn),
        )
    }
}

/// Stops the CPU.
pub fn halt() -> ! {
    loop {
        // SAFETY: waits; touches nothing.
        unsafe { asm!("wfe", options(nomem, nostack)) };
    }
}
