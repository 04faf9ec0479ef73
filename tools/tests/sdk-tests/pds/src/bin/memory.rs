// SPDX-License-Identifier: BSD-2-Clause

//! Test `memory`: the runtime's copies and fills against loops, for all small sizes, alignments and
//! overlaps; and how fast they are.

#![no_std]
#![no_main]

use core::arch::asm;
use core::hint::black_box;
use core::ptr;

use sdk_test_pds::{begin, say, timer};
use sel4_microkit::{NullHandler, protection_domain};

const SIZE: usize = 400;
type Bytes = [u8; SIZE];

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let mut cases = 0;
    for len in 0..=200 {
        for (from, to) in [
            (0, 100),
            (1, 100),
            (100, 0),
            (100, 3),
            (5, 6),
            (6, 5),
            (7, 60),
            (60, 7),
            (8, 8),
            (190, 33),
        ] {
            check_move(from, to, len);
            check_fill(to, len);
            if from.abs_diff(to) >= len {
                check_copy(from, to, len);
            }
            cases += 1;
        }
    }
    say!("{cases} copies and fills are right");
    let (ours, loops) = (rate(copy), rate(byte_by_byte));
    say!("1500 bytes in {ours} ns, byte by byte in {loops} ns");
    assert!(ours < loops);
    NullHandler::new()
}

fn pattern() -> Bytes {
    let mut bytes = [0; SIZE];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = (i * 31 + i / 256) as u8;
    }
    bytes
}

/// What a move of `len` bytes makes of the pattern.
fn moved(from: usize, to: usize, len: usize) -> Bytes {
    let before = pattern();
    let mut after = before;
    for i in 0..len {
        after[to + i] = before[from + i];
        // Or the compiler sees the move and makes a call of it.
        keep(&after);
    }
    after
}

fn check_move(from: usize, to: usize, len: usize) {
    let mut bytes = pattern();
    // SAFETY: both ranges lie in the array.
    unsafe {
        ptr::copy(
            bytes.as_ptr().add(black_box(from)),
            bytes.as_mut_ptr().add(black_box(to)),
            black_box(len),
        )
    };
    assert!(
        bytes == moved(from, to, len),
        "move of {len} from {from} to {to}"
    );
}

fn check_copy(from: usize, to: usize, len: usize) {
    let mut bytes = pattern();
    let start = bytes.as_mut_ptr();
    // SAFETY: both ranges lie in the array, and do not overlap.
    unsafe {
        ptr::copy_nonoverlapping(
            start.add(black_box(from)),
            start.add(black_box(to)),
            black_box(len),
        )
    };
    assert!(
        bytes == moved(from, to, len),
        "copy of {len} from {from} to {to}"
    );
}

fn check_fill(to: usize, len: usize) {
    let mut bytes = pattern();
    bytes[black_box(to)..black_box(to + len)].fill(black_box(0xa5));
    let before = pattern();
    for (i, byte) in bytes.iter().enumerate() {
        let inside = (to..to + len).contains(&i);
        assert_eq!(
            *byte,
            if inside { 0xa5 } else { before[i] },
            "fill of {len} at {to}, byte {i}"
        );
    }
}

/// Makes the compiler keep what is in memory.
fn keep<T>(value: &T) {
    // SAFETY: no instruction.
    unsafe { asm!("/* {} */", in(reg) value, options(nostack, preserves_flags)) };
}

/// Nanoseconds for a copy of 1500 bytes.
fn rate(how: fn(&[u8; 1500], &mut [u8; 1500])) -> u64 {
    const TIMES: u64 = 2000;
    let from = black_box([7; 1500]);
    let mut to = [0; 1500];
    let start = timer::now();
    for _ in 0..TIMES {
        how(&from, &mut to);
        keep(&to);
    }
    (timer::now() - start) * 1_000_000_000 / timer::frequency() / TIMES
}

#[inline(never)]
fn copy(from: &[u8; 1500], to: &mut [u8; 1500]) {
    to[..black_box(1500)].copy_from_slice(from);
}

#[inline(never)]
fn byte_by_byte(from: &[u8; 1500], to: &mut [u8; 1500]) {
    for (to, from) in to.iter_mut().zip(from) {
        // SAFETY: references; volatile, so that it stays a loop.
        unsafe { ptr::from_mut(to).write_volatile(*from) };
    }
}
