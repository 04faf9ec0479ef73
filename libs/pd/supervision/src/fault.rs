// SPDX-License-Identifier: BSD-2-Clause
//! What a child did, in words.

use core::fmt;

/// How memory was accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By a load.
    Read,
    /// By a store.
    Write,
    /// By fetching an instruction.
    Execute,
}

/// The kinds of fault that seL4 reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A memory access without a mapping or without the right.
    Vm {
        /// The address that was accessed.
        address: u64,
        /// Read, write or execution.
        access: Access,
        /// The processor's syndrome (ESR_EL1).
        syndrome: u64,
    },
    /// A system call named a capability that is not there.
    Capability {
        /// The capability pointer.
        cptr: u64,
    },
    /// A system call that the kernel does not know.
    UnknownSyscall {
        /// Its number.
        number: u64,
    },
    /// An exception of the processor that is no memory fault. A panic ends as one.
    Exception {
        /// The processor's syndrome (ESR_EL1).
        syndrome: u64,
    },
    /// A breakpoint or single step.
    Debug,
    /// The scheduling context's budget was used up.
    Timeout,
    /// It turns without end: the supervisor's watch says so, not the kernel.
    Hang,
    /// It signals its parent without need and without end, as the parent says.
    Noise,
    /// A label that no fault of this kernel has: the child sent the message itself.
    Other {
        /// The label.
        label: u64,
    },
}

/// A fault with the address of the instruction, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// What happened.
    pub kind: FaultKind,
    /// The program counter, if the fault has one.
    pub pc: Option<u64>,
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::Vm { address, .. } => write!(f, "vm fault at {address:#x}")?,
            FaultKind::Capability { cptr } => write!(f, "capability fault at {cptr:#x}")?,
            FaultKind::UnknownSyscall { number } => write!(f, "unknown system call {number}")?,
            FaultKind::Exception { syndrome } => {
                write!(f, "exception, syndrome {syndrome:#x}")?;
            }
            FaultKind::Debug => f.write_str("debug exception")?,
            FaultKind::Timeout => f.write_str("budget used up")?,
            FaultKind::Hang => f.write_str("turns without end")?,
            FaultKind::Noise => f.write_str("signals without end")?,
            FaultKind::Other { label } => write!(f, "message with label {label:#x}")?,
        }
        if let Some(pc) = self.pc {
            write!(f, ", pc {pc:#x}")?;
        }
        match self.kind {
            FaultKind::Vm {
                access, syndrome, ..
            } => write!(f, " ({}{})", access_words(access), status_words(syndrome)),
            FaultKind::Exception { syndrome } => match class_words(syndrome) {
                Some(words) => write!(f, " ({words})"),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn access_words(access: Access) -> &'static str {
    match access {
        Access::Read => "data read",
        Access::Write => "data write",
        Access::Execute => "instruction fetch",
    }
}

/// The fault status code, bits 0..6 of the syndrome (Arm ARM, ESR_ELx, "ISS encoding for an
/// exception from a Data Abort").
fn status_words(syndrome: u64) -> &'static str {
    match syndrome & 0x3f {
        0x00..=0x03 => ", address out of range",
        0x04..=0x07 => ", not mapped",
        0x08..=0x0b => ", access flag",
        0x0c..=0x0f => ", not permitted",
        0x21 => ", not aligned",
        _ => "",
    }
}

/// The exception class, bits 26..32 of the syndrome (Arm ARM, ESR_ELx, "EC").
fn class_words(syndrome: u64) -> Option<&'static str> {
    match syndrome >> 26 & 0x3f {
        0x00 => Some("undefined instruction, or a panic"),
        0x07 => Some("floating point not allowed"),
        0x0e => Some("illegal execution state"),
        0x18 => Some("system register not allowed"),
        0x22 => Some("pc not aligned"),
        0x26 => Some("stack pointer not aligned"),
        0x3c => Some("breakpoint instruction"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(kind: FaultKind, pc: Option<u64>) -> String {
        FaultReport { kind, pc }.to_string()
    }

    #[test]
    fn memory_faults_say_what_was_tried_and_why_it_failed() {
        // A store to an unmapped page: data abort from a lower level, WnR, translation fault at
        // level 3.
        let vm = |access, syndrome| FaultKind::Vm {
            address: 0x10,
            access,
            syndrome,
        };
        assert_eq!(
            report(vm(Access::Write, 0x9200_0047), Some(0x20_1234)),
            "vm fault at 0x10, pc 0x201234 (data write, not mapped)"
        );
        assert_eq!(
            report(vm(Access::Write, 0x9200_004f), Some(0x20_1234)),
            "vm fault at 0x10, pc 0x201234 (data write, not permitted)"
        );
        assert_eq!(
            report(vm(Access::Execute, 0x8200_0006), Some(0x10)),
            "vm fault at 0x10, pc 0x10 (instruction fetch, not mapped)"
        );
    }

    #[test]
    fn other_faults() {
        assert_eq!(
            report(
                FaultKind::Exception {
                    syndrome: 0x200_0000
                },
                Some(0x20_0000)
            ),
            "exception, syndrome 0x2000000, pc 0x200000 (undefined instruction, or a panic)"
        );
        assert_eq!(
            report(FaultKind::Capability { cptr: 0x4a }, Some(4)),
            "capability fault at 0x4a, pc 0x4"
        );
        assert_eq!(
            report(FaultKind::Other { label: 77 }, None),
            "message with label 0x4d"
        );
    }
}
