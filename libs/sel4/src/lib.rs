// SPDX-License-Identifier: BSD-2-Clause

//! seL4 for protection domains on AArch64: system calls, capabilities, message registers, faults.
//!
//! Names and signatures are those of the crate `sel4` of rust-sel4, for the subset that protection domains use, so that a PD can move to
//! upstream's crate by a change in its manifest. The code is this project's own: stable Rust, no C, no generated headers. The build script
//! reads the ABI from the Microkit SDK that the image is made with (see `build.rs` and the crate `sel4-abi`).
//!
//! Two kernels are known, told apart by [`KERNEL_MCS`]:
//! - seL4 16 with MCS (official SDK 2.3): reply objects, scheduling contexts;
//! - seL4 5.0.0 (registry SDK): the reply capability is implicit, message labels have 20 bits.
//!
//! A protection domain has one thread, so nothing here is synchronised between threads. On seL4 5.0.0 `tpidr_el0` holds the address of the IPC
//! buffer, so there is no thread-local storage either.

#![no_std]

#[cfg(not(target_arch = "aarch64"))]
compile_error!("this crate is for seL4 on AArch64: build with --target aarch64-unknown-none");

mod abi;
mod cptr;
mod debug;
mod error;
mod fault;
mod invocations;
mod ipc_buffer;
mod message_info;
mod syscalls;
mod user_context;

pub use abi::{IPC_BUFFER_ADDR, KERNEL_MCS, PAGE_SIZE, PRINTING, USER_TOP};
pub use cptr::{CPtr, CPtrBits, Cap, CapType, cap, cap_type};
pub use debug::{DebugWrite, debug_put_char};
pub use error::{Error, Result};
pub use fault::{
    CapFault, DebugException, Fault, NullFault, OtherFault, Timeout, UnknownSyscall, UserException,
    VmFault,
};
pub use ipc_buffer::{IpcBuffer, NUM_MESSAGE_REGISTERS, with_ipc_buffer, with_ipc_buffer_mut};
pub use message_info::{MessageInfo, MessageInfoBuilder};
#[cfg(not(sel4_mcs))]
pub use syscalls::reply;
pub use syscalls::{ReplyAuthority, answer, reply_authority, r#yield};
pub use user_context::UserContext;

/// `seL4_Word`.
pub type Word = u64;

/// Bits in a [`Word`].
pub const WORD_SIZE: usize = Word::BITS as usize;

/// What the kernel says about a message's sender; who made the capability chose it.
pub type Badge = Word;

/// For this crate's macros.
#[doc(hidden)]
pub mod _private {
    pub use crate::debug::print;
}
