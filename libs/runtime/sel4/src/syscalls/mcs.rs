// SPDX-License-Identifier: BSD-2-Clause

//! System calls of a kernel with MCS (seL4 16, `syscall.xml`, config `KERNEL_MCS`).

use super::trap::svc_nb_send_recv;
use super::{Received, svc_short};
use crate::{MessageInfo, Word, cap};

/// `seL4_Call`.
pub const CALL: Word = number(1);
/// `seL4_ReplyRecv`.
pub const REPLY_RECV: Word = number(2);
/// `seL4_NBSendRecv`.
pub const NB_SEND_RECV: Word = number(3);
/// `seL4_Send`.
pub const SEND: Word = number(5);
/// `seL4_NBSend`.
pub const NB_SEND: Word = number(6);
/// `seL4_Recv`.
pub const RECV: Word = number(7);
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
    svc_nb_send_recv(NB_SEND_RECV, destination, info, source, reply.bits())
}

/// `seL4_Yield`: gives up the rest of this thread's budget.
pub fn r#yield() {
    svc_short(YIELD, 0, 0);
}

#[inline(always)]
pub(crate) fn debug_put_char(character: u8) {
    svc_short(DEBUG_PUT_CHAR, character.into(), 0);
}
