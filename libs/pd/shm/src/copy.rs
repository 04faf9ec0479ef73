// SPDX-License-Identifier: BSD-2-Clause
//! The copy to and from memory that another PD may write meanwhile.
//!
//! `ptr::copy` would not do: the compiler may assume that nobody writes the source, so it may read
//! it a second time (by forwarding one copy into the next), and a peer could show different bytes
//! to a check and to the use. Here the compiler sees either an assembly block or volatile accesses,
//! both of which happen exactly as often as they are written.

/// Copies `len` bytes from `from` to `to`.
///
/// # Safety
///
/// `from` is readable and `to` writable for `len` bytes (mapped normal memory), and the two ranges
/// do not overlap. Either may be written by another PD meanwhile; then the bytes copied are any
/// mixture of old and new.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn copy_once(from: *const u8, to: *mut u8, len: usize) {
    // 64 bytes a turn, then the bits of the rest. Integer registers only: a PD shall not need the
    // FPU. Unaligned access is permitted to normal memory. SAFETY: the loop reads `len` bytes
    // from `from` and writes them to `to`, which the caller vouches for; all registers are
    // declared.
    unsafe {
        core::arch::asm!(
            "subs {left}, {left}, #64",
            "b.lo 3f",
            "2:",
            "ldp {a}, {b}, [{from}], #16",
            "ldp {c}, {d}, [{from}], #16",
            "stp {a}, {b}, [{to}], #16",
            "stp {c}, {d}, [{to}], #16",
            "ldp {a}, {b}, [{from}], #16",
            "ldp {c}, {d}, [{from}], #16",
            "stp {a}, {b}, [{to}], #16",
            "stp {c}, {d}, [{to}], #16",
            "subs {left}, {left}, #64",
            "b.hs 2b",
            "3:",
            "tbz {left}, #5, 4f",
            "ldp {a}, {b}, [{from}], #16",
            "ldp {c}, {d}, [{from}], #16",
            "stp {a}, {b}, [{to}], #16",
            "stp {c}, {d}, [{to}], #16",
            "4:",
            "tbz {left}, #4, 5f",
            "ldp {a}, {b}, [{from}], #16",
            "stp {a}, {b}, [{to}], #16",
            "5:",
            "tbz {left}, #3, 6f",
            "ldr {a}, [{from}], #8",
            "str {a}, [{to}], #8",
            "6:",
            "tbz {left}, #2, 7f",
            "ldr {a:w}, [{from}], #4",
            "str {a:w}, [{to}], #4",
            "7:",
            "tbz {left}, #1, 8f",
            "ldrh {a:w}, [{from}], #2",
            "strh {a:w}, [{to}], #2",
            "8:",
            "tbz {left}, #0, 9f",
            "ldrb {a:w}, [{from}]",
            "strb {a:w}, [{to}]",
            "9:",
            left = inout(reg) len => _,
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            a = out(reg) _,
            b = out(reg) _,
            c = out(reg) _,
            d = out(reg) _,
            options(nostack),
        );
    }
}

/// As above, for hosts: tests and Miri.
///
/// # Safety
///
/// As above.
#[cfg(not(target_arch = "aarch64"))]
pub(crate) unsafe fn copy_once(from: *const u8, to: *mut u8, len: usize) {
    for i in 0..len {
        // SAFETY: `i` is below `len`, for which the caller vouches.
        unsafe { to.add(i).write_volatile(from.add(i).read_volatile()) };
    }
}
