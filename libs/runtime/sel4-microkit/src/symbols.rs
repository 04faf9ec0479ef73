// SPDX-License-Identifier: BSD-2-Clause

//! Words that Microkit's tool writes into the image, and words that survive a restart.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::str::Utf8Error;
use core::sync::atomic;

/// A value that the tool may have changed after compilation. The compiler is kept from assuming
/// that it is what the source says.
#[doc(hidden)]
#[repr(transparent)]
pub struct Patched<T>(UnsafeCell<T>);

// SAFETY: nobody writes it while the program runs: it lies in a segment that the PD cannot write.
unsafe impl<T: Sync> Sync for Patched<T> {}

impl<T> Patched<T> {
    pub const fn new(default: T) -> Self {
        Self(UnsafeCell::new(default))
    }

    #[inline]
    pub fn get(&'static self) -> &'static T {
        let mut pointer: *const T = self.0.get();
        #[allow(clippy::pointers_in_nomem_asm_block)] // it is not read through
        // SAFETY: no instruction at all; the compiler only has to forget where the pointer comes
        // from.
        unsafe {
            asm!("/* {0} */", inlateout(reg) pointer, options(pure, nomem, nostack, preserves_flags))
        };
        // SAFETY: it is the address of a static that is never written. The tool writes all bytes of
        // a value of eight bytes, and the types that `var!` admits have no invalid values.
        unsafe { &*pointer }
    }
}

/// Types of eight bytes for which any bits are valid: what a `setvar…` of the system description
/// may set.
///
/// # Safety
/// Any eight bytes must be a valid value.
#[doc(hidden)]
pub unsafe trait Word {}

macro_rules! words {
    ($($integer:ty),+) => {$(
        // SAFETY: an integer of eight bytes on this target.
        unsafe impl Word for $integer {}
    )+};
}
words!(u64, i64, usize, isize);

const _: () = assert!(size_of::<usize>() == 8);

/// Declares a symbol that a `setvar_vaddr`, `setvar_size`, `setvar_id` or `setvar` of the system
/// description sets, and gives a `&'static` to its value.
///
/// ```ignore
/// let size = *var!(heap_size: usize = 0);
/// ```
///
/// The value after the `=` is the one without a `setvar`. Microkit writes eight bytes: `usize`,
/// `u64`, `isize`, `i64` (upstream takes any type).
#[macro_export]
macro_rules! var {
    ($(#[$attribute:meta])* $symbol:ident: $type:ty = $default:expr) => {{
        const fn word<T: $crate::_private::Word>(value: T) -> T {
            value
        }

        $(#[$attribute])*
        #[allow(non_upper_case_globals)]
        #[unsafe(no_mangle)]
        #[unsafe(link_section = ".microkit.vars")]
        #[used]
        static $symbol: $crate::_private::Patched<$type> = $crate::_private::Patched::new(word::<$type>($default));

        $symbol.get()
    }};
}

/// Declares a symbol that a `setvar_vaddr` of the system description sets, and gives the region's
/// address as `NonNull`.
///
/// ```ignore
/// let ring: NonNull<Ring> = memory_region_symbol!(ring_vaddr: *mut Ring);
/// let pool: NonNull<[u8]> = memory_region_symbol!(pool_vaddr: *mut [u8], n = POOL_SIZE);
/// ```
///
/// With `bytes = …` as the last argument it checks the region's size: it panics unless that is the
/// size of the pointee.
///
/// Panics if the system description does not set the symbol.
#[macro_export]
macro_rules! memory_region_symbol {
    ($(#[$attribute:meta])* $symbol:ident: *mut [$type:ty], n = $n:expr, bytes = $bytes:expr $(,)?) => {{
        ::core::assert!($bytes == $n * ::core::mem::size_of::<$type>());
        $crate::memory_region_symbol!($(#[$attribute])* $symbol: *mut [$type], n = $n)
    }};
    ($(#[$attribute:meta])* $symbol:ident: *mut $type:ty, bytes = $bytes:expr $(,)?) => {{
        ::core::assert!($bytes == ::core::mem::size_of::<$type>());
        $crate::memory_region_symbol!($(#[$attribute])* $symbol: *mut $type)
    }};
    ($(#[$attribute:meta])* $symbol:ident: *mut [$type:ty], n = $n:expr $(,)?) => {
        ::core::ptr::NonNull::slice_from_raw_parts(
            $crate::memory_region_symbol!($(#[$attribute])* $symbol: *mut $type),
            $n,
        )
    };
    ($(#[$attribute:meta])* $symbol:ident: *mut $type:ty $(,)?) => {
        $crate::_private::region::<$type>(
            *$crate::var!($(#[$attribute])* $symbol: usize = 0),
            ::core::stringify!($symbol),
        )
    };
}

#[doc(hidden)]
pub fn region<T>(address: usize, symbol: &str) -> core::ptr::NonNull<T> {
    core::ptr::NonNull::new(core::ptr::with_exposed_provenance_mut(address)).unwrap_or_else(|| {
        panic!(
            "{symbol} is not set: the system description needs a map with setvar_vaddr=\"{symbol}\""
        )
    })
}

/// Types that may be declared [`persistent!`](crate::persistent). Not upstream.
///
/// # Safety
/// Any bits must be a valid value, and a write must not be divisible by a restart in the middle of
/// it: atomics, and arrays of them.
pub unsafe trait Persistent: Sync {}

macro_rules! atomics {
    ($($atomic:ty),+) => {$(
        // SAFETY: any bits are a valid value; each is written by one instruction.
        unsafe impl Persistent for $atomic {}
    )+};
}
atomics!(
    atomic::AtomicU64,
    atomic::AtomicI64,
    atomic::AtomicUsize,
    atomic::AtomicU32,
    atomic::AtomicU8
);
// SAFETY: each element is persistent; an array as a whole is not written.
unsafe impl<T: Persistent, const N: usize> Persistent for [T; N] {}

/// Declares statics that a restart of the PD leaves as they are. At boot they have the given value.
/// Not upstream.
///
/// ```ignore
/// persistent! {
///     /// Packets since boot.
///     static PACKETS: AtomicU64 = AtomicU64::new(0);
/// }
/// ```
///
/// A restart can come between any two instructions: values that belong together are not written
/// together.
#[macro_export]
macro_rules! persistent {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $value:expr;)+) => {
        $(
            $(#[$attribute])*
            #[unsafe(link_section = ".persistent")]
            $visibility static $name: $type = {
                const fn persistent<T: $crate::Persistent>() {}
                persistent::<$type>();
                $value
            };
        )+
    };
}

/// The symbols that the tool writes into every PD (Microkit 2.3, `tool/microkit/src/symbols.rs`).
/// The linker script demands them.
macro_rules! fixed {
    ($($(#[$doc:meta])* $symbol:ident: $type:ty = $default:expr;)*) => {
        $(
            $(#[$doc])*
            #[allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            #[unsafe(link_section = ".microkit.vars")]
            #[used]
            pub(crate) static $symbol: Patched<$type> = Patched::new($default);
        )*
    };
}

fixed! {
    microkit_name: [u8; 64] = [0; 64];
    // One byte is written; bytes that are not 0 or 1 make no valid `bool`, so it is a number here.
    microkit_passive: u8 = 0;
    /// Bit n: channel id n is an interrupt.
    microkit_irqs: u64 = 0;
    /// Bit n: this PD may notify channel n.
    microkit_notifications: u64 = 0;
    /// Bit n: this PD may make calls on channel n.
    microkit_pps: u64 = 0;
    microkit_ioports: u64 = 0;
}

/// Whether the system description says that this PD is passive.
pub fn pd_is_passive() -> bool {
    *microkit_passive.get() != 0
}

/// For tests: the rights that the tool would write. Interrupt 0, and channels above it.
#[cfg(test)]
pub(crate) fn allow_all() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: every test comes here before it reads the words, and they are written once.
    ONCE.call_once(|| unsafe {
        *microkit_irqs.0.get() = 1;
        *microkit_notifications.0.get() = !1;
        *microkit_pps.0.get() = !1;
    });
}

/// The name of this PD as the system description has it.
///
/// # Errors
/// If that is not UTF-8.
pub fn pd_name() -> Result<&'static str, Utf8Error> {
    // A name of 64 bytes has no zero behind it.
    let mut parts = microkit_name.get().split(|byte| *byte == 0);
    core::str::from_utf8(parts.next().unwrap_or_default())
}
