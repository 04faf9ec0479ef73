// SPDX-License-Identifier: BSD-2-Clause
//! Small executables in place of those of an SDK.

use sdk_spec::loader::LOAD_ADDRESS;

use super::{Elf, Part, R, W, X};

/// Where the kernel is linked.
pub const KERNEL: u64 = 0xFFFF_FF80_0000_0000;
const OFFSET: u64 = KERNEL - 0x4000_0000;

/// Loaded memory.
pub fn part(vaddr: u64, flags: u32, data: &[u8], size: u64) -> Part {
    Part {
        vaddr,
        flags,
        data: data.to_vec(),
        size,
    }
}

/// An executable without symbols.
pub fn elf(entry: u64, parts: Vec<Part>) -> Elf {
    Elf {
        entry,
        parts,
        symbols: Vec::new(),
        ..Elf::default()
    }
}

/// elf/loader.elf: three pages and a bit, payload at 0x4000.
pub fn loader() -> Elf {
    let code = part(LOAD_ADDRESS, R | X, b"loader", 0x100);
    let data = part(LOAD_ADDRESS + 0x1000, R | W, b"data", 0x2345);
    elf(LOAD_ADDRESS, vec![code, data]).with_symbol("_payload", LOAD_ADDRESS + 0x4000, 0)
}

/// elf/sel4.elf: 0x1800 bytes at 0x40000000.
pub fn kernel() -> Elf {
    let parts = vec![
        part(KERNEL, R | X, b"kernel", 0x1000),
        part(KERNEL + 0x1000, R | W, b"", 0x800),
    ];
    Elf {
        offset: OFFSET,
        ..elf(KERNEL + 4, parts)
    }
}

/// elf/initialiser.elf: 0x400000..0x402234, the spec follows at 0x403000.
pub fn initialiser() -> Elf {
    let parts = vec![
        part(0x40_0000, R | X, b"root", 0x10),
        part(0x40_1000, R | W, &[0xEE; 0x40], 0x1234),
    ];
    elf(0x40_0004, parts).with_symbol("sdk_spec", 0x40_1010, 16)
}
