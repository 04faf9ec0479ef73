// SPDX-License-Identifier: BSD-2-Clause

//! System calls of a kernel from before MCS (seL4 5.0.0, `syscall.xml`).

use super::{ConveysReplyAuthority, Received, svc, svc_short};
use crate::ipc_buffer::{FAST_REGISTERS, fast_registers};
use crate::{MessageInfo, Word, cap};

/// Numbers of the system calls.
#[allow(missing_docs)] // the names say it
pub mod number {
    use crate::Word;

    pub const CALL: Word = -1_i64 as Word;
    pub const REPLY_RECV: Word = -2_i64 as Word;
    pub const SEND: Word = -3_i64 as Word;
    pub const NB_SEND: Word = -4_i64 as Word;
    pub const RECV: Word = -5_i64 as Word;
    pub const REPLY: Word = -6_i64 as Word;
    pub const YIELD: Word = -7_i64 as Word;
    pub const DEBUG_PUT_CHAR: Word = -9_i64 as Word;
    pub const DEBUG_CAP_IDENTIFY: Word = -11_i64 as Word;
    pub const DEBUG_NAME_THREAD: Word = -13_i64 as Word;
}

/// A receiver hands over nothing to be able to reply.
pub type ReplyAuthority = ImplicitReplyAuthority;

/// The kernel keeps the right to answer the last caller in the receiver's TCB.
#[derive(Copy, Clone, Debug, Default)]
pub struct ImplicitReplyAuthority;

impl ImplicitReplyAuthority {
    /// `seL4_Reply`: replies to the last caller without blocking. Does nothing if there is none.
    pub fn reply(self, info: MessageInfo) {
        svc(number::REPLY, 0, info, fast_registers(), 0);
    }

    /// The value for the register that holds the reply object with MCS.
    pub(super) fn bits(self) -> Word {
        0
    }
}

impl ConveysReplyAuthority for () {
    fn into_reply_authority(self) -> ReplyAuthority {
        ImplicitReplyAuthority
    }
}

/// There are no reply objects: the slot is not looked at. Not upstream; it lets one source serve
/// both kernels.
impl ConveysReplyAuthority for cap::Reply {
    fn into_reply_authority(self) -> ReplyAuthority {
        ImplicitReplyAuthority
    }
}

pub(super) fn answer(authority: ReplyAuthority, info: MessageInfo) {
    authority.reply(info);
}

/// This kernel has no call for both. A send without words to a notification or an interrupt handler
/// does not block.
#[inline(always)]
pub(super) fn nb_send_recv(
    destination: Word,
    info: MessageInfo,
    source: Word,
    _: ReplyAuthority,
) -> Received {
    svc_short(number::NB_SEND, destination, info);
    svc(
        number::RECV,
        source,
        MessageInfo::EMPTY,
        [0; FAST_REGISTERS],
        0,
    )
}
