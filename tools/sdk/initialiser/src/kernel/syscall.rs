// SPDX-License-Identifier: BSD-2-Clause
//! System calls of seL4 5.0.0 on AArch64: number in x7, capability in x0, message info in x1, the
//! first four words of the message in x2 to x5, the rest in the IPC buffer.

use core::arch::asm;

use super::error::KernelError;
use super::numbers;

/// Words of a message that travel in registers.
const REGISTERS: usize = 4;
/// Capabilities that a message can carry.
const MAX_CAPS: usize = 3;
const MAX_WORDS: usize = 120;

/// A thread's IPC buffer (libsel4 of seL4 5.0.0).
#[repr(C)]
struct IpcBuffer {
    tag: u64,
    words: [u64; MAX_WORDS],
    user_data: u64,
    caps: [u64; MAX_CAPS],
    receive: [u64; 3],
}

/// What was received.
pub struct Message {
    /// Badge of the capability that it was sent with.
    pub badge: u64,
    /// Label.
    pub label: u64,
    /// First four words; what the sender did not send is unspecified.
    pub words: [u64; REGISTERS],
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
            buffer: buffer as *mut IpcBuffer,
        }
    }

    /// Invokes `cap`: `caps` and `words` are the arguments. Gives the first word of the reply.
    pub(super) fn invoke(
        &mut self,
        cap: u64,
        label: i64,
        caps: &[u64],
        words: &[u64],
    ) -> Result<u64, KernelError> {
        let mut registers = [0; REGISTERS];
        for (index, word) in words.iter().enumerate() {
            match registers.get_mut(index) {
                Some(register) => *register = *word,
                // SAFETY: the IPC buffer is ours (see `new`), and no invocation has more than
                // MAX_WORDS words.
                None => unsafe { (&raw mut (*self.buffer).words[index]).write_volatile(*word) },
            }
        }
        for (index, cap) in caps.iter().enumerate() {
            // SAFETY: the IPC buffer is ours (see `new`), and no invocation has more than MAX_CAPS
            // capabilities.
            unsafe { (&raw mut (*self.buffer).caps[index]).write_volatile(*cap) };
        }
        let info = (label as u64) << 12 | (caps.len() as u64) << 7 | words.len() as u64;
        let (info, registers) = call(cap, info, registers);
        match info >> 12 {
            0 => Ok(registers[0]),
            error => Err(KernelError {
                code: error.into(),
                details: [registers[0], registers[1], registers[2]],
            }),
        }
    }

    /// Waits for a message on endpoint `cap`.
    pub fn receive(&mut self, cap: u64) -> Message {
        let (badge, info, words): (u64, u64, [u64; REGISTERS]);
        let (w0, w1, w2, w3);
        // SAFETY: the system call writes these registers and the IPC buffer, which is only read
        // through `self`.
        unsafe {
            asm!(
                "svc #0",
                in("x7") numbers::SYS_RECV,
                inout("x0") cap => badge,
                out("x1") info,
                out("x2") w0,
                out("x3") w1,
                out("x4") w2,
                out("x5") w3,
                options(nostack),
            );
        }
        words = [w0, w1, w2, w3];
        Message {
            badge,
            label: (info >> 12) & 0xF_FFFF,
            words,
        }
    }

    /// Word `index` of the message that was received last, for words that do not travel in
    /// registers.
    pub fn received_word(&self, index: usize) -> u64 {
        if index >= MAX_WORDS {
            return 0;
        }
        // SAFETY: the IPC buffer is ours (see `new`), and the index is within it.
        unsafe { (&raw const (*self.buffer).words[index]).read_volatile() }
    }

    /// Gives the thread of TCB `tcb` a name for the kernel's debug output.
    #[cfg(kernel_prints)]
    pub fn debug_name_thread(&mut self, tcb: u64, name: &str) {
        let bytes = name.bytes().take(MAX_WORDS * 8 - 1).chain([0]);
        for (index, byte) in bytes.enumerate() {
            // SAFETY: the IPC buffer is ours (see `new`), and the name with its end fits into the
            // words.
            unsafe {
                (&raw mut (*self.buffer).words)
                    .cast::<u8>()
                    .add(index)
                    .write_volatile(byte)
            };
        }
        // SAFETY: a debug system call, which changes nothing that this program can see.
        unsafe {
            asm!(
                "svc #0",
                in("x7") numbers::SYS_DEBUG_NAME_THREAD,
                inout("x0") tcb => _,
                out("x1") _, out("x2") _, out("x3") _, out("x4") _, out("x5") _,
                options(nostack),
            );
        }
    }
}

fn call(cap: u64, info: u64, words: [u64; REGISTERS]) -> (u64, [u64; REGISTERS]) {
    let [mut w0, mut w1, mut w2, mut w3] = words;
    let reply;
    // SAFETY: the system call writes these registers and the IPC buffer, which is only accessed by
    // volatile means.
    unsafe {
        asm!(
            "svc #0",
            in("x7") numbers::SYS_CALL,
            inout("x0") cap => _,
            inout("x1") info => reply,
            inout("x2") w0,
            inout("x3") w1,
            inout("x4") w2,
            inout("x5") w3,
            options(nostack),
        );
    }
    (reply, [w0, w1, w2, w3])
}

/// Prints one byte on the kernel's console.
#[cfg(kernel_prints)]
pub fn debug_put_char(byte: u8) {
    // SAFETY: a debug system call, which changes nothing that this program can see.
    unsafe {
        asm!(
            "svc #0",
            in("x7") numbers::SYS_DEBUG_PUT_CHAR,
            inout("x0") u64::from(byte) => _,
            out("x1") _, out("x2") _, out("x3") _, out("x4") _, out("x5") _,
            options(nostack),
        );
    }
}

/// Whether this thread has a capability at `cap`.
#[cfg(kernel_prints)]
pub fn debug_holds(cap: u64) -> bool {
    let kind: u64;
    // SAFETY: a debug system call, which changes nothing that this program can see.
    unsafe {
        asm!(
            "svc #0",
            in("x7") numbers::SYS_DEBUG_CAP_IDENTIFY,
            inout("x0") cap => kind,
            out("x1") _, out("x2") _, out("x3") _, out("x4") _, out("x5") _,
            options(nostack),
        );
    }
    kind != 0
}
