// SPDX-License-Identifier: BSD-2-Clause

//! Regions of the system description as [`shm::Region`]s.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

use shm::{Access, Region, RegionError, Shared};

/// A region that the system description maps, by the name of its symbols.
///
/// ```ignore
/// // setvar_vaddr="net_c2s_vaddr" setvar_size="net_c2s_size" perms="rw"
/// let window = region!(rw net_c2s).any_size().into_window();
/// let page: &ReadyPage = region!(r net_ready).page();
/// ```
///
/// Address and size are what the SDK's tool has written into the image, so the two belong together:
/// no program states a size. `r` or `rw` must be what the description says, and the region normal
/// memory; config-tool checks both for the regions of this project. Each region is given out once.
/// `region!(optional r net_c2s)` is an `Option`, for a region that not every system maps.
///
/// # Panics
/// If a symbol is not set, or the same use is reached a second time. (Two uses of one name do not
/// link.)
#[macro_export]
macro_rules! region {
    (optional $access:ident $name:ident) => { $crate::region!(@ $access $name) };
    ($access:ident $name:ident) => {
        $crate::_private::mapped($crate::region!(@ $access $name), ::core::stringify!($name))
    };
    (@ r $name:ident) => { $crate::region!(@ ReadOnly, $name) };
    (@ rw $name:ident) => { $crate::region!(@ ReadWrite, $name) };
    (@ $access:ident, $name:ident) => {{
        #[unsafe(export_name = concat!(stringify!($name), "_vaddr"))]
        #[unsafe(link_section = ".microkit.vars")]
        #[used]
        static VADDR: $crate::_private::Patched<usize> = $crate::_private::Patched::new(0);
        #[unsafe(export_name = concat!(stringify!($name), "_size"))]
        #[unsafe(link_section = ".microkit.vars")]
        #[used]
        static SIZE: $crate::_private::Patched<usize> = $crate::_private::Patched::new(0);
        static ONCE: $crate::_private::OnceOnly = $crate::_private::OnceOnly::new();
        // SAFETY: the two symbols are those of one mapping, whose address and size the SDK's tool
        // has written; nothing else refers to it, as its symbols are defined here alone and the
        // flag lets nobody pass twice.
        unsafe {
            $crate::_private::claim::<$crate::_private::$access>(
                *VADDR.get(),
                *SIZE.get(),
                &ONCE,
                ::core::stringify!($name),
            )
        }
    }};
}

/// A region by its name, and not yet known what for.
pub struct Mapped<A: Access> {
    name: &'static str,
    region: Region<A>,
}

impl<A: Access> Mapped<A> {
    /// The start of the region as a struct of atomics.
    ///
    /// # Panics
    /// If the region is too small: the system description does not fit the program. The message
    /// says which region, how many bytes are needed and how many there are.
    pub fn page<T: Shared>(self) -> &'static T {
        match self.region.into_page() {
            Ok(page) => page,
            Err(error) => refuse(self.name, error),
        }
    }

    /// The region as structs of atomics, one behind the other: as many as it has room for.
    ///
    /// # Panics
    /// As [`page`](Self::page).
    pub fn slice<T: Shared>(self) -> &'static [T] {
        match self.region.into_slice() {
            Ok(slice) => slice,
            Err(error) => refuse(self.name, error),
        }
    }

    /// The region, which must have at least so many bytes.
    ///
    /// # Panics
    /// As [`page`](Self::page).
    pub fn at_least(self, bytes: usize) -> Region<A> {
        match self.region.at_least(bytes) {
            Ok(region) => region,
            Err(error) => refuse(self.name, error),
        }
    }

    /// The region, for a use that takes what there is.
    pub fn any_size(self) -> Region<A> {
        self.region
    }
}

#[cold]
fn refuse(name: &str, error: RegionError) -> ! {
    panic!("region {name}: {error}; see its memory_region in the system description")
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

/// The region, which must be there.
#[doc(hidden)]
pub fn mapped<A: Access>(region: Option<Mapped<A>>, name: &str) -> Mapped<A> {
    match region {
        Some(region) => region,
        None => panic!("region {name} is not mapped with setvar_vaddr=\"{name}_vaddr\""),
    }
}

/// `None` if `address` is 0, as it is without a `setvar_vaddr`.
///
/// # Safety
/// As for [`Region::new`] if `address` is not 0, except that a second call with the same `once`
/// panics.
#[doc(hidden)]
pub unsafe fn claim<A: Access>(
    address: usize,
    size: usize,
    once: &OnceOnly,
    name: &'static str,
) -> Option<Mapped<A>> {
    assert!(
        !once.0.swap(true, Ordering::Relaxed),
        "region {name} is in use already"
    );
    let base = NonNull::new(core::ptr::with_exposed_provenance_mut(address))?;
    assert!(
        size > 0,
        "region {name} is mapped without setvar_size=\"{name}_size\""
    );
    Some(Mapped {
        name,
        // SAFETY: the caller's promise.
        region: unsafe { Region::from_ptr(base, size) },
    })
}
