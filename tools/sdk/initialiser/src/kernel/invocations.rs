// SPDX-License-Identifier: BSD-2-Clause
//! Invocations as methods. Capabilities are slots of the initialiser's own CNode unless said
//! otherwise; an error is the kernel's.

use sdk_spec::Rights;

use super::numbers;
use super::syscall::{Kernel, KernelError};
use crate::bootinfo::slots;

type Done = Result<(), KernelError>;

/// Bits of a capability address in the initialiser's CSpace.
const ROOT_DEPTH: u64 = 64;

/// Kinds of objects that the initialiser makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectType {
    /// Untyped memory of 2^n bytes.
    Untyped(u8),
    /// Thread control block.
    Tcb,
    /// Endpoint.
    Endpoint,
    /// Notification.
    Notification,
    /// CNode of 2^n slots.
    CNode(u8),
    /// Frame of 4 KiB.
    SmallPage,
    /// Frame of 2 MiB.
    LargePage,
    /// A level of an address space.
    Table(TableKind),
    /// Top level of an address space.
    VSpace,
}

/// Levels of an address space below its top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Covers 512 GiB.
    UpperDirectory,
    /// Covers 1 GiB.
    Directory,
    /// Covers 2 MiB.
    PageTable,
}

impl ObjectType {
    /// log2 of the memory that one takes.
    pub fn size_bits(self) -> u8 {
        let bits = match self {
            Self::Untyped(bits) => u64::from(bits),
            Self::Tcb => numbers::TCB_BITS,
            Self::Endpoint => numbers::ENDPOINT_BITS,
            Self::Notification => numbers::NOTIFICATION_BITS,
            Self::CNode(slot_bits) => u64::from(slot_bits) + numbers::SLOT_BITS,
            Self::SmallPage => 12,
            Self::LargePage => 21,
            Self::Table(_) => numbers::PAGE_TABLE_BITS,
            Self::VSpace => numbers::VSPACE_BITS,
        };
        bits as u8
    }

    fn number(self) -> u64 {
        match self {
            Self::Untyped(_) => numbers::UNTYPED,
            Self::Tcb => numbers::TCB,
            Self::Endpoint => numbers::ENDPOINT,
            Self::Notification => numbers::NOTIFICATION,
            Self::CNode(_) => numbers::CAP_TABLE,
            Self::SmallPage => numbers::SMALL_PAGE,
            Self::LargePage => numbers::LARGE_PAGE,
            Self::Table(TableKind::UpperDirectory) => numbers::PAGE_UPPER_DIRECTORY,
            Self::Table(TableKind::Directory) => numbers::PAGE_DIRECTORY,
            Self::Table(TableKind::PageTable) => numbers::PAGE_TABLE,
            Self::VSpace => numbers::PAGE_GLOBAL_DIRECTORY,
        }
    }

    /// What the kernel asks for objects whose size is the caller's choice.
    fn user_size(self) -> u64 {
        match self {
            Self::Untyped(bits) | Self::CNode(bits) => u64::from(bits),
            _ => 0,
        }
    }
}

/// The kernel's word for rights.
#[derive(Clone, Copy)]
pub struct CapRights(u64);

impl CapRights {
    /// Receive, send and grant.
    pub const ALL: Self = Self(0b111);
}

impl From<Rights> for CapRights {
    fn from(rights: Rights) -> Self {
        let bit = |right, word| if rights.has(right) { word } else { 0 };
        Self(bit(Rights::WRITE, 0b001) | bit(Rights::READ, 0b010) | bit(Rights::GRANT, 0b100))
    }
}

/// The kernel's word for how a page is mapped.
#[derive(Clone, Copy)]
pub struct Attributes(u64);

impl Attributes {
    /// Normal memory or device memory; instructions may be fetched or not.
    pub fn new(cached: bool, executable: bool) -> Self {
        Self(u64::from(cached) | u64::from(!executable) << 2)
    }
}

/// Where a capability is copied from and what becomes of it.
pub struct Source {
    /// Slot of the original.
    pub slot: u64,
    /// Rights of the copy, at most the original's.
    pub rights: CapRights,
    /// Badge of the copy, 0 for none.
    pub badge: u64,
}

/// How a thread is set up.
pub struct TcbSetup {
    /// Slot of its fault endpoint in its *own* CNode.
    pub fault_endpoint: u64,
    /// Priority, also the highest that it may give to others.
    pub priority: u8,
    /// Its CNode.
    pub cnode: u64,
    /// log2 of the CNode's slots; the remaining bits of an address must be zero.
    pub cnode_bits: u32,
    /// Its address space.
    pub vspace: u64,
    /// Address of its IPC buffer.
    pub ipc_buffer: u64,
    /// Frame of its IPC buffer.
    pub ipc_frame: u64,
}

impl Kernel {
    /// Makes `count` objects out of `untyped`, in the slots from `first` on.
    pub fn retype(&mut self, untyped: u64, kind: ObjectType, first: u64, count: u64) -> Done {
        // Index and depth zero: the root CNode itself holds the slots.
        let words = [kind.number(), kind.user_size(), 0, 0, first, count];
        self.invoke(untyped, numbers::UNTYPED_RETYPE, &[slots::CNODE], &words)
    }

