// SPDX-License-Identifier: BSD-2-Clause
//! System calls by way of the crate `sel4`, each thread with an IPC buffer of its own.

use core::fmt;

use sel4::sys::{number, svc, svc_short};
use sel4::{Badge, Fault, IpcBuffer, MessageInfo};

/// Why the kernel refused an invocation.
#[derive(Clone, Copy, Debug)]
pub struct KernelError {
    /// The kind of error.
    pub code: sel4::Error,
    /// First three words of the reply; for `FailedLookup` the third says how many bits of the
    /// address were not looked up.
    pub details: [u64; 3],
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kernel answered {:?} {:x?}", self.code, self.details)
    }
}

/// This thread's way to the kernel: it owns the IPC buffer.
pub struct Kernel {
    buffer: *mut IpcBuffer,
}

impl Kernel {
    /// # Safety
    /// `buffer` must be the address of this thread's IPC buffer, and this the thread's only
    /// `Kernel`.
    pub unsafe fn new(buffer: u64) -> Self {
        Self {
            buffer: core::ptr::with_exposed_provenance_mut(buffer as usize),
        }
    }

    fn buffer(&mut self) -> &mut IpcBuffer {
        // SAFETY: the IPC buffer is ours (see `new`), and the borrow of `self` ends before the next
        // system call, which is when the kernel writes it.
        unsafe { &mut *self.buffer }
    }

    /// Invokes `cap`: `caps` and `words` are the arguments.
    pub(super) fn invoke(
        &mut self,
        cap: u64,
        label: u64,
        caps: &[u64],
        words: &[u64],
    ) -> Result<(), KernelError> {
        let buffer = self.buffer();
        buffer.caps_or_badges_mut()[..caps.len()].copy_from_slice(caps);
        let registers = buffer.msg_regs_mut();
        registers[..words.len()].copy_from_slice(words);
        let fast = core::array::from_fn(|index| registers[index]);
        let info = MessageInfo::new(label, 0, caps.len(), words.len());
        let reply = svc(number::CALL, cap, info, fast, 0);
        let [first, second, third, _] = reply.registers;
        sel4::Error::check(&reply.info).map_err(|code| KernelError {
            code,
            details: [first, second, third],
        })
    }

    /// Waits for the message of a fault on endpoint `cap`.
    pub fn receive_fault(&mut self, cap: u64) -> (Badge, Fault) {
        let received = svc(number::RECV, cap, MessageInfo::EMPTY, [0; 4], 0);
        let buffer = self.buffer();
        buffer.msg_regs_mut()[..4].copy_from_slice(&received.registers);
        let fault = Fault::new(buffer, &received.info);
        (received.badge, fault)
    }

    /// Gives the thread of TCB `tcb` a name for the debug output of a kernel that has one.
    pub(super) fn debug_name_thread(&mut self, tcb: u64, name: &str) {
        if sel4::PRINTING {
            let bytes = self.buffer().msg_bytes_mut();
            let len = name.len().min(bytes.len() - 1);
            bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
            bytes[len] = 0;
            svc_short(number::DEBUG_NAME_THREAD, tcb, MessageInfo::EMPTY);
        }
    }
}

/// Whether this thread has a capability at `cap`. For printing kernels only.
pub fn debug_holds(cap: u64) -> bool {
    svc_short(number::DEBUG_CAP_IDENTIFY, cap, MessageInfo::EMPTY) != 0
}
