// SPDX-License-Identifier: BSD-2-Clause

//! The first instructions of a PD, at its first start and at every restart.
//!
//! A parent may restart a PD at any instruction (`Child::restart`), also in the middle of this
//! file. Only the program counter is then known; all else is what the interrupted code left:
//! registers, stack pointer, `.data`, `.bss`.
//!
//! What makes that safe, step by step:
//! 1. The stack pointer is set before anything else, and no stack is used before Rust code runs.
//! 2. At the first start `.data` is as linked and `.bss` is zero (Microkit's initialiser), because
//!    no Rust code has run. `.data` is copied to `.data_backup`, its checksum is stored, and *then*
//!    `STATE` is set. A restart before that finds `STATE` still 0 and does the same copy again, of
//!    a `.data` that is still as linked. One thread on one core: what is stored first is seen
//!    first.
//! 3. At a restart (`STATE` is [`BACKED_UP`]) the backup is checked, `.data` is copied from it and
//!    `.bss` cleared. A restart inside of that starts it anew; nothing it reads is changed by it.
//! 4. A backup with a wrong checksum, or a `STATE` that is neither value, means that the PD
//!    overwrote its own memory in a way that cannot be repaired: it stops at an undefined
//!    instruction, with the reason in x0, and its parent sees the fault.
//!
//! The image begins with a table of jumps, so that a parent knows without symbols where to send the
//! child: start, park, hang.
//!
//! `.microkit.vars` is in a segment that the PD cannot write, `.persistent` is left alone, and
//! `.noinit` belongs to whoever uses it.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::persistent;

/// Where execution starts and restarts: the start of the image, by `microkit-pd.ld`. A parent
/// passes it to [`Child::restart`](crate::Child::restart). Not upstream.
pub const ENTRY_POINT: usize = 0x20_0000;

/// Where a parent sends a child that it does not want to start yet. There the child answers each
/// call, the one it was caught in first, with [`RESTARTED`](crate::RESTARTED), drops signals, and
/// does nothing else. It uses none of its data, so a child that has spoilt its own memory answers,
/// too. A restart at [`ENTRY_POINT`] ends it. Not upstream.
pub const PARK_POINT: usize = ENTRY_POINT + 4;

/// An instruction that jumps to itself, for tests of a parent that watches its children.
/// Not upstream.
pub const HANG_POINT: usize = ENTRY_POINT + 8;

/// The stack's upper end: below the IPC buffer and a guard page (Microkit 2.3).
const STACK_TOP: usize = sel4::IPC_BUFFER_ADDR - sel4::PAGE_SIZE;

/// `STATE` after the backup of `.data`: a value that stray writes are unlikely to leave.
const BACKED_UP: u64 = 0x4953_5448_4d55_5332;

persistent! {
    static STATE: AtomicU64 = AtomicU64::new(0);
    static CHECKSUM: AtomicU64 = AtomicU64::new(0);
    static RESTARTS: AtomicU64 = AtomicU64::new(0);
}

/// How many times the PD has been restarted since the system booted. Not upstream.
pub fn restart_count() -> u64 {
    RESTARTS.load(Ordering::Relaxed)
}

/// Rounding mode and flags as at the first start, for programs that use the FPU.
#[cfg(target_feature = "neon")]
macro_rules! reset_fpu {
    () => {
        "msr fpcr, xzr
         msr fpsr, xzr"
    };
}
#[cfg(not(target_feature = "neon"))]
macro_rules! reset_fpu {
    () => {
        ""
    };
}

global_asm!(
    r#"
    .section .text.start, "ax"
    .global _start
    .type _start, %function
_start:
    b       .Lstart                     // ENTRY_POINT
    b       .Lpark                      // PARK_POINT
    b       .                           // HANG_POINT

.Lpark:
    ldr     x0, ={stack_top}
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr
    b       {park}

.Lstart:
    ldr     x0, ={stack_top}
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr

    adrp    x10, {state}
    add     x10, x10, :lo12:{state}
    adrp    x11, {checksum}
    add     x11, x11, :lo12:{checksum}
    ldr     x12, ={backed_up}
    adrp    x13, __data_start
    add     x13, x13, :lo12:__data_start
    adrp    x14, __data_end
    add     x14, x14, :lo12:__data_end
    adrp    x15, __data_backup_start
    add     x15, x15, :lo12:__data_backup_start
    sub     x16, x14, x13               // bytes of .data

    ldr     x9, [x10]
    cbz     x9, .Lfirst_start
    cmp     x9, x12
    b.eq    .Lrestart
    mov     x0, #1                      // STATE is neither value
    udf     #0

.Lfirst_start:
    mov     x0, x12                     // checksum, not 0 for zeros
    mov     x1, xzr                     // offset
1:  cmp     x1, x16
    b.hs    2f
    add     x2, x13, x1
    ldp     x3, x4, [x2]
    add     x2, x15, x1
    stp     x3, x4, [x2]
    eor     x0, x3, x0, ror #63
    eor     x0, x4, x0, ror #63
    add     x1, x1, #16
    b       1b
2:  str     x0, [x11]
    str     x12, [x10]                  // from here on a start is a restart
    b       .Lrust

.Lrestart:
    mov     x0, x12
    mov     x1, xzr
3:  cmp     x1, x16
    b.hs    4f
    add     x2, x15, x1
    ldp     x3, x4, [x2]
    eor     x0, x3, x0, ror #63
    eor     x0, x4, x0, ror #63
    add     x1, x1, #16
    b       3b
4:  ldr     x2, [x11]
    cmp     x0, x2
    b.eq    5f
    mov     x0, #2                      // the backup of .data is damaged
    udf     #0

5:  mov     x1, xzr
6:  cmp     x1, x16
    b.hs    7f
    add     x2, x15, x1
    ldp     x3, x4, [x2]
    add     x2, x13, x1
    stp     x3, x4, [x2]
    add     x1, x1, #16
    b       6b

7:  adrp    x1, __bss_start
    add     x1, x1, :lo12:__bss_start
    adrp    x2, __bss_end
    add     x2, x2, :lo12:__bss_end
8:  cmp     x1, x2
    b.hs    9f
    stp     xzr, xzr, [x1], #16
    b       8b

9:
    "#,
    reset_fpu!(),
    r#"
    adrp    x1, {restarts}
    add     x1, x1, :lo12:{restarts}
    ldr     x2, [x1]
    add     x2, x2, #1
    str     x2, [x1]

.Lrust:
    b       {entry}
    .size _start, . - _start
    .ltorg
    .text
    "#,
    stack_top = const STACK_TOP,
    backed_up = const BACKED_UP,
    state = sym STATE,
    checksum = sym CHECKSUM,
    restarts = sym RESTARTS,
    entry = sym crate::entry::entry,
    park = sym crate::entry::park,
);
