// SPDX-License-Identifier: BSD-2-Clause
//! The kernel's interface, as far as the initialiser uses it: system calls in registers,
//! invocations as methods.
//!
//! The numbers come from the kernel build by way of build.rs.

mod invocations;
mod syscall;

/// Labels, object types and sizes.
pub mod numbers {
    include!(concat!(env!("OUT_DIR"), "/numbers.rs"));
}

const _: () = assert!(
    !sel4::KERNEL_MCS,
    "this initialiser is for the registry SDK's kernel, without MCS"
);

pub use invocations::{Attributes, CapRights, LEVELS, ObjectType, Source, TcbSetup};
pub use syscall::{Kernel, KernelError, debug_holds};
