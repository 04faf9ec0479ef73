// SPDX-License-Identifier: BSD-2-Clause

//! The instructions of `_start`; `start.rs` says what they do and why.

use core::arch::global_asm;
use core::sync::atomic::AtomicU64;

use super::STACK_TOP;
use crate::last_words::{BACKUP_DAMAGED, STATE_OVERWRITTEN};
use crate::persistent;

/// `STATE` after the backup of `.data`: a value that stray writes are unlikely to leave.
const BACKED_UP: u64 = 0x4953_5448_4d55_5332;

persistent! {
    static STATE: AtomicU64 = AtomicU64::new(0);
    static CHECKSUM: AtomicU64 = AtomicU64::new(0);
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
    cbz     x9, 1f                      // first start: from .data to the backup
    cmp     x9, x12
    b.eq    .Lrestart
    ldr     x0, ={state_overwritten}    // STATE is neither value
    udf     #0
.Lrestart:                              // from the backup to .data
    mov     x1, x13
    mov     x13, x15
    mov     x15, x1

1:  mov     x0, x12                     // checksum, not 0 for zeros
    mov     x1, xzr                     // offset
2:  cmp     x1, x16
    b.hs    3f
    add     x2, x13, x1
    ldp     x3, x4, [x2]
    add     x2, x15, x1
    stp     x3, x4, [x2]
    eor     x0, x3, x0, ror #63
    eor     x0, x4, x0, ror #63
    add     x1, x1, #16
    b       2b
3:  cbnz    x9, 4f
    str     x0, [x11]
    str     x12, [x10]                  // from here on a start is a restart
    b       .Lrust
4:  ldr     x2, [x11]
    cmp     x0, x2
    b.eq    5f
    ldr     x0, ={backup_damaged}
    udf     #0

5:  adrp    x1, __bss_start
    add     x1, x1, :lo12:__bss_start
    adrp    x2, __bss_end
    add     x2, x2, :lo12:__bss_end
6:  cmp     x1, x2
    b.hs    7f
    stp     xzr, xzr, [x1], #16
    b       6b

7:
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
    state_overwritten = const STATE_OVERWRITTEN,
    backup_damaged = const BACKUP_DAMAGED,
    state = sym STATE,
    checksum = sym CHECKSUM,
    restarts = sym super::RESTARTS,
    entry = sym crate::entry::entry,
    park = sym crate::entry::park,
);
