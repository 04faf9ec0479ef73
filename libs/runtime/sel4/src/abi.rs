// SPDX-License-Identifier: BSD-2-Clause

//! Constants of the kernel that this build is for, from the SDK by way of `build.rs`.

mod generated {
    include!(concat!(env!("OUT_DIR"), "/abi.rs"));
}

pub(crate) use generated::{
    IRQ_ACK_IRQ, TCB_READ_REGISTERS, TCB_RESUME, TCB_SUSPEND, TCB_WRITE_REGISTERS,
};

/// Whether the kernel has scheduling contexts and reply objects (configuration `KERNEL_MCS`). Not
/// upstream.
pub const KERNEL_MCS: bool = generated::KERNEL_MCS;

/// Whether the kernel prints what [`debug_put_char`](crate::debug_put_char) is given. Where it does
/// not, the macros print nothing. Not upstream.
pub const PRINTING: bool = generated::PRINTING;

/// Bytes in the smallest page. Not upstream.
pub const PAGE_SIZE: usize = 4096;

/// The address of a PD's IPC buffer: Microkit maps it to the highest page (Microkit 2.3,
/// `libmicrokit`). Not upstream.
pub const IPC_BUFFER_ADDR: usize = generated::USER_TOP & !(PAGE_SIZE - 1);
