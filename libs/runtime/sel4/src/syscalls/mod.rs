// SPDX-License-Identifier: BSD-2-Clause

//! Sending and receiving.

use crate::ipc_buffer::{FAST_REGISTERS, fast_registers, set_fast_registers};
use crate::{Badge, Cap, CapType, MessageInfo, Word, cap};

#[cfg(not(sel4_mcs))]
mod classic;
#[cfg(sel4_mcs)]
mod mcs;
#[cfg(target_os = "none")]
mod trap;

#[cfg(not(sel4_mcs))]
use classic as kernel;
#[cfg(sel4_mcs)]
use mcs as kernel;

#[cfg(not(target_os = "none"))]
use crate::host as trap;
pub use trap::{svc, svc_short};

#[cfg(not(sel4_mcs))]
pub use classic::ImplicitReplyAuthority;
pub use kernel::{ReplyAuthority, number};

/// A type that can be handed over as [`ReplyAuthority`].
pub trait ConveysReplyAuthority {
    /// Returns the authority.
    fn into_reply_authority(self) -> ReplyAuthority;
}

impl ConveysReplyAuthority for ReplyAuthority {
    fn into_reply_authority(self) -> ReplyAuthority {
        self
    }
}

/// Replies to the last caller without blocking. Does nothing if there is none. Not upstream: it
/// lets one source serve both kernels.
pub fn answer(reply_authority: impl ConveysReplyAuthority, info: MessageInfo) {
    kernel::answer(reply_authority.into_reply_authority(), info);
}

/// `seL4_Yield`: lets other threads of the same priority run; with MCS it gives up the rest of this
/// thread's budget.
pub fn r#yield() {
    svc_short(number::YIELD, 0, MessageInfo::EMPTY);
}

#[inline(always)]
pub(crate) fn debug_put_char(character: u8) {
    svc_short(number::DEBUG_PUT_CHAR, character.into(), MessageInfo::EMPTY);
}

/// The registers x0 to x5 as a system call leaves them.
#[doc(hidden)]
#[derive(Debug)]
pub struct Received {
    /// The sender's badge.
    pub badge: Badge,
    /// The message that was received.
    pub info: MessageInfo,
    /// Its first registers.
    pub registers: [Word; FAST_REGISTERS],
}

impl Received {
    /// Puts the first registers where the others are.
    #[inline(always)]
    fn store(self) -> (MessageInfo, Badge) {
        set_fast_registers(self.registers);
        (self.info, self.badge)
    }
}

impl<T: CapType> Cap<T> {
    /// `seL4_Send`: waits for a receiver.
    #[inline]
    pub fn send(self, info: MessageInfo) {
        svc(number::SEND, self.bits(), info, fast_registers(), 0);
    }

    /// `seL4_NBSend`: sends without waiting. The message is lost if nobody receives.
    #[inline]
    pub fn nb_send(self, info: MessageInfo) {
        svc(number::NB_SEND, self.bits(), info, fast_registers(), 0);
    }

    /// `seL4_Call`: sends, waits for the reply and returns it.
    #[inline]
    pub fn call(self, info: MessageInfo) -> MessageInfo {
        svc(number::CALL, self.bits(), info, fast_registers(), 0)
            .store()
            .0
    }

    /// `seL4_Recv`: waits for a message or a signal.
    #[inline]
    pub fn recv(self, reply_authority: impl ConveysReplyAuthority) -> (MessageInfo, Badge) {
        let x6 = reply_authority.into_reply_authority().bits();
        svc(
            number::RECV,
            self.bits(),
            MessageInfo::EMPTY,
            [0; FAST_REGISTERS],
            x6,
        )
        .store()
    }

    /// `seL4_ReplyRecv`: replies to the last caller, then waits as [`recv`](Self::recv) does.
    #[inline]
    pub fn reply_recv(
        self,
        info: MessageInfo,
        reply_authority: impl ConveysReplyAuthority,
    ) -> (MessageInfo, Badge) {
        let x6 = reply_authority.into_reply_authority().bits();
        svc(number::REPLY_RECV, self.bits(), info, fast_registers(), x6).store()
    }

    /// `seL4_NBSendRecv`: sends a message without words if somebody waits for it, then receives
    /// from `source`. One system call with MCS; two without, where upstream has no such method.
    #[inline]
    pub fn nb_send_recv<U: CapType>(
        self,
        info: MessageInfo,
        source: Cap<U>,
        reply_authority: impl ConveysReplyAuthority,
    ) -> (MessageInfo, Badge) {
        let authority = reply_authority.into_reply_authority();
        kernel::nb_send_recv(self.bits(), info, source.bits(), authority).store()
    }
}

impl cap::Notification {
    /// `seL4_Signal`.
    #[inline]
    pub fn signal(self) {
        svc_short(number::SEND, self.bits(), MessageInfo::EMPTY);
    }
}
