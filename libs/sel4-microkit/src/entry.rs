// SPDX-License-Identifier: BSD-2-Clause

//! From the first Rust instruction to the event loop.

use crate::{Handler, ipc, start};

// SAFETY: `declare_protection_domain!` defines it with this signature, and the linker finds no other.
unsafe extern "Rust" {
    /// Defined by `#[protection_domain]`.
    safe fn __sel4_microkit__main() -> !;
}

/// Where `_start` goes.
pub(crate) extern "C" fn entry() -> ! {
    if start::restart_count() > 0 {
        // Somebody may wait inside a call that this PD will never answer. Before `init`, which may take its time or panic again.
        ipc::answer_orphan();
    }
    __sel4_microkit__main()
}

/// For `#[protection_domain]`.
#[doc(hidden)]
pub fn run_main<T: Handler>(init: impl FnOnce() -> T) -> ! {
    match init().run() {
        Ok(never) => match never {},
        Err(error) => panic!("the handler returned an error: {error}"),
    }
}
