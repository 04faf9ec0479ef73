// SPDX-License-Identifier: BSD-2-Clause

//! What C needs before its first function runs: thread-local variables and constructors.
//!
//! picolibc's `errno` is thread-local, and its code finds it at a fixed distance from `tpidr_el0`.
//! seL4 5.0.0 keeps the address of the IPC buffer in that register and lets nobody change it. So
//! that is where these variables are, on both SDKs: in the page of the IPC buffer, behind the 1,024
//! bytes that are the kernel's. For the linker the first of them is an array that covers those
//! (`c/errno.c`). At each start their initial values are copied there from the program's image.

use core::arch::asm;
use core::ffi::c_void;
use core::ptr;

use sel4_microkit::{ENTRY_POINT, STACK_TOP};

/// The page of the IPC buffer: behind the guard page above the stack.
const PAGE: usize = 0x1000;
const IPC_BUFFER: usize = STACK_TOP + PAGE;
/// Bytes of it that belong to the kernel.
const KERNEL: usize = 1024;
/// What AArch64's ABI keeps free at `tpidr_el0`; the linker counts from behind it.
const RESERVED: usize = 16;

type Constructor = unsafe extern "C" fn();

// SAFETY: the linker script defines them. They have no size, so two may be at one address.
unsafe extern "C" {
    static __tdata_start: [u8; 0];
    static __tdata_end: [u8; 0];
    static __init_array_start: [Constructor; 0];
    static __init_array_end: [Constructor; 0];
}

/// Sets up thread-local variables and runs the constructors. Once in the life of a PD.
pub fn prepare() {
    let first = (&raw const __tdata_start).cast::<u8>();
    // The array that covers the kernel's words is not copied.
    let covered = KERNEL - RESERVED;
    let bytes = (&raw const __tdata_end as usize) - first as usize;
    let copied = bytes.saturating_sub(covered);
    assert!(
        copied <= PAGE - KERNEL,
        "{copied} bytes of thread-local variables: a PD has room for 3072"
    );
    debug_assert_eq!(
        first as usize % RESERVED,
        0,
        "in an image at {ENTRY_POINT:#x}"
    );
    // SAFETY: the page of the IPC buffer is mapped and writable, what is behind the kernel's words
    // is used by nobody else, and the source lies between two symbols of the image. No C code has
    // run that could hold a reference. The register is for user level.
    unsafe {
        let place = ptr::with_exposed_provenance_mut::<u8>(IPC_BUFFER + KERNEL);
        ptr::copy_nonoverlapping(first.add(covered), place, copied);
        asm!("msr tpidr_el0, {}", in(reg) IPC_BUFFER, options(nomem, nostack, preserves_flags));
    }
    let mut next = (&raw const __init_array_start).cast::<Constructor>();
    while next != (&raw const __init_array_end).cast() {
        // SAFETY: the linker puts nothing but constructors between the two symbols.
        unsafe {
            (*next)();
            next = next.add(1);
        }
    }
}

/// More memory for `malloc`: the declaration's `heap`, or 64 KiB in the image.
#[unsafe(no_mangle)]
extern "C" fn sbrk(increment: isize) -> *mut c_void {
    use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    const SIZE: usize = 0x1_0000;
    #[unsafe(link_section = ".bss.noinit")]
    static mut ARENA: [u64; SIZE / 8] = [0; SIZE / 8];
    static USED: AtomicUsize = AtomicUsize::new(0);

    let declared = *sel4_microkit::var!(heap_vaddr: usize = 0);
    let (start, size) = match declared {
        0 => ((&raw mut ARENA).expose_provenance(), SIZE),
        address => (address, *sel4_microkit::var!(heap_size: usize = 0)),
    };
    let before = USED.load(Relaxed);
    match before.checked_add_signed(increment) {
        Some(used) if used <= size => {
            USED.store(used, Relaxed);
            ptr::with_exposed_provenance_mut(start + before)
        }
        // `(void *)-1`; malloc says ENOMEM.
        _ => ptr::without_provenance_mut(usize::MAX),
    }
}
