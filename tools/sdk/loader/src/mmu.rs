// SPDX-License-Identifier: BSD-2-Clause
//! The map that the kernel is entered with: everything at its physical address, and the kernel at
//! its virtual one, in blocks of 1 GiB. The kernel replaces it at once (Arm ARM DDI 0487, D8: 4 KiB
//! granule, 48 bits).

use core::arch::asm;
use core::cell::UnsafeCell;

const GIB: u64 = 1 << 30;
const ENTRIES: usize = 512;

/// A table descriptor, a block descriptor, and the attributes of a block.
const TABLE: u64 = 0b11;
const BLOCK: u64 = 0b01;
const ACCESSED: u64 = 1 << 10;
const INNER_SHAREABLE: u64 = 3 << 8;
const EXECUTE_NEVER: u64 = 3 << 53;

/// Memory types by index, as the kernel expects to find them: 0 nGnRnE, 1 nGnRE, 2 GRE, 3
/// non-cacheable, 4 write-back.
const MAIR: u64 = 0xFF_440C_0400;
const DEVICE: u64 = BLOCK | ACCESSED | EXECUTE_NEVER;
const NORMAL: u64 = BLOCK | ACCESSED | INNER_SHAREABLE | (4 << 2);

/// Both halves 48 bits wide (T0SZ = T1SZ = 16) in 4 KiB granules (TG1 = 2), walks cacheable and
/// inner shareable, 40 bits of physical address, ASIDs of 16 bits as the kernel assigns them.
const TCR: u64 = {
    let walk = (1 << 8) | (1 << 10) | (3 << 12);
    16 | walk | (16 << 16) | (walk << 16) | (2 << 30) | (2 << 32) | (1 << 36)
};

/// RES1 bits, EL0 may use `wfi`, `wfe` (18, 16), clean and unify caches (26, 15) and `dc zva` (14)
/// as with the official SDK's kernel; MMU and caches on.
const SCTLR: u64 = {
    let res1 = (1 << 29) | (1 << 28) | (1 << 23) | (1 << 22) | (1 << 20) | (1 << 11);
    let user = (1 << 26) | (1 << 18) | (1 << 16) | (1 << 15) | (1 << 14);
    let on = (1 << 12) | (1 << 3) | (1 << 2) | 1;
    res1 | user | on
};

/// CNTKCTL_EL1: EL0 may read the physical counter. The virtual one is the kernel's, and the kernel
/// opens the physical timer for one thread.
const CNTKCTL: u64 = 1;

#[repr(C, align(4096))]
struct PageTable(UnsafeCell<[u64; ENTRIES]>);

// SAFETY: one CPU runs the loader, without interrupts, and `enable` is called once.
unsafe impl Sync for PageTable {}

impl PageTable {
    const fn empty() -> Self {
        Self(UnsafeCell::new([0; ENTRIES]))
    }

    fn set(&self, index: u64, value: u64) {
        // SAFETY: nobody else touches the table (see `Sync`), and the MMU is still off.
        let entries = unsafe { &mut *self.0.get() };
        entries[index as usize % ENTRIES] = value;
    }

    fn address(&self) -> u64 {
        self.0.get() as u64
    }
}

static USER_TOP_LEVEL: PageTable = PageTable::empty();
static USER_BLOCKS: PageTable = PageTable::empty();
static KERNEL_TOP_LEVEL: PageTable = PageTable::empty();
static KERNEL_BLOCKS: PageTable = PageTable::empty();

/// Maps all memory at its own address and 1 GiB at `kernel_vaddr`, and switches MMU and caches on.
pub fn enable(kernel_vaddr: u64, kernel_paddr: u64) {
    USER_TOP_LEVEL.set(0, USER_BLOCKS.address() | TABLE);
    USER_BLOCKS.set(0, DEVICE);
    for gib in 1..3 {
        USER_BLOCKS.set(gib, (gib * GIB) | NORMAL);
    }
    KERNEL_TOP_LEVEL.set(kernel_vaddr >> 39, KERNEL_BLOCKS.address() | TABLE);
    KERNEL_BLOCKS.set(kernel_vaddr >> 30, kernel_paddr | NORMAL);
    // SAFETY: the loader's own addresses, the console and the tables stay mapped where they are, so
    // the next instruction is the next instruction; EL1 registers are the loader's to set.
    unsafe {
        asm!(
            "msr mair_el1, {mair}",
            "msr tcr_el1, {tcr}",
            "msr ttbr0_el1, {user}",
            "msr ttbr1_el1, {kernel}",
            "msr cntkctl_el1, {timer}",
            "dsb sy",
            "tlbi vmalle1",
            "ic iallu",
            "dsb sy",
            "isb",
            "msr sctlr_el1, {sctlr}",
            "isb",
            mair = in(reg) MAIR,
            tcr = in(reg) TCR,
            user = in(reg) USER_TOP_LEVEL.address(),
            kernel = in(reg) KERNEL_TOP_LEVEL.address(),
            timer = in(reg) CNTKCTL,
            sctlr = in(reg) SCTLR,
            options(nostack),
        );
    }
}
