// SPDX-License-Identifier: BSD-2-Clause

//! What a thread did that the kernel reports to its fault handler.
//!
//! A child holds the capability that its faults are sent with, so it can also *send* a message that
//! looks like a fault: what is decoded here is an allegation of the child about itself. Decoding is
//! total: no message makes it panic.

use crate::{IpcBuffer, KERNEL_MCS, MessageInfo, Word};

/// Labels of fault messages that both kernels have (`shared_types.bf`).
mod label {
    use super::Word;

    pub const NULL: Word = 0;
    pub const CAP: Word = 1;
    pub const UNKNOWN_SYSCALL: Word = 2;
    pub const USER_EXCEPTION: Word = 3;
    pub const DEBUG_EXCEPTION: Word = 4;
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
        Self::decode(KERNEL_MCS, info.label(), ipc_buffer.msg_regs())
    }

    /// `registers` has all message registers.
    fn decode(mcs: bool, label: Word, registers: &[Word]) -> Self {
        let mr = |index: usize| registers[index];
        match label {
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
            5 if mcs => Self::Timeout(Timeout { data: mr(0) }),
            6 if mcs => Self::vm(registers),
            5 => Self::vm(registers),
            label => Self::Other(OtherFault { label }),
        }
    }

    fn vm(registers: &[Word]) -> Self {
        Self::VmFault(VmFault {
            ip: registers[0],
            addr: registers[1],
            is_prefetch: registers[2] != 0,
            fsr: registers[3],
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NUM_MESSAGE_REGISTERS;

    fn decode(mcs: bool, label: Word) -> Fault {
        let mut registers = [0; NUM_MESSAGE_REGISTERS];
        for (register, number) in registers.iter_mut().zip(100..) {
            *register = number;
        }
        Fault::decode(mcs, label, &registers)
    }

    #[test]
    fn both_kernels_have_a_label_for_memory_faults() {
        for (mcs, label) in [(true, 6), (false, 5)] {
            let Fault::VmFault(fault) = decode(mcs, label) else {
                panic!("it is a memory fault");
            };
            assert_eq!((fault.ip(), fault.addr(), fault.fsr()), (100, 101, 103));
            assert!(fault.is_prefetch() && !fault.is_write());
        }
        assert_eq!(decode(true, 5), Fault::Timeout(Timeout { data: 100 }));
        assert_eq!(decode(false, 6), Fault::Other(OtherFault { label: 6 }));
    }

    #[test]
    fn the_faults_that_both_kernels_label_alike() {
        for mcs in [true, false] {
            assert_eq!(decode(mcs, 0), Fault::NullFault(NullFault {}));
            assert_eq!(decode(mcs, 1).ip(), Some(100));
            assert!(matches!(decode(mcs, 1), Fault::CapFault(fault) if fault.addr() == 101));
            assert!(matches!(decode(mcs, 2), Fault::UnknownSyscall(fault)
                if (fault.fault_ip(), fault.syscall()) == (108, 112)));
            assert!(matches!(decode(mcs, 3), Fault::UserException(fault)
                if (fault.fault_ip(), fault.stack(), fault.number()) == (100, 101, 103)));
            assert!(
                matches!(decode(mcs, 4), Fault::DebugException(fault) if fault.reason() == 101)
            );
        }
    }

    #[test]
    fn no_label_is_a_panic() {
        for label in (7..100).chain([Word::MAX]) {
            assert_eq!(decode(true, label), Fault::Other(OtherFault { label }));
            assert_eq!(decode(true, label).ip(), None);
        }
    }

    #[test]
    fn a_write_is_known_by_the_syndrome() {
        let fault = |is_prefetch, fsr| VmFault {
            ip: 0,
            addr: 0,
            is_prefetch,
            fsr,
        };
        assert!(fault(false, 0x9200_0047).is_write());
        assert!(!fault(false, 0x9200_0007).is_write());
        assert!(!fault(true, 0x9200_0047).is_write());
    }
}
