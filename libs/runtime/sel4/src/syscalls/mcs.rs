// SPDX-License-Identifier: BSD-2-Clause

//! System calls of a kernel with MCS (seL4 16, `syscall.xml`, config `KERNEL_MCS`).

use core::arch::asm;

use super::{Received, svc_short};
use crate::ipc_buffer::FAST_REGISTERS;
use crate::{MessageInfo, Word, cap};

pub(super) const CALL: Word = number(1);
pub(super) const REPLY_RECV: Word = number(2);
const NB_SEND_RECV: Word = number(3);
pub(super) const SEND: Word = number(5);
pub(super) const NB_SEND: Word = number(6);
pub(super) const RECV: Word = number(7);
const YIELD: Word = number(11);
const DEBUG_PUT_CHAR: Word = number(12);

/// System calls have negative numbers.
const fn number(n: Word) -> Word {
    n.wrapping_neg()
}

/// What a receiver hands over to be able to answer: a reply object.
pub type ReplyAuthority = cap::Reply;

pub(super) fn answer(authority: ReplyAuthority, info: MessageInfo) {
    authority.nb_send(info);
}

#[inline(always)]
pub(super) fn reply_bits(reply: ReplyAuthority) -> Word {
    reply.bits()
}

#[inline(always)]
pub(super) fn nb_send_recv(
    destination: Word,
    info: Word,
    source: Word,
    reply: ReplyAuthority,
) -> Received {
    let mut received = Received {
        badge: source,
        info,
        registers: [0; FAST_REGISTERS],
    };
    // SAFETY: as in `svc`; this call alone has its destination in x8.
    unsafe {
        asm!(
            "svc #0",
            inlateout("x0") received.badge,
            inlateout("x1") received.info,
            inlateout("x2") received.registers[0],
            inlateout("x3") received.registers[1],
            inlateout("x4") received.registers[2],
            inlateout("x5") received.registers[3],
            inlateout("x6") reply.bits() => _,
            inlateout("x7") NB_SEND_RECV => _,
            inlateout("x8") destination => _,
            options(nostack),
        );
    }
    received
}

/// `seL4_Yield`: gives up the rest of this thread's budget.
pub fn r#yield() {
    svc_short(YIELD, 0, 0);
}

#[inline(always)]
pub(crate) fn debug_put_char(character: u8) {
    svc_short(DEBUG_PUT_CHAR, character.into(), 0);
}
