// SPDX-License-Identifier: BSD-2-Clause

//! System calls of a kernel from before MCS (seL4 5.0.0, `syscall.xml`).

use super::{Received, svc, svc_short};
use crate::ipc_buffer::{FAST_REGISTERS, fast_registers};
use crate::{ConveysReplyAuthority, MessageInfo, Word, cap};

pub(super) const CALL: Word = number(1);
pub(super) const REPLY_RECV: Word = number(2);
pub(super) const SEND: Word = number(3);
pub(super) const NB_SEND: Word = number(4);
pub(super) const RECV: Word = number(5);
const REPLY: Word = number(6);
const YIELD: Word = number(7);
const DEBUG_PUT_CHAR: Word = number(9);

/// System calls have negative numbers.
const fn number(n: Word) -> Word {
    n.wrapping_neg()
}

/// What a receiver hands over to be able to answer: nothing.
pub type ReplyAuthority = ImplicitReplyAuthority;

/// The kernel keeps the right to answer the last caller in the receiver's TCB.
#[derive(Copy, Clone, Debug, Default)]
pub struct ImplicitReplyAuthority;

impl ImplicitReplyAuthority {
    /// `seL4_Reply`: answers the last caller without blocking; without one, nothing happens.
    pub fn reply(self, info: MessageInfo) {
        svc(REPLY, 0, info.word(), fast_registers(), 0);
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

#[inline(always)]
pub(super) fn reply_bits(_: ReplyAuthority) -> Word {
    0
}

/// This kernel has no call for both. A send without words to a notification or an interrupt handler
/// does not block.
#[inline(always)]
pub(super) fn nb_send_recv(
    destination: Word,
    info: Word,
    source: Word,
    _: ReplyAuthority,
) -> Received {
    svc_short(NB_SEND, destination, info);
    svc(RECV, source, 0, [0; FAST_REGISTERS], 0)
}

/// `seL4_Yield`: lets other threads of the same priority run.
pub fn r#yield() {
    svc_short(YIELD, 0, 0);
}

#[inline(always)]
pub(crate) fn debug_put_char(character: u8) {
    svc_short(DEBUG_PUT_CHAR, character.into(), 0);
}
