// SPDX-License-Identifier: BSD-2-Clause

//! Regions of the system description as [`shm::Region`]s.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

use shm::{Access, Region};

/// The [`shm::Region`] that the system description maps, by the symbols of its `map` element.
///
/// ```ignore
/// region!(rw net_c2s_vaddr, size = net_c2s_size)  // setvar_vaddr, setvar_size; perms="rw"
/// region!(r net_ready_vaddr, bytes = 4096)        // size as in the memory_region element; perms="r"
/// ```
///
/// `r` or `rw` and `bytes` must be what the description says, and the region normal memory, not a device's. Each region is given out once.
///
/// # Panics
/// If the symbol is not set, or the same use is reached a second time. (Two uses of one symbol do not link.)
#[macro_export]
macro_rules! region {
    (r $vaddr:ident, $($size:tt)*) => { $crate::region!(@ ReadOnly, $vaddr, $($size)*) };
    (rw $vaddr:ident, $($size:tt)*) => { $crate::region!(@ ReadWrite, $vaddr, $($size)*) };
    (@ $access:ident, $vaddr:ident, size = $size:ident) => {
        $crate::region!(@ $access, $vaddr, bytes = *$crate::_private::var!($size: usize = 0))
    };
    (@ $access:ident, $vaddr:ident, bytes = $bytes:expr) => {{
        static ONCE: $crate::_private::OnceOnly = $crate::_private::OnceOnly::new();
        let base = $crate::_private::memory_region_symbol!($vaddr: *mut u8);
        let bytes: usize = $bytes;
        // SAFETY: the system description maps the region there with this size and these rights, which is what the author of the PD
        // states by naming it; nothing else refers to it, as this symbol is defined here alone and the flag lets nobody pass twice.
        unsafe { $crate::_private::claim::<$crate::_private::$access>(base, bytes, &ONCE, ::core::stringify!($vaddr)) }
    }};
}

/// Lets the first one pass.
#[doc(hidden)]
pub struct OnceOnly(AtomicBool);

impl OnceOnly {
    #[allow(clippy::new_without_default)] // for statics only
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }
}

/// # Safety
/// As for [`Region::from_ptr`], except that a second call with the same `once` panics.
#[doc(hidden)]
pub unsafe fn claim<A: Access>(
    base: NonNull<u8>,
    bytes: usize,
    once: &OnceOnly,
    symbol: &str,
) -> Region<A> {
    assert!(
        !once.0.swap(true, Ordering::Relaxed),
        "region {symbol} is in use already"
    );
    assert!(
        bytes > 0,
        "region {symbol}: its size is not set (setvar_size)"
    );
    // SAFETY: the caller's promise.
    unsafe { Region::from_ptr(base, bytes) }
}
