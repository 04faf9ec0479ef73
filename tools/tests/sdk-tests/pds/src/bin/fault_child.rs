// SPDX-License-Identifier: BSD-2-Clause

//! Test `fault`, the child: each life makes another fault.

#![no_std]
#![no_main]

use core::arch::asm;
use core::fmt;
use core::hint;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sdk_test_pds::{Words, begin, fault_step, say, words};
use sel4_microkit::{
    Channel, ChannelSet, Handler, panicking, persistent, protection_domain, restart_count,
};

const PARENT: Channel = Channel::new(9);
/// Sends signals back: the handler is to fail, and `init` is not yet in it.
const REFLECTOR: Channel = Channel::new(10);
const NOTHING: usize = 0x7000_0008;

persistent! {
    static STEP: AtomicU64 = AtomicU64::new(0);
}

struct Child {
    announced: &'static Words,
    /// End the PD at the next signal.
    fail: bool,
}

#[derive(Debug)]
struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("on purpose")
    }
}

#[protection_domain]
fn init() -> Child {
    begin();
    let announced = words!(announced_vaddr);
    loop {
        let step = STEP.load(Relaxed) + 1;
        STEP.store(step, Relaxed);
        let announce = |address: u64| {
            announced[fault_step::ADDRESS].store(address, Relaxed);
            announced[fault_step::STEP].store(step, Relaxed);
        };
        announce(NOTHING as u64);
        let fail = match step {
            // SAFETY: it is the point of this test that the kernel catches it; the same below.
            fault_step::READ => unsafe {
                ptr::with_exposed_provenance::<u64>(NOTHING).read_volatile();
                false
            },
            // SAFETY: the write, too, is there to be caught by the kernel.
            fault_step::WRITE => unsafe {
                ptr::with_exposed_provenance_mut::<u64>(NOTHING).write_volatile(1);
                false
            },
            fault_step::UNDEFINED => undefined_instruction(announce),
            fault_step::NO_CAP => no_capability(announce),
            fault_step::UNKNOWN_SYSCALL => {
                unknown_syscall(announce);
                say!("the call was answered");
                continue;
            }
            fault_step::PANIC => panic!("a message on purpose"),
            fault_step::HOOK => {
                panicking::set_hook(&|_| panic!("inside of the hook"));
                panic!("the first")
            }
            fault_step::OVERFLOW => deep(step) == 0,
            fault_step::ERROR => {
                REFLECTOR.notify();
                true
            }
            _ => {
                // One fault was answered, all others were restarts.
                assert_eq!(restart_count(), step - 2);
                PARENT.notify();
                false
            }
        };
        return Child { announced, fail };
    }
}

fn undefined_instruction(announce: impl Fn(u64)) -> bool {
    let address: u64;
    // SAFETY: takes the address of the next instruction.
    unsafe { asm!("adr {0}, 2f", "b 3f", "2: udf #1", "3:", out(reg) address) };
    announce(address);
    // SAFETY: jumps to the undefined instruction above.
    unsafe { asm!("br {0}", in(reg) address, options(noreturn)) }
}

/// Takes more stack than there is.
#[inline(never)]
fn deep(depth: u64) -> u64 {
    let frame = hint::black_box([depth; 100]);
    if depth == u64::MAX {
        return 0;
    }
    deep(depth + 1) + frame[0]
}

fn no_capability(announce: impl Fn(u64)) -> bool {
    const EMPTY_SLOT: u64 = 457;
    announce(EMPTY_SLOT);
    let nothing = sel4::cap::Endpoint::from_bits(EMPTY_SLOT);
    nothing.recv(sel4::cap::Reply::from_bits(4));
    panic!("received from nothing");
}

fn unknown_syscall(announce: impl Fn(u64)) {
    const NUMBER: u64 = 0x1234;
    announce(NUMBER);
    // SAFETY: the parent answers with the registers as they are.
    unsafe { asm!("svc #0", in("x7") NUMBER, options(nostack)) };
}

impl Handler for Child {
    type Error = Failure;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Failure> {
        if self.fail {
            return Err(Failure);
        }
        self.announced[fault_step::TURNS].fetch_add(1, Relaxed);
        PARENT.notify();
        Ok(())
    }
}
