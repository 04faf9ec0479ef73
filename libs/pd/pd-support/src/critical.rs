// SPDX-License-Identifier: BSD-2-Clause

//! The implementation of the crate `critical-section`.

use critical_section::{Impl, RawRestoreState};

struct OneThread;

critical_section::set_impl!(OneThread);

// SAFETY: a PD has one thread, and no code of it runs in an interrupt or signal handler. So nothing
// runs between `acquire` and `release` but what stands there.
unsafe impl Impl for OneThread {
    unsafe fn acquire() -> RawRestoreState {
        RawRestoreState::default()
    }

    unsafe fn release(_: RawRestoreState) {}
}
