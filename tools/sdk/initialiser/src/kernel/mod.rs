// SPDX-License-Identifier: BSD-2-Clause
//! The kernel's interface, as far as the initialiser uses it: system calls in registers,
//! invocations as methods.
//!
//! The numbers come from the kernel build by way of build.rs.

mod error;
mod invocations;
mod syscall;

/// Labels, object types and sizes, system call numbers.
pub mod numbers {
    include!(concat!(env!("OUT_DIR"), "/numbers.rs"));
}

pub use error::{Code, KernelError};
pub use invocations::{Attributes, CapRights, ObjectType, Source, TableKind, TcbSetup};
pub use syscall::{Kernel, Message};
#[cfg(kernel_prints)]
pub use syscall::{debug_holds, debug_put_char};
