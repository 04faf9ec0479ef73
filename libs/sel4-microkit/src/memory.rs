// SPDX-License-Identifier: BSD-2-Clause

//! `memcpy`, `memmove` and `memset`, to which the compiler turns copies and fills.
//!
//! The ones that come with Rust for a target without an operating system move a word of eight bytes at a time. A network server copies much:
//! these move 64 bytes with seven instructions. Symbols defined here win over Rust's, which are weak. Unaligned access is permitted to normal memory.

use core::arch::global_asm;

global_asm!(
    r#"
    // x0: to, x1: from, x2: bytes. Also right if the ranges overlap and x0 is below x1: each step loads before it stores, and no store of
    // a step reaches what a later one loads.
    .section .text.memcpy, "ax"
    .global memcpy
    .type memcpy, %function
    .balign 16
memcpy:
    mov     x3, x0
    subs    x4, x2, #64
    b.lo    2f
1:  ldp     q0, q1, [x1], #32
    ldp     q2, q3, [x1], #32
    stp     q0, q1, [x3], #32
    stp     q2, q3, [x3], #32
    subs    x4, x4, #64
    b.hs    1b
2:  tbz     x4, #5, 3f                  // the low bits are those of the rest
    ldp     q0, q1, [x1], #32
    stp     q0, q1, [x3], #32
3:  tbz     x4, #4, 4f
    ldr     q0, [x1], #16
    str     q0, [x3], #16
4:  tbz     x4, #3, 5f
    ldr     x5, [x1], #8
    str     x5, [x3], #8
5:  tbz     x4, #2, 6f
    ldr     w5, [x1], #4
    str     w5, [x3], #4
6:  tbz     x4, #1, 7f
    ldrh    w5, [x1], #2
    strh    w5, [x3], #2
7:  tbz     x4, #0, 8f
    ldrb    w5, [x1]
    strb    w5, [x3]
8:  ret
    .size memcpy, . - memcpy

    // Backwards if the target begins inside of the source, else as memcpy.
    .section .text.memmove, "ax"
    .global memmove
    .type memmove, %function
    .balign 16
memmove:
    sub     x3, x0, x1
    cmp     x3, x2
    b.hs    memcpy
    add     x3, x0, x2
    add     x1, x1, x2
    subs    x4, x2, #64
    b.lo    2f
1:  ldp     q0, q1, [x1, #-32]!
    ldp     q2, q3, [x1, #-32]!
    stp     q0, q1, [x3, #-32]!
    stp     q2, q3, [x3, #-32]!
    subs    x4, x4, #64
    b.hs    1b
2:  tbz     x4, #5, 3f
    ldp     q0, q1, [x1, #-32]!
    stp     q0, q1, [x3, #-32]!
3:  tbz     x4, #4, 4f
    ldr     q0, [x1, #-16]!
    str     q0, [x3, #-16]!
4:  tbz     x4, #3, 5f
    ldr     x5, [x1, #-8]!
    str     x5, [x3, #-8]!
5:  tbz     x4, #2, 6f
    ldr     w5, [x1, #-4]!
    str     w5, [x3, #-4]!
6:  tbz     x4, #1, 7f
    ldrh    w5, [x1, #-2]!
    strh    w5, [x3, #-2]!
7:  tbz     x4, #0, 8f
    ldrb    w5, [x1, #-1]
    strb    w5, [x3, #-1]
8:  ret
    .size memmove, . - memmove

    // x0: to, w1: the byte, x2: bytes
    .section .text.memset, "ax"
    .global memset
    .type memset, %function
    .balign 16
memset:
    dup     v0.16b, w1
    mov     x3, x0
    subs    x4, x2, #64
    b.lo    2f
1:  stp     q0, q0, [x3], #32
    stp     q0, q0, [x3], #32
    subs    x4, x4, #64
    b.hs    1b
2:  tbz     x4, #5, 3f
    stp     q0, q0, [x3], #32
3:  tbz     x4, #4, 4f
    str     q0, [x3], #16
4:  tbz     x4, #3, 5f
    str     d0, [x3], #8
5:  tbz     x4, #2, 6f
    str     s0, [x3], #4
6:  tbz     x4, #1, 7f
    str     h0, [x3], #2
7:  tbz     x4, #0, 8f
    str     b0, [x3]
8:  ret
    .size memset, . - memset
    .text
    "#
);
