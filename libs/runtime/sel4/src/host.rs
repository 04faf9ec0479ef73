// SPDX-License-Identifier: BSD-2-Clause

//! The kernel's test peer: what a system call reaches on the host. Each thread has one, and an IPC
//! buffer of its own.

use core::cell::{Cell, RefCell};
use core::ptr;
use std::boxed::Box;

pub use crate::syscalls::Received as Outcome;
pub use crate::syscalls::number::*;
use crate::{IpcBuffer, MessageInfo, Word, ipc_buffer::FAST_REGISTERS};

/// A system call as the kernel gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemCall {
    /// The number of the call, such as [`CALL`].
    pub number: Word,
    /// The capability, which is the source for [`NB_SEND_RECV`].
    pub cap: Word,
    /// The destination of [`NB_SEND_RECV`]; 0 for the others.
    pub destination: Word,
    /// The message that is sent.
    pub info: MessageInfo,
    /// Its first registers. The others are in the IPC buffer.
    pub registers: [Word; FAST_REGISTERS],
}

/// The size of an [`IpcBuffer`].
const BUFFER_WORDS: usize = size_of::<IpcBuffer>() / 8;

type Kernel = Box<dyn FnMut(SystemCall) -> Outcome>;

std::thread_local! {
    static KERNEL: RefCell<Option<Kernel>> = const { RefCell::new(None) };
    static BUFFER: Cell<*mut IpcBuffer> = const { Cell::new(ptr::null_mut()) };
    static BORROWED: Cell<u32> = const { Cell::new(0) };
}

/// Lets `kernel` carry out the system calls that this thread makes from now on.
pub fn set_kernel(kernel: impl FnMut(SystemCall) -> Outcome + 'static) {
    KERNEL.set(Some(Box::new(kernel)));
}

fn enter(call: SystemCall) -> Outcome {
    // Taken out, as the kernel may look at the IPC buffer.
    let Some(mut kernel) = KERNEL.take() else {
        panic!("a system call on the host, without a test peer: {call:?}");
    };
    let outcome = kernel(call);
    KERNEL.set(Some(kernel));
    outcome
}

/// As on the target.
pub fn svc(
    number: Word,
    cap: Word,
    info: MessageInfo,
    registers: [Word; FAST_REGISTERS],
    _reply: Word,
) -> Outcome {
    enter(SystemCall {
        number,
        cap,
        destination: 0,
        info,
        registers,
    })
}

/// As on the target.
pub fn svc_short(number: Word, cap: Word, info: MessageInfo) -> Word {
    svc(number, cap, info, [0; FAST_REGISTERS], 0).badge
}

pub(crate) fn svc_nb_send_recv(
    number: Word,
    destination: Word,
    info: MessageInfo,
    source: Word,
    _reply: Word,
) -> Outcome {
    enter(SystemCall {
        number,
        cap: source,
        destination,
        info,
        registers: [0; FAST_REGISTERS],
    })
}

/// This thread's IPC buffer. It is never freed, as the target's is not.
pub(crate) fn buffer() -> *mut IpcBuffer {
    BUFFER.with(|buffer| {
        if buffer.get().is_null() {
            buffer.set(ptr::from_mut(Box::leak(Box::new([0_u64; BUFFER_WORDS]))).cast());
        }
        buffer.get()
    })
}

pub(crate) fn borrowed() -> u32 {
    BORROWED.get()
}

pub(crate) fn set_borrowed(borrowed: u32) {
    BORROWED.set(borrowed);
}
