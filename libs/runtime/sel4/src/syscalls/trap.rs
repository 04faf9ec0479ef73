// SPDX-License-Identifier: BSD-2-Clause

//! The system call instruction.

use core::arch::asm;

use super::Received;
use crate::ipc_buffer::FAST_REGISTERS;
use crate::{MessageInfo, Word};

/// The system call instruction with all registers of a message, and x8 for the call that has its
/// destination there.
macro_rules! svc {
    ($number:ident, $received:ident, $x6:ident $(, x8 = $x8:ident)?) => {
        asm!(
            "svc #0",
            inlateout("x0") $received.badge,
            inlateout("x1") $received.info.0,
            inlateout("x2") $received.registers[0],
            inlateout("x3") $received.registers[1],
            inlateout("x4") $received.registers[2],
            inlateout("x5") $received.registers[3],
            inlateout("x6") $x6 => _,
            inlateout("x7") $number => _,
            $(inlateout("x8") $x8 => _,)?
            options(nostack),
        )
    };
}

/// A system call with all registers of a message; `x6` is the reply capability on kernels that want
/// one.
#[inline(always)]
pub fn svc(
    number: Word,
    x0: Word,
    info: MessageInfo,
    registers: [Word; FAST_REGISTERS],
    x6: Word,
) -> Received {
    let mut received = Received {
        badge: x0,
        info,
        registers,
    };
    // SAFETY: seL4's calling convention: the kernel keeps all registers but those named here. It
    // writes no memory but the IPC buffer, which is exposed memory to the compiler, and the
    // callers have checked that no reference to it is held.
    unsafe { svc!(number, received, x6) };
    received
}

/// A system call for a message without words or answer, or a debug call. Returns x0.
#[inline(always)]
pub fn svc_short(number: Word, x0: Word, info: MessageInfo) -> Word {
    let result;
    // SAFETY: as in `svc`; the kernel transfers no message words, so the IPC buffer is not touched.
    unsafe {
        asm!(
            "svc #0",
            inlateout("x0") x0 => result,
            inlateout("x1") info.0 => _,
            out("x2") _,
            out("x3") _,
            out("x4") _,
            out("x5") _,
            out("x6") _,
            inlateout("x7") number => _,
            options(nostack),
        );
    }
    result
}

/// `seL4_NBSendRecv`, which alone has its destination in x8.
#[cfg(sel4_mcs)]
#[inline(always)]
pub fn svc_nb_send_recv(
    number: Word,
    destination: Word,
    info: MessageInfo,
    source: Word,
    reply: Word,
) -> Received {
    let mut received = Received {
        badge: source,
        info,
        registers: [0; FAST_REGISTERS],
    };
    // SAFETY: as in `svc`.
    unsafe { svc!(number, received, reply, x8 = destination) };
    received
}