    /// Copies a capability with fewer rights or a badge into slot `to` of a CNode of 2^`bits`
    /// slots.
    pub fn mint(&mut self, cnode: u64, bits: u32, to: u64, from: &Source) -> Done {
        let words = [
            to,
            u64::from(bits),
            from.slot,
            ROOT_DEPTH,
            from.rights.0,
            from.badge,
        ];
        self.invoke(cnode, numbers::CNODE_MINT, &[slots::CNODE], &words)
    }

    /// Copies a capability as it is into slot `to` of a CNode of 2^`bits` slots.
    pub fn copy(&mut self, cnode: u64, bits: u32, to: u64, from: u64) -> Done {
        let words = [to, u64::from(bits), from, ROOT_DEPTH, CapRights::ALL.0];
        self.invoke(cnode, numbers::CNODE_COPY, &[slots::CNODE], &words)
    }

    /// Copies a capability within the root CNode.
    pub fn copy_here(&mut self, to: u64, from: u64) -> Done {
        self.copy(slots::CNODE, ROOT_DEPTH as u32, to, from)
    }

    /// Copies a capability within the root CNode, with fewer rights or a badge.
    pub fn mint_here(&mut self, to: u64, from: &Source) -> Done {
        self.mint(slots::CNODE, ROOT_DEPTH as u32, to, from)
    }

    /// Makes a new address space usable.
    pub fn assign_asid(&mut self, vspace: u64) -> Done {
        self.invoke(slots::ASID_POOL, numbers::ASID_POOL_ASSIGN, &[vspace], &[])
    }

    /// Maps a level of an address space so that it covers `vaddr`.
    pub fn map_table(&mut self, kind: TableKind, table: u64, vspace: u64, vaddr: u64) -> Done {
        let label = match kind {
            TableKind::UpperDirectory => numbers::PAGE_UPPER_DIRECTORY_MAP,
            TableKind::Directory => numbers::PAGE_DIRECTORY_MAP,
            TableKind::PageTable => numbers::PAGE_TABLE_MAP,
        };
        self.invoke(
            table,
            label,
            &[vspace],
            &[vaddr, Attributes::new(true, true).0],
        )
    }

    /// Maps a frame at `vaddr`.
    pub fn map_page(
        &mut self,
        frame: u64,
        vspace: u64,
        vaddr: u64,
        rights: CapRights,
        attributes: Attributes,
    ) -> Done {
        self.invoke(
            frame,
            numbers::PAGE_MAP,
            &[vspace],
            &[vaddr, rights.0, attributes.0],
        )
    }

    /// Takes a frame out of the address space that it is mapped in.
    pub fn unmap_page(&mut self, frame: u64) -> Done {
        self.invoke(frame, numbers::PAGE_UNMAP, &[], &[])
    }

    /// Writes what was stored to a mapped frame of `len` bytes back to memory.
    pub fn clean_page(&mut self, frame: u64, len: u64) -> Done {
        self.invoke(frame, numbers::PAGE_CLEAN_DATA, &[], &[0, len])
    }

    /// Lets instruction fetches see what was stored to a mapped frame of `len` bytes.
    pub fn unify_page(&mut self, frame: u64, len: u64) -> Done {
        self.invoke(frame, numbers::PAGE_UNIFY_INSTRUCTION, &[], &[0, len])
    }

    /// Makes the handler of interrupt `irq` in slot `to`.
    pub fn issue_irq_handler(&mut self, irq: u64, to: u64) -> Done {
        let words = [irq, to, ROOT_DEPTH];
        self.invoke(
            slots::IRQ_CONTROL,
            numbers::IRQ_ISSUE_HANDLER,
            &[slots::CNODE],
            &words,
        )
    }

    /// Lets `handler` signal `notification`, with that capability's badge.
    pub fn set_irq_notification(&mut self, handler: u64, notification: u64) -> Done {
        self.invoke(handler, numbers::IRQ_SET_HANDLER, &[notification], &[])
    }

    /// Sets up a thread.
    pub fn configure_tcb(&mut self, tcb: u64, setup: &TcbSetup) -> Done {
        let priorities = u64::from(setup.priority) << 8 | u64::from(setup.priority);
        // Guard of zero bits in front of the CNode's index bits: size from bit 2 on, value from bit
        // 8 on.
        let guard = u64::from(64 - setup.cnode_bits) << 2;
        let words = [setup.fault_endpoint, priorities, guard, 0, setup.ipc_buffer];
        let caps = [setup.cnode, setup.vspace, setup.ipc_frame];
        self.invoke(tcb, numbers::TCB_CONFIGURE, &caps, &words)
    }

    /// Lets the thread receive the notification whenever it receives a message.
    pub fn bind_notification(&mut self, tcb: u64, notification: u64) -> Done {
        self.invoke(tcb, numbers::TCB_BIND_NOTIFICATION, &[notification], &[])
    }

    /// Sets program counter and stack pointer; the thread stays suspended.
    pub fn write_registers(&mut self, tcb: u64, pc: u64, sp: u64) -> Done {
        // No flags, two registers.
        self.invoke(tcb, numbers::TCB_WRITE_REGISTERS, &[], &[0, 2, pc, sp])
    }

    /// Starts a thread.
    pub fn resume(&mut self, tcb: u64) -> Done {
        self.invoke(tcb, numbers::TCB_RESUME, &[], &[])
    }

    /// Stops a thread. If it is this one, the call does not return.
    pub fn suspend(&mut self, tcb: u64) -> Done {
        self.invoke(tcb, numbers::TCB_SUSPEND, &[], &[])
    }
}
