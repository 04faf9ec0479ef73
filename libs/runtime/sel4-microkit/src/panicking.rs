// SPDX-License-Identifier: BSD-2-Clause

//! What happens on a panic: a message through the hook, then a fault that the parent sees and can
//! answer with a restart.

use core::arch::asm;
use core::cell::Cell;
use core::panic::{PanicInfo, UnwindSafe};

use crate::{debug_println, pd_name};

/// Told about a panic.
pub type PanicHook = &'static (dyn Fn(&PanicInfo) + Send + Sync);

struct State {
    hook: Cell<Option<PanicHook>>,
    panicking: Cell<bool>,
}

// SAFETY: a PD has one thread.
unsafe impl Sync for State {}

static STATE: State = State {
    hook: Cell::new(None),
    panicking: Cell::new(false),
};

/// Sets what is run on a panic, in place of a line on the kernel's debug output. To be set again
/// after a restart, in `init`.
pub fn set_hook(hook: PanicHook) {
    STATE.hook.set(Some(hook));
}

/// Runs `f`. There is nothing to catch: as `std`'s with `panic = "abort"`, a panic in `f` ends the
/// PD, and what comes back is `Ok`.
///
/// # Errors
/// There are none: a panic ends the PD.
#[allow(clippy::result_unit_err)] // upstream's signature
pub fn catch_unwind<R, F: FnOnce() -> R + UnwindSafe>(f: F) -> Result<R, ()> {
    Ok(f())
}

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    // A panic inside of the hook goes straight to the fault.
    if !STATE.panicking.replace(true) {
        match STATE.hook.get() {
            Some(hook) => hook(info),
            None => debug_println!("{}: {info}", pd_name().unwrap_or("?")),
        }
    }
    stop()
}

/// An undefined instruction: a user exception in both kernels, in every configuration. (A
/// breakpoint would be a debug exception in some.)
fn stop() -> ! {
    // SAFETY: the instruction does not return, and a parent that restarts the PD sets the program
    // counter anew.
    unsafe { asm!("udf #0", options(noreturn, nostack)) }
}
