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

/// A kind of object that the initialiser makes.
#[derive(Clone, Copy, Debug)]
pub struct ObjectType {
    number: u64,
    /// log2 of the memory that one takes.
    pub size_bits: u8,
    /// The size that the kernel asks for if it is the caller's choice; 0 for all others.
    user_size: u64,
}

impl ObjectType {
    /// Thread control block.
    pub const TCB: Self = Self::fixed(numbers::TCB, numbers::TCB_BITS);
    /// An endpoint.
    pub const ENDPOINT: Self = Self::fixed(numbers::ENDPOINT, numbers::ENDPOINT_BITS);
    /// A notification.
    pub const NOTIFICATION: Self = Self::fixed(numbers::NOTIFICATION, numbers::NOTIFICATION_BITS);
    /// Frame of 4 KiB.
    pub const SMALL_PAGE: Self = Self::fixed(numbers::SMALL_PAGE, 12);
    /// Frame of 2 MiB.
    pub const LARGE_PAGE: Self = Self::fixed(numbers::LARGE_PAGE, 21);
    /// Top level of an address space.
    pub const VSPACE: Self = Self::fixed(numbers::PAGE_GLOBAL_DIRECTORY, numbers::VSPACE_BITS);

    const fn fixed(number: u64, bits: u64) -> Self {
        Self {
            number,
            size_bits: bits as u8,
            user_size: 0,
        }
    }

    /// Untyped memory of 2^`bits` bytes.
    pub const fn untyped(bits: u32) -> Self {
        Self {
            user_size: bits as u64,
            ..Self::fixed(numbers::UNTYPED, bits as u64)
        }
    }

    /// CNode of 2^`bits` slots.
    pub const fn cnode(bits: u32) -> Self {
        Self {
            user_size: bits as u64,
            ..Self::fixed(numbers::CAP_TABLE, bits as u64 + numbers::SLOT_BITS)
        }
    }
}

/// A level of an address space below its top.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// The number of bits of an address that it and the levels below it translate.
    pub bits: u64,
    /// The object that holds it.
    pub table: ObjectType,
    map: u64,
}

impl Level {
    const fn new(bits: u64, number: u64, map: u64) -> Self {
        let table = ObjectType::fixed(number, numbers::PAGE_TABLE_BITS);
        Self { bits, table, map }
    }
}

/// The levels, from the top.
pub const LEVELS: [Level; 3] = [
    Level::new(
        39,
        numbers::PAGE_UPPER_DIRECTORY,
        numbers::PAGE_UPPER_DIRECTORY_MAP,
    ),
    Level::new(30, numbers::PAGE_DIRECTORY, numbers::PAGE_DIRECTORY_MAP),
    Level::new(21, numbers::PAGE_TABLE, numbers::PAGE_TABLE_MAP),
];

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

/// The original of a capability's copy, and the properties of the copy.
pub struct Source {
    /// Slot of the original.
    pub slot: u64,
    /// Rights of the copy, at most the original's.
    pub rights: CapRights,
    /// Badge of the copy, 0 for none.
    pub badge: u64,
}

/// The properties of a thread.
pub struct TcbSetup<'a> {
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
    /// Its first program counter.
    pub entry: u64,
    /// Its first stack pointer.
    pub stack_pointer: u64,
    /// Its name in the kernel's debug output.
    pub name: &'a str,
}

impl Kernel {
    /// Makes `count` objects out of `untyped`, in the slots from `first` on.
    pub fn retype(&mut self, untyped: u64, kind: ObjectType, first: u64, count: u64) -> Done {
        // Index and depth zero: the root CNode itself holds the slots.
        let words = [kind.number, kind.user_size, 0, 0, first, count];
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
    pub fn map_table(&mut self, level: &Level, table: u64, vspace: u64, vaddr: u64) -> Done {
        let words = [vaddr, Attributes::new(true, true).0];
        self.invoke(table, level.map, &[vspace], &words)
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

    /// Sets up a thread, which stays suspended.
    pub fn set_up_thread(&mut self, tcb: u64, setup: &TcbSetup<'_>) -> Done {
        let priorities = u64::from(setup.priority) << 8 | u64::from(setup.priority);
        // Guard of zero bits in front of the CNode's index bits: size from bit 2 on, value from bit
        // 8 on.
        let guard = u64::from(64 - setup.cnode_bits) << 2;
        let words = [setup.fault_endpoint, priorities, guard, 0, setup.ipc_buffer];
        let caps = [setup.cnode, setup.vspace, setup.ipc_frame];
        self.invoke(tcb, numbers::TCB_CONFIGURE, &caps, &words)?;
        // No flags, two registers.
        let registers = [0, 2, setup.entry, setup.stack_pointer];
        self.invoke(tcb, numbers::TCB_WRITE_REGISTERS, &[], &registers)?;
        self.debug_name_thread(tcb, setup.name);
        Ok(())
    }

    /// Lets the thread receive the notification whenever it receives a message.
    pub fn bind_notification(&mut self, tcb: u64, notification: u64) -> Done {
        self.invoke(tcb, numbers::TCB_BIND_NOTIFICATION, &[notification], &[])
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
