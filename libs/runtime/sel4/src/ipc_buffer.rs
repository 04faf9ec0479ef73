// SPDX-License-Identifier: BSD-2-Clause

//! The page that a thread shares with the kernel: message registers and capability transfer.
//!
//! The kernel reads and writes message registers 0 to 3 in processor registers; this crate copies
//! them from and to the page around every system call, so that to a PD all registers look alike.
//! Messages of up to four words so touch two cache lines and nothing else.

use core::mem::offset_of;
use core::slice;

use crate::Word;
#[cfg(not(target_os = "none"))]
use crate::host as place;
use place::{borrowed, buffer, set_borrowed};

/// Words in the longest message.
pub const NUM_MESSAGE_REGISTERS: usize = 120;

/// Message registers that travel in processor registers.
pub(crate) const FAST_REGISTERS: usize = 4;

/// `seL4_IPCBuffer`.
#[repr(C)]
pub struct IpcBuffer {
    tag: Word,
    msg: [Word; NUM_MESSAGE_REGISTERS],
    user_data: Word,
    caps_or_badges: [Word; 3],
    receive_cnode: Word,
    receive_index: Word,
    receive_depth: Word,
}

const _: () = assert!(offset_of!(IpcBuffer, msg) == 8 && size_of::<IpcBuffer>() == 1024);

impl IpcBuffer {
    /// The message registers. After a receive those beyond the message's length hold what was there
    /// before.
    pub fn msg_regs(&self) -> &[Word] {
        &self.msg
    }

    /// The message registers, to be written.
    pub fn msg_regs_mut(&mut self) -> &mut [Word] {
        &mut self.msg
    }

    /// The capabilities that a message carries, to be written.
    pub fn caps_or_badges_mut(&mut self) -> &mut [Word] {
        &mut self.caps_or_badges
    }

    /// The message registers as bytes.
    pub fn msg_bytes(&self) -> &[u8] {
        // SAFETY: the words are initialised, a byte needs no alignment, and the borrow of `self`
        // covers the slice.
        unsafe { slice::from_raw_parts(self.msg.as_ptr().cast(), size_of_val(&self.msg)) }
    }

    /// The message registers as bytes, to be written.
    pub fn msg_bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `msg_bytes`, and any bytes make valid words.
        unsafe { slice::from_raw_parts_mut(self.msg.as_mut_ptr().cast(), size_of_val(&self.msg)) }
    }
}

/// The place of the buffer, and its borrows.
#[cfg(target_os = "none")]
mod place {
    use core::sync::atomic::{AtomicU32, Ordering};

    use super::IpcBuffer;
    use crate::IPC_BUFFER_ADDR;

    /// The number of closures with a shared borrow of the buffer, or
    /// [`EXCLUSIVE`](super::EXCLUSIVE). The PD has one thread: the atomic only spares an unsafe
    /// cell.
    static BORROWED: AtomicU32 = AtomicU32::new(0);

    #[inline(always)]
    pub fn borrowed() -> u32 {
        BORROWED.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub fn set_borrowed(borrowed: u32) {
        BORROWED.store(borrowed, Ordering::Relaxed);
    }

    #[inline(always)]
    pub fn buffer() -> *mut IpcBuffer {
        core::ptr::with_exposed_provenance_mut(IPC_BUFFER_ADDR)
    }
}

const EXCLUSIVE: u32 = u32::MAX;

/// Runs `f` with the IPC buffer.
///
/// # Panics
/// If called inside of [`with_ipc_buffer_mut`].
pub fn with_ipc_buffer<F, T>(f: F) -> T
where
    F: FnOnce(&IpcBuffer) -> T,
{
    let readers = borrowed();
    assert!(readers < EXCLUSIVE - 1, "the IPC buffer is borrowed");
    set_borrowed(readers + 1);
    // SAFETY: Microkit maps the buffer at this address for the PD's whole life. Nobody holds it
    // exclusively (checked), and every function of this crate that writes it checks that nobody
    // holds it at all.
    let result = f(unsafe { &*buffer() });
    set_borrowed(readers);
    result
}

/// Runs `f` with the IPC buffer, to be written.
///
/// # Panics
/// If called inside of [`with_ipc_buffer`] or of itself. Neither may a system call be made inside
/// that transfers a message.
pub fn with_ipc_buffer_mut<F, T>(f: F) -> T
where
    F: FnOnce(&mut IpcBuffer) -> T,
{
    check_unborrowed();
    set_borrowed(EXCLUSIVE);
    // SAFETY: mapped for the PD's whole life; nobody else holds it (checked).
    let result = f(unsafe { &mut *buffer() });
    set_borrowed(0);
    result
}

#[inline(always)]
fn check_unborrowed() {
    assert!(borrowed() == 0, "the IPC buffer is borrowed");
}

/// The first registers, for a system call that sends them.
#[inline(always)]
pub(crate) fn fast_registers() -> [Word; FAST_REGISTERS] {
    check_unborrowed();
    // SAFETY: mapped for the PD's whole life, and nobody holds a reference (checked); the array is
    // the start of `msg`.
    unsafe {
        (&raw const (*buffer()).msg)
            .cast::<[Word; FAST_REGISTERS]>()
            .read()
    }
}

/// Stores what a system call left in the first registers.
#[inline(always)]
pub(crate) fn set_fast_registers(registers: [Word; FAST_REGISTERS]) {
    check_unborrowed();
    // SAFETY: as in `fast_registers`.
    unsafe {
        (&raw mut (*buffer()).msg)
            .cast::<[Word; FAST_REGISTERS]>()
            .write(registers)
    }
}
