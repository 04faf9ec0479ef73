// SPDX-License-Identifier: BSD-2-Clause

//! Test `restart`, the child: checks at each start that its memory is as it must be, then spoils it
//! without pause.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::arch::asm;
use core::array;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sdk_test_pds::{Words, begin, restart_page, words};
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, RESTARTED, get_mr, pd_name, persistent, protection_domain,
    restart_count, set_mr, var,
};

/// Calls there are answered with one more than they say.
const SERVER: Channel = Channel::new(1);
const WORDS: usize = 4096;

/// What word `i` of `DATA` is in the image: never 0.
const fn original(i: usize) -> u64 {
    (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

struct Data([AtomicU64; WORDS]);

static DATA: Data = {
    let mut words = [const { AtomicU64::new(0) }; WORDS];
    let mut i = 0;
    while i < WORDS {
        words[i] = AtomicU64::new(original(i));
        i += 1;
    }
    Data(words)
};
static BSS: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

persistent! {
    static LIVES: AtomicU64 = AtomicU64::new(7);
    static MARKS: [AtomicU64; 2] = [AtomicU64::new(11), AtomicU64::new(13)];
}

#[protection_domain(heap_size = 0x4_0000)]
fn init() -> NullHandler {
    begin();
    let page = words!(page_vaddr);
    check_memory();
    let lives = LIVES.fetch_add(1, Relaxed) + 1 - 7;
    page[restart_page::LIVES].store(lives, Relaxed);
    page[restart_page::COUNTED].store(restart_count(), Relaxed);
    spoil(page)
}

fn check_memory() {
    assert_eq!(pd_name(), Ok("victim"));
    assert_eq!(*var!(answer: usize = 0), 0x1000);
    for (i, word) in DATA.0.iter().enumerate() {
        assert_eq!(word.load(Relaxed), original(i), "word {i} of .data");
    }
    for (i, word) in BSS.iter().enumerate() {
        assert_eq!(word.load(Relaxed), 0, "word {i} of .bss");
    }
    assert_eq!(MARKS.each_ref().map(|mark| mark.load(Relaxed)), [11, 13]);
    let (fpcr, sp): (u64, usize);
    // SAFETY: reads two registers.
    unsafe {
        asm!("mrs {}, fpcr", "mov {}, sp", out(reg) fpcr, out(reg) sp, options(nomem, nostack))
    };
    assert_eq!(fpcr, 0, "rounding mode of the life before");
    let depth = sel4::IPC_BUFFER_ADDR - sel4::PAGE_SIZE - sp;
    assert!(depth < 0x2000, "stack pointer {depth} bytes below its top");
}

fn spoil(page: &Words) -> ! {
    let mut random = restart_count() + 1;
    // SAFETY: rounds upwards from here on, which no code of this PD minds.
    unsafe { asm!("msr fpcr, {}", in(reg) 1_u64 << 22, options(nomem, nostack)) };
    page[restart_page::READY].store(1, Relaxed);
    loop {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let i = (random >> 33) as usize % WORDS;
        DATA.0[i].store(random, Relaxed);
        BSS[i].store(random, Relaxed);
        let grown: Vec<u64> = (0..i as u64).collect();
        deeper(i % 32);
        set_mr(0, random);
        let answer = SERVER.pp_call(MessageInfo::new(1, 1));
        assert!(answer.label() != RESTARTED && get_mr(0) == random.wrapping_add(1));
        assert_eq!(grown.len(), i);
        page[restart_page::ROUNDS].fetch_add(1, Relaxed);
    }
}

/// Uses some stack.
fn deeper(levels: usize) -> u64 {
    let local: [u64; 8] = array::from_fn(|i| i as u64 + core::hint::black_box(1));
    let below = if levels > 0 { deeper(levels - 1) } else { 0 };
    local.iter().sum::<u64>() ^ below
}
