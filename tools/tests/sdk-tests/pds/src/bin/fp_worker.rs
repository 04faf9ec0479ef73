// SPDX-License-Identifier: BSD-2-Clause

//! Test `fp`: two PDs of this program and of the same priority keep all their floating-point
//! registers full, while the kernel switches between them.

#![no_std]
#![no_main]

use core::arch::asm;
use core::sync::atomic::Ordering::Relaxed;

use sdk_test_pds::{begin, fp_page, timer, words};
use sel4_microkit::{Channel, NullHandler, protection_domain, var};

/// Long enough for many time slices of either kernel.
const RUN_US: u64 = 400_000;

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let own = words!(own_vaddr);
    let other = words!(other_vaddr);
    // 1 or 2, and the channel to the judge.
    let id = *var!(id: u64 = 0);
    // Rounding upwards in one, downwards in the other.
    let rounding = id << 22;
    // SAFETY: no other code of this PD minds the rounding mode.
    unsafe { asm!("msr fpcr, {}", in(reg) rounding, options(nomem, nostack)) };

    let end = timer::now() + timer::microseconds(RUN_US);
    let (mut switches, mut wrong, mut sum) = (0, 0, 0.0_f64);
    let mut seen = other[fp_page::TURNS].load(Relaxed);
    let mut turns = 0_u64;
    while timer::now() < end {
        let seed = id << 56 | turns << 8;
        wrong += registers_changed(seed);
        sum += 1.0 / 3.0;
        turns += 1;
        own[fp_page::TURNS].store(turns, Relaxed);
        let now_seen = other[fp_page::TURNS].load(Relaxed);
        if now_seen != seen {
            switches += 1;
            seen = now_seen;
        }
    }
    let fpcr: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack)) };
    wrong += u64::from(fpcr != rounding);
    // The sum of that many thirds, rounded all the way in one direction.
    let exact = turns as f64 / 3.0;
    let in_direction = if id == 1 { sum >= exact } else { sum <= exact };
    wrong += u64::from(!in_direction || (sum - exact).abs() > exact / 1e6);

    own[fp_page::SWITCHES].store(switches, Relaxed);
    own[fp_page::WRONG].store(wrong, Relaxed);
    Channel::new(id as usize).notify();
    NullHandler::new()
}

/// Fills all vector registers, passes some time in user mode, and counts those that changed.
fn registers_changed(seed: u64) -> u64 {
    let mut values = [[0_u64; 2]; 32];
    for (i, value) in values.iter_mut().enumerate() {
        *value = [seed + i as u64, !(seed + i as u64)];
    }
    let expected = values;
    // SAFETY: loads the registers from the array and stores them to it again; all of them are
    // declared.
    unsafe {
        asm!(
            "ldp q0, q1, [{v}]", "ldp q2, q3, [{v}, #32]", "ldp q4, q5, [{v}, #64]", "ldp q6, q7, [{v}, #96]",
            "ldp q8, q9, [{v}, #128]", "ldp q10, q11, [{v}, #160]", "ldp q12, q13, [{v}, #192]", "ldp q14, q15, [{v}, #224]",
            "ldp q16, q17, [{v}, #256]", "ldp q18, q19, [{v}, #288]", "ldp q20, q21, [{v}, #320]", "ldp q22, q23, [{v}, #352]",
            "ldp q24, q25, [{v}, #384]", "ldp q26, q27, [{v}, #416]", "ldp q28, q29, [{v}, #448]", "ldp q30, q31, [{v}, #480]",
            "2: subs {n}, {n}, #1",
            "b.ne 2b",
            "stp q0, q1, [{v}]", "stp q2, q3, [{v}, #32]", "stp q4, q5, [{v}, #64]", "stp q6, q7, [{v}, #96]",
            "stp q8, q9, [{v}, #128]", "stp q10, q11, [{v}, #160]", "stp q12, q13, [{v}, #192]", "stp q14, q15, [{v}, #224]",
            "stp q16, q17, [{v}, #256]", "stp q18, q19, [{v}, #288]", "stp q20, q21, [{v}, #320]", "stp q22, q23, [{v}, #352]",
            "stp q24, q25, [{v}, #384]", "stp q26, q27, [{v}, #416]", "stp q28, q29, [{v}, #448]", "stp q30, q31, [{v}, #480]",
            v = in(reg) values.as_mut_ptr(),
            n = inout(reg) 2000_u64 => _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _, out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nostack),
        );
    }
    values.iter().zip(&expected).filter(|(a, b)| a != b).count() as u64
}
