// SPDX-License-Identifier: BSD-2-Clause

//! Pages of words that test PDs share.

use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;

/// A page of words.
pub type Words = [AtomicU64; 512];

/// The page of words that the system description maps at the symbol.
#[macro_export]
macro_rules! words {
    ($symbol:ident) => {
        $crate::words_at(::sel4_microkit::memory_region_symbol!($symbol: *mut $crate::Words))
    };
}

/// For `words!`.
#[doc(hidden)]
pub fn words_at(page: NonNull<Words>) -> &'static Words {
    // SAFETY: the system description maps at least one page there for good, and atomics may be
    // shared with other PDs.
    unsafe { page.as_ref() }
}
