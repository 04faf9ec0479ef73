// SPDX-License-Identifier: BSD-2-Clause
//! The monitor: a thread in the initialiser's address space that waits for faults of PDs without a
//! parent and prints them. A PD that has faulted stays where it is; its peers go on.
//!
//! It can receive from one endpoint and do nothing else, and its priority is low, so that its lines
//! wait until the important PDs do.

use core::fmt;

use sdk_spec::Spec;
use sdk_spec::abi::{SMALL_PAGE, badges};

use crate::kernel::{Kernel, Message};
use crate::{console, fill, start};

/// Its one capability: the endpoint of the faults, to receive from.
pub const ENDPOINT: u64 = 1;
/// Where its IPC buffer is mapped: behind the initialiser's window for small frames, in the same
/// page table.
pub const IPC_BUFFER: u64 = fill::SMALL_WINDOW + SMALL_PAGE;

/// Prints faults, for ever. The first and only function of the thread.
pub extern "C" fn main() -> ! {
    // SAFETY: the thread's IPC buffer is mapped there, and this is its only use.
    let mut kernel = unsafe { Kernel::new(IPC_BUFFER) };
    // The initialiser has decoded it before: there is a system only if it could.
    let spec = Spec::decode(start::spec_bytes()).unwrap_or_default();
    #[cfg(kernel_prints)]
    console::line(format_args!("monitor: holds {} capability", count()));
    loop {
        let message = kernel.receive(ENDPOINT);
        let pd = message
            .badge
            .checked_sub(badges::MONITOR_BASE)
            .and_then(|index| spec.pd(index as usize));
        let (name, stack_bottom) = pd.map_or(("?", 0), |pd| (pd.name, pd.record.stack_bottom));
        console::line(format_args!(
            "monitor: PD '{name}' faulted: {}",
            Fault::new(&kernel, &message)
        ));
        if let Fault::Memory { address, .. } = Fault::new(&kernel, &message) {
            // The page below the stack is left unmapped for this.
            if (stack_bottom.wrapping_sub(SMALL_PAGE)..stack_bottom).contains(&address) {
                console::line(format_args!(
                    "monitor: PD '{name}' has outgrown its stack; give it a larger stack_size"
                ));
            }
        }
    }
}

/// Capabilities in the slots that the root task has its own and the first objects in.
#[cfg(kernel_prints)]
fn count() -> usize {
    let slots = 0..4096;
    slots
        .filter(|&slot| crate::kernel::debug_holds(slot))
        .count()
}

/// A fault message (libsel4 of seL4 5.0.0, `faults.h`).
enum Fault {
    /// A capability address that leads nowhere.
    Capability { pc: u64, address: u64 },
    /// A system call that the kernel does not have.
    Syscall { pc: u64, number: u64 },
    /// An instruction that cannot be executed, or the like.
    Exception { pc: u64, number: u64, code: u64 },
    /// An access to memory.
    Memory {
        pc: u64,
        address: u64,
        is_fetch: bool,
        status: u64,
    },
    /// Not a fault: somebody sent a message.
    Unknown { label: u64 },
}

impl Fault {
    fn new(kernel: &Kernel, message: &Message) -> Self {
        let [first, second, third, fourth] = message.words;
        match message.label {
            1 => Self::Capability {
                pc: first,
                address: second,
            },
            // Words 0 to 7 are x0 to x7, then pc, sp, lr, spsr and the number.
            2 => Self::Syscall {
                pc: kernel.received_word(8),
                number: kernel.received_word(12),
            },
            3 => Self::Exception {
                pc: first,
                number: fourth,
                code: kernel.received_word(4),
            },
            5 => Self::Memory {
                pc: first,
                address: second,
                is_fetch: third != 0,
                status: fourth,
            },
            label => Self::Unknown { label },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Capability { pc, address } => {
                write!(f, "no capability at {address:#x}, pc {pc:#x}")
            }
            Self::Syscall { pc, number } => {
                write!(f, "unknown system call {number:#x}, pc {pc:#x}")
            }
            Self::Exception { pc, number, code } => {
                write!(f, "exception {number:#x} ({code:#x}), pc {pc:#x}")?;
                // Exception class 0 of ESR_EL1; a panic of the runtime ends in one.
                if number >> 26 == 0 {
                    f.write_str(" (undefined instruction, or a panic)")?;
                }
                Ok(())
            }
            Self::Memory {
                pc,
                address,
                is_fetch,
                status,
            } => {
                // ESR_EL1 (Arm ARM DDI 0487, D17): bit 6 is set for a write; 0b0011xx is a
                // permission fault.
                let access = match (is_fetch, status & 1 << 6 != 0) {
                    (true, _) => "execution of",
                    (false, true) => "write to",
                    (false, false) => "read of",
                };
                let why = if status & 0b11_1100 == 0b00_1100 {
                    "not permitted"
                } else {
                    "not mapped"
                };
                write!(
                    f,
                    "{access} {address:#x} ({why}), pc {pc:#x}, status {status:#x}"
                )
            }
            Self::Unknown { label } => {
                write!(f, "message with label {label:#x} instead of a fault")
            }
        }
    }
}
