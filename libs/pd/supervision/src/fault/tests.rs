// SPDX-License-Identifier: BSD-2-Clause

use super::*;
use sel4::{IpcBuffer, MessageInfo};

/// A fault message, as both the kernel and a child can send it.
fn fault(label: u64, words: &[u64]) -> Fault {
    sel4::with_ipc_buffer_mut(|buffer: &mut IpcBuffer| {
        buffer.msg_regs_mut()[..words.len()].copy_from_slice(words);
        Fault::new(buffer, &MessageInfo::new(label, 0, 0, words.len()))
    })
}

/// A memory fault of the kernel that the host's build is for.
fn vm(address: u64, is_prefetch: bool, syndrome: u64) -> Fault {
    fault(6, &[0x20_1234, address, is_prefetch.into(), syndrome])
}

fn registers(sp: u64) -> UserContext {
    let mut registers = UserContext::default();
    *registers.pc_mut() = 0x20_1234;
    *registers.sp_mut() = sp;
    *registers.gpr_mut(30) = 0x20_4567;
    registers
}

/// Data abort from a lower level, WnR, translation fault at level 3.
const STORE_TO_NOTHING: u64 = 0x9200_0047;

fn told(fault: Fault) -> String {
    FaultReport::of_fault(fault, None).to_string()
}

#[test]
fn memory_faults_say_what_was_tried_and_why_it_failed() {
    assert_eq!(
        told(vm(0x10, false, STORE_TO_NOTHING)),
        "memory fault, data write at 0x10 (not mapped)"
    );
    assert_eq!(
        told(vm(0x10, false, 0x9200_000f)),
        "memory fault, data read at 0x10 (not permitted)"
    );
    assert_eq!(
        told(vm(0x10, true, 0x8200_0006)),
        "memory fault, instruction fetch at 0x10 (not mapped)"
    );
}

#[test]
fn the_place_is_told_where_the_registers_are_known() {
    let report = FaultReport::of_fault(vm(0x10, false, STORE_TO_NOTHING), Some(&registers(0x7000)));
    assert_eq!(
        report.to_string(),
        "memory fault, data write at 0x10 (not mapped), pc 0x201234, lr 0x204567, sp 0x7000"
    );
}

#[test]
fn a_stack_overflow_is_named_with_the_size_of_the_stack() {
    let top = STACK_TOP as u64;
    let cause = |address, sp, syndrome| {
        FaultReport::of_fault(vm(address, false, syndrome), Some(&registers(sp))).cause
    };
    let overflow = |size| Cause::StackOverflow { size };
    for size in [0x1000, 0x2000, LARGEST_STACK] {
        // A probe at the stack pointer, and registers stored below it.
        let bottom = top - size;
        let probe = cause(bottom - 0x100, bottom - 0x100, STORE_TO_NOTHING);
        assert_eq!(probe, overflow(size));
        assert_eq!(cause(bottom - 16, bottom, STORE_TO_NOTHING), overflow(size));
    }
    let size = 0x4000;
    let report = FaultReport::new(overflow(size), None).to_string();
    assert_eq!(report, "stack overflow, stack_size=0x4000 is too small");

    let fault = |address, sp, syndrome| {
        assert!(matches!(cause(address, sp, syndrome), Cause::Fault(_)));
    };
    // Far from the stack pointer, above the stack, without a stack, not permitted.
    fault(top - size - 16, top - 0x100, STORE_TO_NOTHING);
    fault(top + 16, top - 16, STORE_TO_NOTHING);
    fault(top - 16, top, STORE_TO_NOTHING);
    fault(0x10, 0x20, STORE_TO_NOTHING);
    fault(u64::MAX, u64::MAX, STORE_TO_NOTHING);
    fault(top - size - 16, top - size, 0x9200_004f);
}

#[test]
fn other_faults() {
    assert_eq!(told(fault(1, &[4, 0x4a])), "no capability at 0x4a");
    let exception = |syndrome| told(fault(3, &[4, 0, 0, syndrome]));
    assert_eq!(exception(0x200_0000), "exception, undefined instruction");
    assert_eq!(exception(0), "exception, undefined instruction or the like");
    assert_eq!(exception(0xf200_0000), "exception, breakpoint instruction");
    assert_eq!(told(fault(77, &[])), "message with label 0x4d");
    assert_eq!(told(fault(0, &[])), "message with label 0x0");
}
