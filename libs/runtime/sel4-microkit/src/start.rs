// SPDX-License-Identifier: BSD-2-Clause

//! The first instructions of a PD, at its first start and at every restart.
//!
//! A parent may restart a PD at any instruction (`Child::restart`), also in the middle of this
//! file. Only the program counter is then known; all else is what the interrupted code left:
//! registers, stack pointer, `.data`, `.bss`.
//!
//! What makes that safe, step by step:
//! 1. The stack pointer is set before anything else, and no stack is used before Rust code runs.
//! 2. At the first start `.data` is as linked and `.bss` is zero (Microkit's initialiser), because
//!    no Rust code has run. `.data` is copied to `.data_backup`, its checksum is stored, and *then*
//!    `STATE` is set. A restart before that finds `STATE` still 0 and does the same copy again, of
//!    a `.data` that is still as linked. One thread on one core: what is stored first is seen
//!    first.
//! 3. At a restart (`STATE` is `BACKED_UP`) the same loop copies the backup to `.data` and checks
//!    its sum, and `.bss` is cleared. A restart inside of that starts it anew; nothing it reads is
//!    changed by it.
//! 4. A backup with a wrong checksum, or a `STATE` that is neither value, means that the PD
//!    overwrote its own memory in a way that cannot be repaired: it stops at an undefined
//!    instruction, with the reason in x0, before any code of its own runs, and its parent sees the
//!    fault.
//!
//! The image begins with a table of jumps, so that a parent knows without symbols where to send the
//! child: start, park, hang.
//!
//! `.microkit.vars` is in a segment that the PD cannot write, `.persistent` is left alone, and
//! `.noinit` belongs to the code that uses it.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::persistent;

#[cfg(target_os = "none")]
mod assembly;

/// The address at which execution starts and restarts: the start of the image, by
/// `microkit-pd.ld`. A parent passes it to [`Child::restart`](crate::Child::restart). Not upstream.
pub const ENTRY_POINT: usize = 0x20_0000;

/// The address to which a parent sends a child that it does not want to start yet. There the child
/// answers each call, the one it was caught in first, with [`RESTARTED`](crate::RESTARTED), drops
/// signals, and does nothing else. It uses none of its data, so a child that has spoilt its own
/// memory answers, too. A restart at [`ENTRY_POINT`] ends it. Not upstream.
pub const PARK_POINT: usize = ENTRY_POINT + 4;

/// An instruction that jumps to itself, for tests of a parent that watches its children.
/// Not upstream.
pub const HANG_POINT: usize = ENTRY_POINT + 8;

/// The stack's upper end: below the IPC buffer and a guard page (Microkit 2.3). Not upstream.
pub const STACK_TOP: usize = sel4::IPC_BUFFER_ADDR - sel4::PAGE_SIZE;

persistent! {
    static RESTARTS: AtomicU64 = AtomicU64::new(0);
}

/// Returns how often the PD has been restarted since the system booted. Not upstream.
pub fn restart_count() -> u64 {
    RESTARTS.load(Ordering::Relaxed)
}
