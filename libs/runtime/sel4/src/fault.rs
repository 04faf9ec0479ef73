// SPDX-License-Identifier: BSD-2-Clause

//! What a thread did that the kernel reports to its fault handler.
//!
//! A child holds the capability that its faults are sent with, so it can also *send* a message that
//! looks like a fault: what is decoded here is an allegation of the child about itself. Decoding is
//! total: no message makes it panic.

use crate::{IpcBuffer, KERNEL_MCS, MessageInfo, Word};

/// Labels of fault messages (`shared_types.bf`).
mod label {
    use super::{KERNEL_MCS, Word};

    pub const NULL: Word = 0;
    pub const CAP: Word = 1;
    pub const UNKNOWN_SYSCALL: Word = 2;
    pub const USER_EXCEPTION: Word = 3;
    pub const DEBUG_EXCEPTION: Word = 4;
    /// With MCS alone; without, no message can have this label.
    pub const TIMEOUT: Word = if KERNEL_MCS { 5 } else { Word::MAX };
    pub const VM: Word = if KERNEL_MCS { 6 } else { 5 };
}

/// `seL4_Fault`. Upstream's variants depend on the kernel's configuration; these do not, and those
/// for virtual machines are [`Other`](Self::Other).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No fault.
    NullFault(NullFault),
    /// A system call named a capability that is not there.
    CapFault(CapFault),
    /// A system call that the kernel does not know.
    UnknownSyscall(UnknownSyscall),
    /// An exception of the processor that is no memory fault: undefined instruction, alignment and
    /// so on. A panic of this project's PDs is one.
    UserException(UserException),
    /// A memory access without a mapping or without the right.
    VmFault(VmFault),
    /// The budget is used up (MCS, only if a timeout handler is set; Microkit sets none).
    Timeout(Timeout),
    /// Breakpoint or single step (kernels with the hardware debug API).
    DebugException(DebugException),
    /// A label that none of the above has. Not upstream: there it is a panic.
    Other(OtherFault),
}

impl Fault {
    /// Decodes the message in `ipc_buffer`.
    pub fn new(ipc_buffer: &IpcBuffer, info: &MessageInfo) -> Self {
        let mr = |index: usize| ipc_buffer.msg_regs()[index];
        match info.label() {
            label::NULL => Self::NullFault(NullFault {}),
            label::CAP => Self::CapFault(CapFault {
                ip: mr(0),
                addr: mr(1),
                in_recv_phase: mr(2) != 0,
            }),
            label::UNKNOWN_SYSCALL => Self::UnknownSyscall(UnknownSyscall {
                fault_ip: mr(8),
                sp: mr(9),
                lr: mr(10),
                spsr: mr(11),
                syscall: mr(12),
            }),
            label::USER_EXCEPTION => Self::UserException(UserException {
                fault_ip: mr(0),
                stack: mr(1),
                spsr: mr(2),
                number: mr(3),
                code: mr(4),
            }),
            label::DEBUG_EXCEPTION => Self::DebugException(DebugException {
                fault_ip: mr(0),
                reason: mr(1),
            }),
            label::VM => Self::VmFault(VmFault {
                ip: mr(0),
                addr: mr(1),
                is_prefetch: mr(2) != 0,
                fsr: mr(3),
            }),
            label::TIMEOUT => Self::Timeout(Timeout { data: mr(0) }),
            label => Self::Other(OtherFault { label }),
        }
    }

    /// Address of the instruction, where the fault has one. Not upstream.
    pub fn ip(&self) -> Option<Word> {
        match self {
            Self::CapFault(fault) => Some(fault.ip()),
            Self::UnknownSyscall(fault) => Some(fault.fault_ip()),
            Self::UserException(fault) => Some(fault.fault_ip()),
            Self::VmFault(fault) => Some(fault.ip()),
            Self::DebugException(fault) => Some(fault.fault_ip()),
            Self::NullFault(_) | Self::Timeout(_) | Self::Other(_) => None,
        }
    }
}

macro_rules! fault_types {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $name {
                $($field: $type,)*
            }

            impl $name {
                $(
                    $(#[$field_doc])*
                    pub fn $field(&self) -> $type {
                        self.$field
                    }
                )*
            }
        )*
    };
}

fault_types! {
    /// No fault.
    NullFault {}

    /// A capability that is not there. Its methods are not upstream's.
    CapFault {
        /// Address of the system call.
        ip: Word,
        /// The capability pointer.
        addr: Word,
        /// Whether the thread was about to receive.
        in_recv_phase: bool,
    }

    /// A system call that the kernel does not know.
    UnknownSyscall {
        /// Address of the system call.
        fault_ip: Word,
        /// Stack pointer.
        sp: Word,
        /// Link register.
        lr: Word,
        /// Saved program status.
        spsr: Word,
        /// The number, from x7.
        syscall: Word,
    }

    /// An exception of the processor. Its methods are not upstream's.
    UserException {
        /// Address of the instruction.
        fault_ip: Word,
        /// Stack pointer.
        stack: Word,
        /// Saved program status.
        spsr: Word,
        /// The syndrome (ESR).
        number: Word,
        /// Always 0 on AArch64.
        code: Word,
    }

    /// A memory access without a mapping or without the right.
    VmFault {
        /// Address of the instruction.
        ip: Word,
        /// Address that was accessed.
        addr: Word,
        /// Whether it was the instruction itself that could not be read.
        is_prefetch: bool,
        /// The syndrome (ESR).
        fsr: Word,
    }

    /// The budget is used up. Its method is not upstream's.
    Timeout {
        /// What the scheduling context was configured with.
        data: Word,
    }

    /// Breakpoint or single step. Its methods are not upstream's.
    DebugException {
        /// Address of the instruction.
        fault_ip: Word,
        /// Which kind.
        reason: Word,
    }

    /// A label that no fault of this kernel has. Not upstream.
    OtherFault {
        /// The label.
        label: Word,
    }
}

impl VmFault {
    /// Whether a write was refused, by bit 6 (WnR) of the syndrome of a data abort (Arm ARM,
    /// ESR_ELx, ISS encoding for a Data Abort). Not upstream.
    pub fn is_write(&self) -> bool {
        !self.is_prefetch && self.fsr & (1 << 6) != 0
    }
}
