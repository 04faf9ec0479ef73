// SPDX-License-Identifier: BSD-2-Clause
//! The records: fixed size, explicit padding, no pointers.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// "ISTHSPEC" in memory order.
pub const MAGIC: u64 = u64::from_le_bytes(*b"ISTHSPEC");
/// Version of this layout. Tool and initialiser of one SDK directory always agree; this catches a
/// mixed one.
pub const VERSION: u32 = 1;

/// [`Region::paddr`] of a region that may lie anywhere.
pub const NO_PADDR: u64 = u64::MAX;
/// [`PdRecord::parent`] of a PD without a parent.
pub const NO_INDEX: u32 = u32::MAX;

/// Where a table lies: byte offset from the start of the spec, number of records.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Table {
    /// Bytes from the start of the spec.
    pub offset: u64,
    /// Records (bytes for `names` and `data`).
    pub count: u64,
}

/// First thing in the spec.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`VERSION`].
    pub version: u32,
    /// Always zero.
    pub reserved: u32,
    /// Bytes of the whole spec, data included.
    pub total_len: u64,
    /// [`PdRecord`]s.
    pub pds: Table,
    /// [`Area`]s of all PDs.
    pub areas: Table,
    /// [`Map`]s of all PDs.
    pub maps: Table,
    /// [`Cap`]s of all PDs.
    pub caps: Table,
    /// [`Region`]s.
    pub regions: Table,
    /// [`Irq`]s.
    pub irqs: Table,
    /// UTF-8 text that names point into.
    pub names: Table,
    /// Bytes that areas and regions point into.
    pub data: Table,
}

/// A run of records in a table, or of bytes in `names` or `data`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Span {
    /// Index of the first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// A protection domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PdRecord {
    /// Name, in `names`.
    pub name: Span,
    /// Private memory, in `areas`: image and stack (not the IPC buffer).
    pub areas: Span,
    /// Mapped regions, in `maps`.
    pub maps: Span,
    /// Content of the CNode, in `caps`.
    pub caps: Span,
    /// First program counter.
    pub entry: u64,
    /// First stack pointer.
    pub stack_pointer: u64,
    /// Lowest mapped address of the stack; the monitor tells a stack overflow by it.
    pub stack_bottom: u64,
    /// Address of the IPC buffer: one readable and writable page, in no area.
    pub ipc_buffer: u64,
    /// Index of the PD that receives this one's faults, or [`NO_INDEX`] for the monitor.
    pub parent: u32,
    /// Priority, also the maximum controlled priority.
    pub priority: u8,
    /// 1 if the PD has an endpoint (receives calls or faults), else 0.
    pub has_endpoint: u8,
    /// Always zero.
    pub reserved: u16,
}

/// What may be done with a page (read, write, execute) or a capability (receive, send, grant).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Rights(pub u8);

impl Rights {
    /// Page: read. Capability: receive.
    pub const READ: Rights = Rights(1);
    /// Page: write. Capability: send.
    pub const WRITE: Rights = Rights(2);
    /// Page: execute.
    pub const EXECUTE: Rights = Rights(4);
    /// Capability: grant. This kernel makes no reply capability for a call, and delivers no fault,
    /// without it.
    pub const GRANT: Rights = Rights(8);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// Whether every right of `other` is in `self`.
    #[must_use]
    pub const fn has(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Private memory of one PD in small pages: the first bytes are `data`, the rest is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Area {
    /// First address, page-aligned.
    pub vaddr: u64,
    /// Number of small pages.
    pub pages: u64,
    /// Bytes at the start of the area, in `data`; no longer than the area.
    pub data: Span,
    /// Page rights.
    pub rights: Rights,
    /// Always zero.
    pub reserved: [u8; 7],
}

/// A whole region mapped into one PD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Map {
    /// First address, aligned to the region's page size.
    pub vaddr: u64,
    /// Index in `regions`.
    pub region: u32,
    /// Page rights.
    pub rights: Rights,
    /// 1 for normal cached memory, 0 for device memory attributes.
    pub cached: u8,
    /// Always zero.
    pub reserved: u16,
}

/// What a region's frames are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(u8)]
pub enum RegionKind {
    /// Memory: zeroed, then filled with `data`.
    Ram = 0,
    /// Device untyped memory; always has a `paddr`, never data.
    Device = 1,
}

/// A memory region, mapped by any number of PDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Region {
    /// Name, in `names`.
    pub name: Span,
    /// Physical address of the first page (the pages follow one another), or [`NO_PADDR`].
    pub paddr: u64,
    /// Number of pages.
    pub pages: u64,
    /// Bytes at the start of the region, in `data`.
    pub data: Span,
    /// log2 of the page size: 12 or 21.
    pub page_bits: u32,
    /// Memory or device.
    pub kind: RegionKind,
    /// Always zero.
    pub reserved: [u8; 3],
}

/// What a capability names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(u8)]
pub enum CapKind {
    /// Endpoint of PD `object`.
    Endpoint = 0,
    /// The monitor's endpoint; `object` is 0.
    MonitorEndpoint = 1,
    /// Notification of PD `object`.
    Notification = 2,
    /// TCB of PD `object`; rights do not apply.
    Tcb = 3,
    /// Handler of interrupt `object` in `irqs`; rights do not apply.
    IrqHandler = 4,
}

/// A slot in a PD's CNode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Cap {
    /// Badge; 0 for none. At most 28 bits on an endpoint.
    pub badge: u64,
    /// Slot, below 2^[`CNODE_BITS`](crate::abi::CNODE_BITS).
    pub slot: u32,
    /// Index of the object, see [`CapKind`].
    pub object: u32,
    /// What it names.
    pub kind: CapKind,
    /// What it allows.
    pub rights: Rights,
    /// Always zero.
    pub reserved: [u8; 6],
}

/// An interrupt, delivered to the notification of a PD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Irq {
    /// Badge of the notification.
    pub badge: u64,
    /// Interrupt number as the kernel counts (a shared peripheral interrupt is its number + 32).
    pub number: u32,
    /// Index of the PD.
    pub pd: u32,
}
