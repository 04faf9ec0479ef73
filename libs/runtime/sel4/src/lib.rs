// SPDX-License-Identifier: BSD-2-Clause

//! seL4 for protection domains on AArch64: system calls, capabilities, message registers, faults.
//!
//! Names and signatures are those of the crate `sel4` of
//! [rust-sel4](https://github.com/seL4/rust-sel4), for the subset that protection domains use, so
//! that a PD can move to upstream's crate by a change in its manifest. The code is this
//! project's own: stable Rust, no C, no generated headers. The build script reads the ABI from the
//! Microkit SDK that the image is made with (see `build.rs` and the crate `sel4-abi`).
//!
//! Two kernels are known, told apart by [`KERNEL_MCS`]:
//! - seL4 16 with MCS (official SDK 2.3): reply objects, scheduling contexts;
//! - seL4 5.0.0 (registry SDK): the reply capability is implicit, message labels have 20 bits.
//!
//! On the host everything compiles, with the constants of a kernel with MCS. A system call there
//! goes to the test peer that the module `host` keeps for the calling thread.
//!
//! A protection domain has one thread, so nothing here is synchronised between threads. On seL4
//! 5.0.0 `tpidr_el0` holds the address of the IPC buffer, so there is no thread-local storage
//! either.
//!
//! # Against upstream
//!
//! Compared with rust-sel4 5.0.0. What it does not name is marked "not upstream" where it stands.
//!
//! | | |
//! | --- | --- |
//! | as upstream | [`CPtr`], [`Cap`] with the types in [`cap`] and the methods for messages, signals, interrupts and registers; [`MessageInfo`], [`IpcBuffer`] and access to it, [`Fault`], [`UserContext`], [`Error`], [`ReplyAuthority`], [`debug_println!`] |
//! | not upstream | [`KERNEL_MCS`], [`PRINTING`], [`PAGE_SIZE`], [`IPC_BUFFER_ADDR`], [`answer`]; [`cap::Reply`] and [`Cap::nb_send_recv`] without MCS; fields of faults that upstream keeps to itself, [`Fault::ip`], [`VmFault::is_write`], [`VmFault::is_unmapped`]; `Display` for [`Fault`]; `core::error::Error` for [`Error`]; `const` of [`MessageInfo`]'s methods; debug output, that goes nowhere, on kernels that do not print |
//! | otherwise than upstream | [`Fault`] has the same variants for every kernel, none for virtual machines, and one for any other label, so a `match` needs a `_`; an unknown fault or error is a value, not a panic |
//! | not there | invocation contexts (the parameter `C`) and `set_ipc_buffer`: there is one buffer, at a fixed address; `sys`, `config`, `bootinfo`; objects that a PD has no capabilities to |

#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

#[cfg(all(target_os = "none", not(target_arch = "aarch64")))]
compile_error!(
    "this crate is for seL4 on AArch64: build with --target aarch64-unknown-none-softfloat (or, with the FPU, aarch64-unknown-none)"
);

mod abi;
mod cptr;
mod debug;
mod error;
mod fault;
#[cfg(not(target_os = "none"))]
#[doc(hidden)]
pub mod host;
mod invocations;
mod ipc_buffer;
mod message_info;
mod syscalls;
mod user_context;

pub use abi::{IPC_BUFFER_ADDR, KERNEL_MCS, PAGE_SIZE, PRINTING};
pub use cptr::{CPtr, CPtrBits, Cap, CapType, cap, cap_type};
pub use debug::{DebugWrite, debug_put_char};
pub use error::{Error, Result};
pub use fault::{
    CapFault, DebugException, Fault, NullFault, Timeout, UnknownSyscall, UserException, VmFault,
};
pub use ipc_buffer::{IpcBuffer, NUM_MESSAGE_REGISTERS, with_ipc_buffer, with_ipc_buffer_mut};
pub use message_info::{MessageInfo, MessageInfoBuilder};
#[cfg(not(sel4_mcs))]
pub use syscalls::ImplicitReplyAuthority;
pub use syscalls::{ConveysReplyAuthority, ReplyAuthority, answer, r#yield};
pub use user_context::UserContext;

/// `seL4_Word`.
pub type Word = u64;

/// Bits in a [`Word`].
pub const WORD_SIZE: usize = Word::BITS as usize;

/// The word by which the kernel identifies a message's sender. The creator of the capability chose
/// it.
pub type Badge = Word;

/// System calls for the registry SDK's initialiser, whose threads have IPC buffers elsewhere.
#[doc(hidden)]
pub mod sys {
    pub use crate::syscalls::{Received, number, svc, svc_short};
}

/// For this crate's macros.
#[doc(hidden)]
pub mod _private {
    pub use crate::debug::print;
}
