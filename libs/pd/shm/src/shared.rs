// SPDX-License-Identifier: BSD-2-Clause
//! Types that may lie in memory that another PD writes.

use core::array::from_fn;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// A type made of atomics only.
///
/// A reference to such a type stays valid whatever another PD writes into the memory: every bit
/// pattern is a value, and a concurrent store is a race between atomics, which is defined.
///
/// # Safety
///
/// The type must consist of atomic integers (and padding) only, with a layout that is the same in
/// every PD (`repr(C)`), and must be valid for every bit pattern.
/// [`shared_struct!`](crate::shared_struct) declares structs for which the compiler checks this.
pub unsafe trait Shared: Sync + 'static {}

/// What tests and simulations do with such a type in ordinary memory.
pub trait Words {
    /// All zeros.
    fn zeroed() -> Self;

    /// Writes every word, as a stray pointer or a hostile PD can. A word gets as many low bits of
    /// `next` as it has.
    fn overwrite(&self, next: &mut dyn FnMut() -> u64);
}

macro_rules! words {
    ($($integer:ty: $atomic:ty),+) => {$(
        impl Words for $atomic {
            fn zeroed() -> Self {
                Self::new(0)
            }

            fn overwrite(&self, next: &mut dyn FnMut() -> u64) {
                self.store(next() as $integer, Ordering::Relaxed);
            }
        }
    )+};
}
words!(u8: AtomicU8, u16: AtomicU16, u32: AtomicU32, u64: AtomicU64);
#[cfg(loom)]
words!(u32: loom::sync::atomic::AtomicU32, u64: loom::sync::atomic::AtomicU64);

// SAFETY: an atomic integer is valid for every bit pattern, and concurrent access is what it is
// for.
unsafe impl Shared for AtomicU8 {}
// SAFETY: as above.
unsafe impl Shared for AtomicU16 {}
// SAFETY: as above.
unsafe impl Shared for AtomicU32 {}
// SAFETY: as above.
unsafe impl Shared for AtomicU64 {}
// SAFETY: an array has its elements' layout, one after the other, and no other content.
unsafe impl<T: Shared, const N: usize> Shared for [T; N] {}

impl<T: Words, const N: usize> Words for [T; N] {
    fn zeroed() -> Self {
        from_fn(|_| T::zeroed())
    }

    fn overwrite(&self, next: &mut dyn FnMut() -> u64) {
        for element in self {
            element.overwrite(next);
        }
    }
}

/// Declares a `repr(C)` struct all of whose fields are [`Shared`], and implements [`Shared`] and
/// [`Words`] for it.
///
/// Under `--cfg loom` the fields are the model checker's atomics. They are no plain words, so the
/// struct is then not [`Shared`].
///
/// Attributes (such as `#[repr(align(64))]`), documentation, visibility and const parameters are
/// passed on. A field that is not made of atomics is an error at compile time. Crates that forbid
/// unsafe code can use it: the unsafe implementation is this macro's.
///
/// ```
/// use core::sync::atomic::AtomicU32;
/// shm::shared_struct! {
///     /// Two words and a table.
///     #[repr(align(64))]
///     pub struct Example<const N: usize> {
///         /// First word.
///         pub first: AtomicU32,
///         /// The table.
///         pub table: [AtomicU32; N],
///     }
/// }
/// assert_eq!(align_of::<Example<3>>(), 64);
/// ```
///
/// A plain integer is refused:
///
/// ```compile_fail
/// shm::shared_struct! {
///     struct Wrong { word: u32 }
/// }
/// fn needs_shared<T: shm::Shared>() {}
/// needs_shared::<Wrong>();
/// ```
#[macro_export]
macro_rules! shared_struct {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident $(<$(const $parameter:ident: $kind:ty),+>)? {
            $($(#[$field_attribute:meta])* $field_visibility:vis $field:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[repr(C)]
        $visibility struct $name $(<$(const $parameter: $kind),+>)? {
            $($(#[$field_attribute])* $field_visibility $field: $type),+
        }

        impl $(<$(const $parameter: $kind),+>)? $crate::Words for $name $(<$($parameter),+>)? {
            fn zeroed() -> Self {
                Self { $($field: $crate::Words::zeroed()),+ }
            }

            fn overwrite(&self, next: &mut dyn FnMut() -> u64) {
                $($crate::Words::overwrite(&self.$field, next);)+
            }
        }

        #[cfg(not(loom))]
        // SAFETY: every field is `Shared`, as the bounds say, and the struct is `repr(C)`.
        unsafe impl $(<$(const $parameter: $kind),+>)? $crate::Shared for $name $(<$($parameter),+>)?
        where
            $($type: $crate::Shared),+
        {}
    };
}
