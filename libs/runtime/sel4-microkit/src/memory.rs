// SPDX-License-Identifier: BSD-2-Clause

//! `memcpy`, `memmove` and `memset`, to which the compiler turns copies and fills.
//!
//! The ones that come with Rust for a target without an operating system move a word of eight bytes
//! at a time and have many branches for what is short. A network server copies much, and most of it
//! is short. Here nothing has more than four branches but the loop over 64 bytes. What does not
//! fill a step is done by a last step that overlaps the one before. Only integer registers are
//! used, so that a PD that does not compute with floating-point numbers never needs the FPU, which
//! the kernel would have to switch. Symbols defined here win over Rust's, which are weak. Unaligned
//! access is permitted to normal memory.

use core::arch::global_asm;

global_asm!(
    r#"
    // x0: to, x1: from, x2: bytes. Also right if the ranges overlap and x0 is below x1: the last
    // bytes are loaded first, and each step loads before it stores, so that no store reaches what
    // is still to be loaded.
    .section .text.memcpy, "ax"
    .global memcpy
    .type memcpy, %function
    .balign 64
memcpy:
    cmp     x2, #16
    b.lo    .Lshort
    add     x4, x1, x2
    add     x5, x0, x2
    ldp     x6, x7, [x4, #-16]
    mov     x3, x0
    subs    x2, x2, #64
    b.lo    2f
1:  ldp     x8, x9, [x1]
    ldp     x10, x11, [x1, #16]
    ldp     x12, x13, [x1, #32]
    ldp     x14, x15, [x1, #48]
    add     x1, x1, #64
    stp     x8, x9, [x3]
    stp     x10, x11, [x3, #16]
    stp     x12, x13, [x3, #32]
    stp     x14, x15, [x3, #48]
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f                  // the low bits are those of the rest
    ldp     x8, x9, [x1]
    ldp     x10, x11, [x1, #16]
    add     x1, x1, #32
    stp     x8, x9, [x3]
    stp     x10, x11, [x3, #16]
    add     x3, x3, #32
3:  tbz     x2, #4, 4f
    ldp     x8, x9, [x1]
    stp     x8, x9, [x3]
4:  stp     x6, x7, [x5, #-16]
    ret

    // Fewer than 16 bytes, overlapping in any way: all loads come before the stores.
.Lshort:
    add     x4, x1, x2
    add     x5, x0, x2
    tbz     x2, #3, 5f
    ldr     x6, [x1]
    ldr     x7, [x4, #-8]
    str     x6, [x0]
    str     x7, [x5, #-8]
    ret
5:  tbz     x2, #2, 6f
    ldr     w6, [x1]
    ldr     w7, [x4, #-4]
    str     w6, [x0]
    str     w7, [x5, #-4]
    ret
6:  tbz     x2, #1, 7f
    ldrh    w6, [x1]
    ldrb    w7, [x4, #-1]
    strh    w6, [x0]
    strb    w7, [x5, #-1]
    ret
7:  tbz     x2, #0, 8f
    ldrb    w6, [x1]
    strb    w6, [x0]
8:  ret
    .size memcpy, . - memcpy

    // As memcpy, or backwards if the target begins inside of the source: then the first bytes are
    // loaded first.
    .section .text.memmove, "ax"
    .global memmove
    .type memmove, %function
    .balign 64
memmove:
    sub     x3, x0, x1
    cmp     x3, x2
    b.hs    memcpy
    cmp     x2, #16
    b.lo    .Lshort
    ldp     x6, x7, [x1]
    add     x1, x1, x2
    add     x3, x0, x2
    subs    x2, x2, #64
    b.lo    2f
1:  ldp     x8, x9, [x1, #-16]
    ldp     x10, x11, [x1, #-32]
    ldp     x12, x13, [x1, #-48]
    ldp     x14, x15, [x1, #-64]
    sub     x1, x1, #64
    stp     x8, x9, [x3, #-16]
    stp     x10, x11, [x3, #-32]
    stp     x12, x13, [x3, #-48]
    stp     x14, x15, [x3, #-64]
    sub     x3, x3, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    ldp     x8, x9, [x1, #-16]
    ldp     x10, x11, [x1, #-32]
    sub     x1, x1, #32
    stp     x8, x9, [x3, #-16]
    stp     x10, x11, [x3, #-32]
    sub     x3, x3, #32
3:  tbz     x2, #4, 4f
    ldp     x8, x9, [x1, #-16]
    stp     x8, x9, [x3, #-16]
4:  stp     x6, x7, [x0]
    ret
    .size memmove, . - memmove

    // x0: to, w1: the byte, x2: bytes
    .section .text.memset, "ax"
    .global memset
    .type memset, %function
    .balign 64
memset:
    and     x1, x1, #0xff
    mov     x3, #0x0101010101010101
    mul     x1, x1, x3
    mov     x3, x0
    add     x5, x0, x2
    cmp     x2, #16
    b.lo    5f
    subs    x2, x2, #64
    b.lo    2f
1:  stp     x1, x1, [x3]
    stp     x1, x1, [x3, #16]
    stp     x1, x1, [x3, #32]
    stp     x1, x1, [x3, #48]
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    stp     x1, x1, [x3]
    stp     x1, x1, [x3, #16]
    add     x3, x3, #32
3:  tbz     x2, #4, 4f
    stp     x1, x1, [x3]
4:  stp     x1, x1, [x5, #-16]
    ret
5:  tbz     x2, #3, 6f
    str     x1, [x0]
    str     x1, [x5, #-8]
    ret
6:  tbz     x2, #2, 7f
    str     w1, [x0]
    str     w1, [x5, #-4]
    ret
7:  tbz     x2, #1, 8f
    strh    w1, [x0]
    strb    w1, [x5, #-1]
    ret
8:  tbz     x2, #0, 9f
    strb    w1, [x0]
9:  ret
    .size memset, . - memset
    .text
    "#
);
