// SPDX-License-Identifier: BSD-2-Clause
//! What a PD can rely on: address space, capability slots, badges. The runtime crate
//! `sel4-microkit` has the other end.
//!
//! Slots and address-space rules are those of Microkit 2.3. Badges are not: an endpoint badge of
//! this kernel has 28 bits (64 in later kernels), so Microkit's bits 63 and 62 do not fit. A
//! notification badge has 64 bits, and therefore it is the notifications that are marked here.

/// Highest user address, inclusive: `vspace_user_top` in `address_space_constants.json`. The same
/// value as the official SDK's for this board, so that one `system.xml` suits both; the kernel
/// itself would allow 2^48 − 1.
pub const USER_TOP: u64 = 0xFF_FFFF_FFFF;

/// Size of a small page in bytes.
pub const SMALL_PAGE: u64 = 0x1000;
/// Size of a large page in bytes.
pub const LARGE_PAGE: u64 = 0x20_0000;

/// Address of the page with the IPC buffer.
pub const IPC_BUFFER: u64 = USER_TOP & !(SMALL_PAGE - 1);
/// Initial stack pointer; the page above is unmapped and guards the IPC buffer.
pub const STACK_TOP: u64 = IPC_BUFFER - SMALL_PAGE;

/// log2 of the number of slots in a PD's CNode. It is the PD's CSpace root, with a guard of `64 -
/// CNODE_BITS` zero bits.
pub const CNODE_BITS: u32 = 9;

/// Priority of the initialiser. PDs have at most one less.
pub const INITIALISER_PRIORITY: u8 = 255;
/// Priority of the monitor: what it prints delays nobody but PDs that are as unimportant.
pub const MONITOR_PRIORITY: u8 = 1;
/// Highest number of PDs.
pub const MAX_PDS: usize = 63;
/// Highest channel, interrupt or child id.
pub const MAX_ID: u64 = 61;
/// Highest interrupt number: the kernel's interrupt capability holds 8 bits.
pub const MAX_IRQ: u64 = 255;

/// Slots of a PD's CNode.
pub mod slots {
    /// Where the PD receives: its endpoint if it has one, otherwise its notification.
    pub const INPUT: u32 = 1;
    /// Fault endpoint of the PD, looked up by the kernel.
    pub const FAULT: u32 = 2;
    /// First notification to a peer; index is the channel id.
    pub const NOTIFY: u32 = 10;
    /// First endpoint of a peer; index is the channel id.
    pub const CALL: u32 = 74;
    /// First interrupt handler; index is the id.
    pub const IRQ: u32 = 138;
    /// First child TCB; index is the child id.
    pub const CHILD_TCB: u32 = 202;
}

/// Badges as the receiver sees them. Exactly one of the three marks is set.
pub mod badges {
    /// Set in every notification (channels and interrupts); bits 0..=61 are then the channel ids.
    pub const NOTIFICATION: u64 = 1 << 63;
    /// Set in a fault of a child; bits 0..=7 are then the child's id.
    pub const FAULT: u64 = 1 << 26;
    /// Set in a protected call; bits 0..=5 are then the receiver's channel id.
    pub const CALL: u64 = 1 << 27;
    /// Faults of PDs without a parent, at the monitor: index of the PD + this.
    pub const MONITOR_BASE: u64 = 1;
}
