// SPDX-License-Identifier: BSD-2-Clause
//! Describes the faults of children.

use core::fmt;

use sel4::{Fault, PAGE_SIZE, UserContext, VmFault};
use sel4_microkit::{LastWords, STACK_TOP};

/// No stack is larger (Microkit 2.3 manual, `stack_size`).
const LARGEST_STACK: u64 = 16 << 20;

/// The reason for the end of a child's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A fault, as the kernel reports it, or as the child says in a message of its own.
    Fault(Fault),
    /// The child ran out of stack.
    StackOverflow {
        /// Bytes of stack that it has.
        size: u64,
    },
    /// The child stopped itself. Two texts with the same digest count as the same.
    Stopped {
        /// The reason, in words.
        why: &'static str,
        /// The digest of a panic's text.
        digest: u64,
    },
    /// It turns without end: the supervisor's watch says so, not the kernel.
    Hang,
    /// It signals its parent without need and without end, as the parent says.
    Noise,
}

/// The place at which a child was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Program counter.
    pub pc: u64,
    /// Link register: the return address of the function, unless that has used the register.
    pub lr: u64,
    /// Stack pointer.
    pub sp: u64,
}

/// The end of a child's life: cause and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// The cause.
    pub cause: Cause,
    /// The place, if its registers could be read.
    pub place: Option<Place>,
}

impl FaultReport {
    /// Makes a report of a child with these registers.
    pub fn new(cause: Cause, registers: Option<&UserContext>) -> Self {
        let place = registers.map(|registers| Place {
            pc: *registers.pc(),
            lr: *registers.gpr(30),
            sp: *registers.sp(),
        });
        Self { cause, place }
    }

    /// Makes a report of a fault that the kernel reported, of a child with these registers.
    pub fn of_fault(fault: Fault, registers: Option<&UserContext>) -> Self {
        let cause = match (&fault, registers) {
            (Fault::VmFault(vm), Some(registers)) => {
                overflowed_stack(vm, *registers.sp()).map(|size| Cause::StackOverflow { size })
            }
            (Fault::UserException(_), Some(registers)) => {
                LastWords::read(registers).map(|words| Cause::Stopped {
                    why: words.kind(),
                    digest: words.digest(),
                })
            }
            _ => None,
        };
        Self::new(cause.unwrap_or(Cause::Fault(fault)), registers)
    }
}

/// Size of the stack in bytes, if the fault is an access to the first page below it. Compiled code
/// touches each page of its stack from the top (`probe-stack`), at most a page below or above its
/// stack pointer.
fn overflowed_stack(fault: &VmFault, sp: u64) -> Option<u64> {
    let page = PAGE_SIZE as u64;
    let bottom = (fault.addr() & !(page - 1)).checked_add(page)?;
    let size = (STACK_TOP as u64).checked_sub(bottom)?;
    let is_overflow = !fault.is_prefetch()
        && fault.is_unmapped()
        && fault.addr().abs_diff(sp) <= page
        && (1..=LARGEST_STACK).contains(&size);
    is_overflow.then_some(size)
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Fault(fault) => fault.fmt(f)?,
            Cause::StackOverflow { size } => {
                write!(f, "stack overflow, stack_size={size:#x} is too small")?;
            }
            Cause::Stopped { why, .. } => f.write_str(why)?,
            Cause::Hang => f.write_str("turns without end")?,
            Cause::Noise => f.write_str("signals without end")?,
        }
        match self.place {
            Some(Place { pc, lr, sp }) => write!(f, ", pc {pc:#x}, lr {lr:#x}, sp {sp:#x}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
