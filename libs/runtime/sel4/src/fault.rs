// SPDX-License-Identifier: BSD-2-Clause

//! Faults: what the kernel reports about a thread to its fault handler.
//!
//! A child holds the capability that its faults are sent with, so it can also *send* a message that
//! looks like a fault: what is decoded here is an allegation of the child about itself. Decoding is
//! total: no message makes it panic.

use core::fmt;

use crate::{IpcBuffer, KERNEL_MCS, MessageInfo, Word};

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
    Other(Word),
}

impl Fault {
    /// Decodes the message in `ipc_buffer`.
    pub fn new(ipc_buffer: &IpcBuffer, info: &MessageInfo) -> Self {
        Self::decode(KERNEL_MCS, info.label(), ipc_buffer.msg_regs())
    }

    /// By the labels of `shared_types.bf`. `registers` has all message registers.
    fn decode(mcs: bool, label: Word, registers: &[Word]) -> Self {
        match label {
            0 => Self::NullFault(NullFault {}),
            1 => Self::CapFault(CapFault::read(registers)),
            2 => Self::UnknownSyscall(UnknownSyscall::read(registers)),
            3 => Self::UserException(UserException::read(registers)),
            4 => Self::DebugException(DebugException::read(registers)),
            5 if mcs => Self::Timeout(Timeout::read(registers)),
            6 if mcs => Self::VmFault(VmFault::read(registers)),
            5 => Self::VmFault(VmFault::read(registers)),
            label => Self::Other(label),
        }
    }

    /// Returns the address of the instruction, if the fault has one. Not upstream.
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

/// Says in a few words what happened. Not upstream.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VmFault(fault) => {
                let access = match (fault.is_prefetch(), fault.is_write()) {
                    (true, _) => "instruction fetch",
                    (false, true) => "data write",
                    (false, false) => "data read",
                };
                let status = status_words(fault.fsr());
                write!(f, "memory fault, {access} at {:#x}{status}", fault.addr())
            }
            Self::CapFault(fault) => write!(f, "no capability at {:#x}", fault.addr()),
            Self::UnknownSyscall(fault) => write!(f, "unknown system call {}", fault.syscall()),
            Self::UserException(fault) => {
                write!(f, "exception, {}", class_words(fault.number()))
            }
            Self::DebugException(_) => f.write_str("debug exception"),
            Self::Timeout(_) => f.write_str("budget used up"),
            Self::Other(label) => write!(f, "message with label {label:#x}"),
            // No kernel sends it.
            Self::NullFault(_) => f.write_str("message with label 0x0"),
        }
    }
}

/// The fault status code, bits 0..6 of the syndrome (Arm ARM, ESR_ELx, "ISS encoding for an
/// exception from a Data Abort").
fn status_words(syndrome: Word) -> &'static str {
    match syndrome & 0x3f {
        0x00..=0x03 => " (address out of range)",
        0x04..=0x07 => " (not mapped)",
        0x08..=0x0b => " (access flag)",
        0x0c..=0x0f => " (not permitted)",
        0x21 => " (not aligned)",
        _ => "",
    }
}

/// The exception class, bits 26..32 of the syndrome (Arm ARM, ESR_ELx, "EC").
fn class_words(syndrome: Word) -> &'static str {
    match syndrome >> 26 & 0x3f {
        // seL4 5.0.0 reports no syndrome.
        0x00 if syndrome == 0 => "undefined instruction or the like",
        0x00 => "undefined instruction",
        0x07 => "floating point not allowed",
        0x0e => "illegal execution state",
        0x18 => "system register not allowed",
        0x22 => "pc not aligned",
        0x26 => "stack pointer not aligned",
        0x3c => "breakpoint instruction",
        _ => "of an unknown class",
    }
}

/// Declares faults, with the message register that each field comes from.
macro_rules! fault_types {
    ($($(#[$doc:meta])* $name:ident($registers:ident) {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $value:expr,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $name {
                $($field: $type,)*
            }

            impl $name {
                fn read($registers: &[Word]) -> Self {
                    Self { $($field: $value,)* }
                }

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

/// No fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NullFault {}

fault_types! {
    /// A capability that is not there. Its methods are not upstream's.
    CapFault(mr) {
        /// Address of the system call.
        ip: Word = mr[0],
        /// The capability pointer.
        addr: Word = mr[1],
        /// Whether the thread was about to receive.
        in_recv_phase: bool = mr[2] != 0,
    }

    /// A system call that the kernel does not know.
    UnknownSyscall(mr) {
        /// Address of the system call.
        fault_ip: Word = mr[8],
        /// Stack pointer.
        sp: Word = mr[9],
        /// Link register.
        lr: Word = mr[10],
        /// Saved program status.
        spsr: Word = mr[11],
        /// The number, from x7.
        syscall: Word = mr[12],
    }

    /// An exception of the processor. Its methods are not upstream's.
    UserException(mr) {
        /// Address of the instruction.
        fault_ip: Word = mr[0],
        /// Stack pointer.
        stack: Word = mr[1],
        /// Saved program status.
        spsr: Word = mr[2],
        /// The syndrome (ESR).
        number: Word = mr[3],
        /// Always 0 on AArch64.
        code: Word = mr[4],
    }

    /// A memory access without a mapping or without the right.
    VmFault(mr) {
        /// Address of the instruction.
        ip: Word = mr[0],
        /// Address that was accessed.
        addr: Word = mr[1],
        /// Whether it was the instruction itself that could not be read.
        is_prefetch: bool = mr[2] != 0,
        /// The syndrome (ESR).
        fsr: Word = mr[3],
    }

    /// The budget is used up. Its method is not upstream's.
    Timeout(mr) {
        /// The word that the scheduling context was configured with.
        data: Word = mr[0],
    }

    /// Breakpoint or single step. Its methods are not upstream's.
    DebugException(mr) {
        /// Address of the instruction.
        fault_ip: Word = mr[0],
        /// The kind of exception.
        reason: Word = mr[1],
    }
}

impl VmFault {
    /// Returns whether a write was refused, by bit 6 (WnR) of the syndrome of a data abort (Arm
    /// ARM, ESR_ELx, ISS encoding for a Data Abort). Not upstream.
    pub fn is_write(&self) -> bool {
        !self.is_prefetch && self.fsr & (1 << 6) != 0
    }

    /// Returns whether nothing is mapped at the address: the syndrome's fault status code says
    /// translation fault. Not upstream.
    pub fn is_unmapped(&self) -> bool {
        self.fsr & 0x3c == 0x04
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
        assert_eq!(decode(false, 6), Fault::Other(6));
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
            assert_eq!(decode(true, label), Fault::Other(label));
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
