// SPDX-License-Identifier: BSD-2-Clause

//! A panic sends a message through the hook, then faults, which the parent sees and can answer with
//! a restart. Without a hook the message is in the registers, for the parent.

use core::cell::Cell;
use core::panic::{PanicInfo, UnwindSafe};

/// A function that is called on a panic.
pub type PanicHook = &'static (dyn Fn(&PanicInfo) + Send + Sync);

struct State {
    hook: Cell<Option<PanicHook>>,
    /// The number of panics that have begun.
    depth: Cell<u32>,
}

// SAFETY: a PD has one thread.
unsafe impl Sync for State {}

static STATE: State = State {
    hook: Cell::new(None),
    depth: Cell::new(0),
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

#[cfg(target_os = "none")]
#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    use crate::last_words::PanicText;

    let depth = STATE.depth.get();
    STATE.depth.set(depth + 1);
    let text = match (depth, STATE.hook.get()) {
        (0, Some(hook)) => {
            hook(info);
            PanicText::EMPTY
        }
        (0, None) => {
            crate::debug_println!("{}: {info}", crate::pd_name().unwrap_or("?"));
            PanicText::new(info)
        }
        // Inside of the hook.
        (1, _) => PanicText::new(info),
        // Inside of what is to be shown.
        _ => PanicText::EMPTY,
    };
    text.stop()
}
