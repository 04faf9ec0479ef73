// SPDX-License-Identifier: BSD-2-Clause

//! System calls of a kernel with MCS (seL4 16, `syscall.xml`, config `KERNEL_MCS`).

use super::Received;
use super::trap::svc_nb_send_recv;
use crate::{MessageInfo, Word, cap};

/// Numbers of the system calls.
#[allow(missing_docs)] // the names say it
pub mod number {
    use crate::Word;

    pub const CALL: Word = -1_i64 as Word;
    pub const REPLY_RECV: Word = -2_i64 as Word;
    pub const NB_SEND_RECV: Word = -3_i64 as Word;
    pub const SEND: Word = -5_i64 as Word;
    pub const NB_SEND: Word = -6_i64 as Word;
    pub const RECV: Word = -7_i64 as Word;
    pub const YIELD: Word = -11_i64 as Word;
    pub const DEBUG_PUT_CHAR: Word = -12_i64 as Word;
}

/// The reply object that a receiver hands over to be able to reply.
pub type ReplyAuthority = cap::Reply;

pub(super) fn answer(authority: ReplyAuthority, info: MessageInfo) {
    authority.nb_send(info);
}

#[inline(always)]
pub(super) fn nb_send_recv(
    destination: Word,
    info: MessageInfo,
    source: Word,
    reply: ReplyAuthority,
) -> Received {
    svc_nb_send_recv(
        number::NB_SEND_RECV,
        destination,
        info,
        source,
        reply.bits(),
    )
}
