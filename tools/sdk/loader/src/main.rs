// SPDX-License-Identifier: BSD-2-Clause
//! The registry SDK's loader. QEMU enters it at [`sdk_spec::loader::LOAD_ADDRESS`], at EL2 or EL1,
//! with the MMU off; it goes to EL1, checks the payload that the `microkit` tool put behind it,
//! copies the kernel and the root task to their places, maps itself and the kernel, and enters the
//! kernel. It prints only when it cannot go on.

#![no_std]
#![no_main]

mod console;
mod mmu;
mod start;

use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use console::Console;
use sdk_spec::loader::{Header, Payload, PayloadError, RAM};

unsafe extern "C" {
    /// First byte of the loader; defined by loader.ld.
    static _image_start: u8;
    /// First byte behind the loader: the payload; defined by loader.ld.
    static _payload: u8;
}

/// Whether the end of RAM is being tried; an exception then has a simple cause.
static TRYING_RAM: AtomicBool = AtomicBool::new(false);

/// Called by the start code at EL1 with the MMU off.
#[unsafe(no_mangle)]
extern "C" fn loader_main() -> ! {
    try_ram();
    let header = match load() {
        Ok(header) => header,
        Err(error) => stop(format_args!("{error}")),
    };
    mmu::enable(header.kernel_vaddr, header.kernel_paddr);
    // SAFETY: the kernel is loaded and mapped, and the arguments are those that its entry point
    // asks for.
    unsafe {
        start::enter_kernel(
            header.root_start,
            header.root_end,
            header.root_start.wrapping_sub(header.root_vaddr),
            header.root_entry,
            header.kernel_entry,
        )
    }
}

/// Reads the last word of RAM: the kernel believes in all of it, and would crash later without a
/// word.
fn try_ram() {
    TRYING_RAM.store(true, Ordering::Relaxed);
    // SAFETY: reads RAM that nobody uses yet. If there is none, the exception ends the loader.
    unsafe { ((RAM.end - 8) as *const u64).read_volatile() };
    TRYING_RAM.store(false, Ordering::Relaxed);
}

/// Checks the payload and copies its segments.
fn load() -> Result<&'static Header, PayloadError> {
    let start = &raw const _image_start as u64;
    let payload = &raw const _payload;
    let at = payload as u64;
    // SAFETY: the memory behind the loader is RAM that nobody writes before the segments are
    // copied, and a header's length fits into it, because the loader lies far from the end of
    // RAM.
    let beginning = unsafe { core::slice::from_raw_parts(payload, size_of::<Header>()) };
    let len = Payload::length(beginning, at)?;
    let whole = usize::try_from(len).map_err(|_| PayloadError::Length(len))?;
    // SAFETY: `length` has checked that these bytes end within RAM; the segments do not overlap
    // them (checked next).
    let bytes = unsafe { core::slice::from_raw_parts(payload, whole) };
    let payload = Payload::check(bytes, start..at + len)?;
    for (segment, bytes) in payload.segments() {
        let to = segment.paddr as *mut u8;
        let zeroes = (segment.mem_len - segment.file_len) as usize;
        // SAFETY: `check` has made sure that the segment's memory is RAM, that it overlaps neither
        // the loader with its payload nor another segment, and that `bytes` is not longer
        // than it.
        unsafe {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
            core::ptr::write_bytes(to.add(bytes.len()), 0, zeroes);
        }
    }
    Ok(payload.header)
}

/// Says why nothing more will happen. Called by the start code and the exception vectors, too.
fn stop(why: core::fmt::Arguments<'_>) -> ! {
    // Nothing can be done if the console refuses.
    let _ = writeln!(Console, "loader: {why}");
    start::halt()
}

/// Called by the start code when it was entered at an exception level that it cannot leave.
#[unsafe(no_mangle)]
extern "C" fn loader_wrong_level(level: u64) -> ! {
    stop(format_args!(
        "entered at EL{level}; start QEMU without secure=on"
    ))
}

/// Called by every exception vector.
#[unsafe(no_mangle)]
extern "C" fn loader_exception(esr: u64, elr: u64, far: u64) -> ! {
    if TRYING_RAM.load(Ordering::Relaxed) {
        stop(format_args!(
            "RAM ends before {:#x}; start QEMU with -m size=2G",
            RAM.end
        ));
    }
    stop(format_args!(
        "exception at {elr:#x}: ESR {esr:#x}, FAR {far:#x}"
    ))
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    stop(format_args!("{info}"))
}
