// SPDX-License-Identifier: BSD-2-Clause
//! The monitor: a thread in the initialiser's address space that waits for faults of PDs without a
//! parent and prints them. A PD that has faulted stays where it is; its peers go on.
//!
//! It can receive from one endpoint and do nothing else, and its priority is low, so that its lines
//! wait until the important PDs do.

use sdk_spec::Spec;
use sdk_spec::abi::{SMALL_PAGE, badges};
use sel4::Fault;

use crate::kernel::{Kernel, debug_holds};
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
    if sel4::PRINTING {
        console::line(format_args!("monitor: holds {} capability", count()));
    }
    loop {
        let (badge, fault) = kernel.receive_fault(ENDPOINT);
        let pd = badge
            .checked_sub(badges::MONITOR_BASE)
            .and_then(|index| spec.pd(index as usize));
        let (name, stack_bottom) = pd.map_or(("?", 0), |pd| (pd.name, pd.record.stack_bottom));
        let pc = fault.ip().unwrap_or_default();
        console::line(format_args!(
            "monitor: PD '{name}' faulted: {fault}, pc {pc:#x}"
        ));
        if let Fault::VmFault(fault) = fault {
            // The page below the stack is left unmapped for this.
            if (stack_bottom.wrapping_sub(SMALL_PAGE)..stack_bottom).contains(&fault.addr()) {
                console::line(format_args!(
                    "monitor: PD '{name}' has outgrown its stack; give it a larger stack_size"
                ));
            }
        }
    }
}

/// Capabilities in the slots that the root task has its own and the first objects in.
fn count() -> usize {
    let slots = 0..4096;
    slots.filter(|&slot| debug_holds(slot)).count()
}
