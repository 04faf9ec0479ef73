// SPDX-License-Identifier: BSD-2-Clause

//! Operations on threads and interrupts. Labels come from the SDK: they differ between kernels and
//! configurations.

use crate::abi;
use crate::{
    Error, MessageInfo, Result, UserContext, Word, cap, with_ipc_buffer, with_ipc_buffer_mut,
};

/// `suspend_source` of ReadRegisters, `resume_target` of WriteRegisters: bit 0 of the first word.
const AND_SUSPEND_OR_RESUME: Word = 1;
/// Message registers before the registers of the thread: flags and count.
const ARGUMENTS: usize = 2;

impl cap::Tcb {
    /// `seL4_TCB_ReadRegisters`: the first `count` registers in the order of [`UserContext`]; the
    /// others are 0.
    ///
    /// # Errors
    /// What the kernel says, e.g. [`Error::IllegalOperation`] for the own thread.
    pub fn tcb_read_registers(self, suspend: bool, count: Word) -> Result<UserContext> {
        with_ipc_buffer_mut(|buffer| {
            let registers = buffer.msg_regs_mut();
            registers[0] = if suspend { AND_SUSPEND_OR_RESUME } else { 0 };
            registers[1] = count.min(UserContext::COUNT as Word);
        });
        let answer = self.call(MessageInfo::new(abi::TCB_READ_REGISTERS, 0, 0, ARGUMENTS));
        Error::check(&answer)?;
        let mut context = UserContext::default();
        with_ipc_buffer(|buffer| {
            let given = answer.length().min(UserContext::COUNT);
            context.0[..given].copy_from_slice(&buffer.msg_regs()[..given]);
        });
        Ok(context)
    }

    /// `seL4_TCB_WriteRegisters`: writes the first `count` registers, then lets the thread run if
    /// `resume`.
    ///
    /// # Errors
    /// What the kernel says, e.g. [`Error::IllegalOperation`] for the own thread.
    // `&mut` as upstream has it.
    pub fn tcb_write_registers(
        self,
        resume: bool,
        count: Word,
        context: &mut UserContext,
    ) -> Result<()> {
        let count = count.min(UserContext::COUNT as Word);
        let words = count as usize;
        with_ipc_buffer_mut(|buffer| {
            let registers = buffer.msg_regs_mut();
            registers[0] = if resume { AND_SUSPEND_OR_RESUME } else { 0 };
            registers[1] = count;
            registers[ARGUMENTS..][..words].copy_from_slice(&context.0[..words]);
        });
        let request = MessageInfo::new(abi::TCB_WRITE_REGISTERS, 0, 0, ARGUMENTS + words);
        Error::check(&self.call(request))
    }

    /// `seL4_TCB_Suspend`.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn tcb_suspend(self) -> Result<()> {
        Error::check(&self.call(MessageInfo::new(abi::TCB_SUSPEND, 0, 0, 0)))
    }

    /// `seL4_TCB_Resume`: a thread that was suspended in a system call makes it again.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn tcb_resume(self) -> Result<()> {
        Error::check(&self.call(MessageInfo::new(abi::TCB_RESUME, 0, 0, 0)))
    }
}

impl cap::IrqHandler {
    /// The message that acknowledges an interrupt, for `sel4-microkit`.
    #[doc(hidden)]
    pub const ACK: MessageInfo = MessageInfo::new(abi::IRQ_ACK_IRQ, 0, 0, 0);

    /// `seL4_IRQHandler_Ack`: lets the interrupt come again.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn irq_handler_ack(self) -> Result<()> {
        Error::check(&self.call(Self::ACK))
    }
}
