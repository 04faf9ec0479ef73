// SPDX-License-Identifier: BSD-2-Clause

//! From the first Rust instruction to the event loop.

use crate::ipc::{self, Event};
use crate::{Handler, MessageInfo, RESTARTED};

// SAFETY: `declare_protection_domain!` defines it with this signature, and the linker finds no
// other.
#[cfg(target_os = "none")]
unsafe extern "Rust" {
    /// Defined by `#[protection_domain]`.
    safe fn __sel4_microkit__main() -> !;
}

/// `_start` jumps here.
#[cfg(target_os = "none")]
pub(crate) extern "C" fn entry() -> ! {
    if crate::restart_count() > 0 {
        // Somebody may wait inside a call that this PD will never answer. Before `init`, which may
        // take its time or panic again.
        ipc::answer_orphan();
    }
    __sel4_microkit__main()
}

/// The instruction at [`PARK_POINT`](crate::PARK_POINT) jumps here. It may find `.data` and `.bss`
/// in any state and uses neither: only registers, the stack, which is its own from the top, and the
/// IPC buffer.
pub(crate) extern "C-unwind" fn park() -> ! {
    ipc::answer_orphan();
    let mut event = ipc::recv();
    loop {
        event = match event {
            Event::Protected(..) => ipc::reply_recv(MessageInfo::new(RESTARTED, 0)),
            // A child's fault stays without an answer, and the child stopped, until this PD is
            // there again.
            Event::Notified(_) | Event::Fault(..) => ipc::recv(),
        };
    }
}

/// Runs the PD, for `#[protection_domain]`.
#[doc(hidden)]
pub fn run_main<T: Handler>(init: impl FnOnce() -> T) -> ! {
    match init().run() {
        Ok(never) => match never {},
        Err(error) => panic!("the handler returned an error: {error}"),
    }
}

/// Refuses to run a PD that was built for the host. Also for `#[protection_domain]`.
#[cfg(not(target_os = "none"))]
#[doc(hidden)]
pub fn refuse_host() -> i32 {
    std::eprintln!("this is a protection domain, built for the host to check it: see `make image`");
    1
}
