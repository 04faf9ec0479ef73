// SPDX-License-Identifier: BSD-2-Clause

//! Test `rights`, the child: each life tries something else that the system description does not
//! allow.

#![no_std]
#![no_main]

use core::arch::asm;
use core::ptr::with_exposed_provenance;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sdk_test_pds::{begin, rights_step, say, words};
use sel4_microkit::{Channel, MessageInfo, NullHandler, persistent, protection_domain};

/// With `notify="true"` and `pp="true"`, to the parent.
const PARENT: Channel = Channel::new(3);
/// With `notify="false"` and `pp="false"`, to the parent.
const NO_RIGHTS: Channel = Channel::new(4);
/// `stack_size` in the system description.
const STACK: usize = 0x3000;

persistent! {
    static STEP: AtomicU64 = AtomicU64::new(0);
}
static DATA: AtomicU64 = AtomicU64::new(0xd65f_03c0);
static RODATA: [u64; 2] = [1, 2];

#[protection_domain]
fn init() -> NullHandler {
    begin();
    let announced = words!(announced_vaddr);
    let region = words!(read_only_vaddr);
    assert!(
        region
            .iter()
            .all(|word| word.load(Relaxed) == 0x600d_600d_600d_600d)
    );
    DATA.store(0xd65f_03c0, Relaxed);

    let mut step = STEP.fetch_add(1, Relaxed);
    if step == rights_step::RECEIVE_ENDPOINT && sel4::KERNEL_MCS {
        // Microkit 2.3.0 gives a caller all rights to the callee's endpoint; later versions do not.
        step = STEP.fetch_add(1, Relaxed);
    }
    let top = sel4::IPC_BUFFER_ADDR - sel4::PAGE_SIZE;
    let address = match step {
        rights_step::WRITE_READ_ONLY | rights_step::EXECUTE_REGION => region.as_ptr().addr() + 256,
        rights_step::WRITE_TEXT => init as fn() -> NullHandler as usize,
        rights_step::WRITE_RODATA => (&raw const RODATA).addr(),
        rights_step::WRITE_BELOW_STACK => top - STACK - 8,
        rights_step::READ_ABOVE_STACK => top + 8,
        rights_step::READ_NULL => 0,
        rights_step::READ_KERNEL => 0xffff_ff80_0000_0000,
        rights_step::EXECUTE_DATA => (&raw const DATA).addr(),
        rights_step::RECEIVE_NOTIFICATION => 10 + PARENT.index(),
        rights_step::RECEIVE_ENDPOINT => 74 + PARENT.index(),
        _ => {
            without_effect();
            touch_whole_stack(top);
            PARENT.notify();
            return NullHandler::new();
        }
    };
    announced[rights_step::ADDRESS].store(address as u64, Relaxed);
    announced[rights_step::STEP].store(step, Relaxed);
    match step {
        rights_step::WRITE_READ_ONLY
        | rights_step::WRITE_TEXT
        | rights_step::WRITE_RODATA
        | rights_step::WRITE_BELOW_STACK => write(address),
        rights_step::EXECUTE_DATA | rights_step::EXECUTE_REGION => execute(address),
        rights_step::RECEIVE_NOTIFICATION | rights_step::RECEIVE_ENDPOINT => {
            let cap = sel4::cap::Endpoint::from_bits(address as u64);
            cap.recv(sel4::cap::Reply::from_bits(4));
        }
        _ => read(address),
    }
    panic!(
        "not refused: {} at {address:#x}",
        rights_step::NAMES[step as usize]
    );
}

fn write(address: usize) {
    // SAFETY: the access cannot succeed; that is the test.
    unsafe { asm!("strb wzr, [{}]", in(reg) address) };
}

fn execute(address: usize) {
    // SAFETY: as in `write`; if it did succeed, what stands there is a `ret` or what the parent
    // wrote, and the test fails in any case.
    unsafe { asm!("blr {0}", in(reg) address, out("lr") _, clobber_abi("C")) };
}

fn read(address: usize) {
    let value: u64;
    // SAFETY: as in `write`. In assembly, as the compiler knows that nothing can be read at address
    // 0.
    unsafe { asm!("ldr {0}, [{1}]", out(reg) value, in(reg) address) };
    say!("read {value:#x}");
}

/// What the kernel answers with an error, or not at all, because there is no such capability.
fn without_effect() {
    let request = || MessageInfo::new(0, 0).into_inner();
    let slots = [74 + NO_RIGHTS.index(), 10 + NO_RIGHTS.index(), 202, 138 + 1];
    for slot in slots {
        let cap = sel4::cap::Endpoint::from_bits(slot as u64);
        let error = cap.call(request()).label();
        assert_ne!(error, 0, "slot {slot} holds something");
        cap.nb_send(request());
    }
    say!("nothing in the slots of what it may not do");
}

/// All of the stack that the system description grants is there.
fn touch_whole_stack(top: usize) {
    for page in 0..STACK / sel4::PAGE_SIZE {
        let address = top - STACK + page * sel4::PAGE_SIZE;
        // SAFETY: the stack is mapped; reading does not change it.
        unsafe { with_exposed_provenance::<u64>(address).read_volatile() };
    }
    say!("the whole stack is there");
}
