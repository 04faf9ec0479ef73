// SPDX-License-Identifier: BSD-2-Clause

//! Sending and receiving.

use core::arch::asm;

use crate::ipc_buffer::{FAST_REGISTERS, fast_registers, set_fast_registers};
use crate::{Badge, Cap, CapType, MessageInfo, Word, cap};

#[cfg(not(sel4_mcs))]
mod classic;
#[cfg(sel4_mcs)]
mod mcs;

#[cfg(not(sel4_mcs))]
use classic as kernel;
#[cfg(sel4_mcs)]
use mcs as kernel;

#[cfg(not(sel4_mcs))]
pub use classic::ImplicitReplyAuthority;
pub(crate) use kernel::debug_put_char;
pub use kernel::{ReplyAuthority, r#yield};

/// What can be handed over as [`ReplyAuthority`].
pub trait ConveysReplyAuthority {
    /// The authority.
    fn into_reply_authority(self) -> ReplyAuthority;
}

impl ConveysReplyAuthority for ReplyAuthority {
    fn into_reply_authority(self) -> ReplyAuthority {
        self
    }
}

/// Answers the last caller without blocking; without one, nothing happens. Not upstream: it lets
/// one source serve both kernels.
pub fn answer(reply_authority: impl ConveysReplyAuthority, info: MessageInfo) {
    kernel::answer(reply_authority.into_reply_authority(), info);
}

/// What a system call leaves in x0 to x5.
struct Received {
    badge: Badge,
    info: Word,
    registers: [Word; FAST_REGISTERS],
}

impl Received {
    /// Puts the first registers where the others are.
    #[inline(always)]
    fn store(self) -> (MessageInfo, Badge) {
        set_fast_registers(self.registers);
        (MessageInfo::from_word(self.info), self.badge)
    }
}

/// The system call instruction with all registers of a message; `x6` is the reply capability on
/// kernels that want one.
#[inline(always)]
fn svc(
    number: Word,
    x0: Word,
    info: Word,
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
    unsafe {
        asm!(
            "svc #0",
            inlateout("x0") received.badge,
            inlateout("x1") received.info,
            inlateout("x2") received.registers[0],
            inlateout("x3") received.registers[1],
            inlateout("x4") received.registers[2],
            inlateout("x5") received.registers[3],
            inlateout("x6") x6 => _,
            inlateout("x7") number => _,
            options(nostack),
        );
    }
    received
}

/// The system call instruction for a message without words or answer, or a debug call.
#[inline(always)]
fn svc_short(number: Word, x0: Word, info: Word) {
    // SAFETY: as in `svc`; the kernel transfers no message words, so the IPC buffer is not touched.
    unsafe {
        asm!(
            "svc #0",
            inlateout("x0") x0 => _,
            inlateout("x1") info => _,
            out("x2") _,
            out("x3") _,
            out("x4") _,
            out("x5") _,
            out("x6") _,
            inlateout("x7") number => _,
            options(nostack),
        );
    }
}

impl<T: CapType> Cap<T> {
    /// `seL4_Send`: waits for a receiver.
    #[inline]
    pub fn send(self, info: MessageInfo) {
        svc(kernel::SEND, self.bits(), info.word(), fast_registers(), 0);
    }

    /// `seL4_NBSend`: is lost if nobody receives.
    #[inline]
    pub fn nb_send(self, info: MessageInfo) {
        svc(
            kernel::NB_SEND,
            self.bits(),
            info.word(),
            fast_registers(),
            0,
        );
    }

    /// `seL4_Call`: sends, and waits for the answer.
    #[inline]
    pub fn call(self, info: MessageInfo) -> MessageInfo {
        svc(kernel::CALL, self.bits(), info.word(), fast_registers(), 0)
            .store()
            .0
    }

    /// `seL4_Recv`: waits for a message or a signal.
    #[inline]
    pub fn recv(self, reply_authority: impl ConveysReplyAuthority) -> (MessageInfo, Badge) {
        let x6 = kernel::reply_bits(reply_authority.into_reply_authority());
        svc(kernel::RECV, self.bits(), 0, [0; FAST_REGISTERS], x6).store()
    }

    /// `seL4_ReplyRecv`: answers the last caller, then waits as [`recv`](Self::recv) does.
    #[inline]
    pub fn reply_recv(
        self,
        info: MessageInfo,
        reply_authority: impl ConveysReplyAuthority,
    ) -> (MessageInfo, Badge) {
        let x6 = kernel::reply_bits(reply_authority.into_reply_authority());
        svc(
            kernel::REPLY_RECV,
            self.bits(),
            info.word(),
            fast_registers(),
            x6,
        )
        .store()
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
        kernel::nb_send_recv(self.bits(), info.word(), source.bits(), authority).store()
    }
}

impl cap::Notification {
    /// `seL4_Signal`.
    #[inline]
    pub fn signal(self) {
        svc_short(kernel::SEND, self.bits(), 0);
    }
}
