// SPDX-License-Identifier: BSD-2-Clause

//! The runtime of a Microkit protection domain (PD) in Rust.
//!
//! Names and signatures are those of the crate `sel4-microkit` of
//! [rust-sel4](https://github.com/seL4/rust-sel4), for the subset that this project's PDs and
//! upstream's own examples use. The code is this project's own: stable Rust, a built-in
//! target, no C. A PD:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//!
//! use sel4_microkit::{ChannelSet, Channel, Handler, Infallible, debug_println, protection_domain};
//!
//! const PEER: Channel = Channel::new(1);
//!
//! struct Hello;
//!
//! #[protection_domain]
//! fn init() -> Hello {
//!     debug_println!("hello");
//!     Hello
//! }
//!
//! impl Handler for Hello {
//!     type Error = Infallible;
//!
//!     fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
//!         if channels.contains(PEER) {
//!             PEER.notify();
//!         }
//!         Ok(())
//!     }
//! }
//! ```
//!
//! A PD can be restarted at any instruction (`start.rs` says how). It is best built for
//! `aarch64-unknown-none-softfloat`, where it never touches the FPU; for `aarch64-unknown-none` it
//! needs its FPU (`fpu="true"`, the default), as the compiler uses it to copy. A passive PD
//! cannot be restarted on MCS: it would have no time to run in.
//!
//! # Against upstream
//!
//! Compared with rust-sel4 5.0.0. What it does not name is marked "not upstream" where it stands.
//!
//! | | |
//! | --- | --- |
//! | as upstream | [`protection_domain`], [`Handler`] (for `Box` too, with the feature `alloc`), [`NullHandler`], [`Channel`], [`Child`], [`ChannelSet`], [`MessageInfo`] and the message registers, [`DeferredAction`], [`var!`], [`memory_region_symbol!`], [`debug_println!`], [`pd_name`], [`pd_is_passive`], [`panicking`] |
//! | not upstream | restarts ([`ENTRY_POINT`], [`PARK_POINT`], [`HANG_POINT`], [`RESTARTED`], [`restart_count`], [`persistent!`], [`wait_for_signal`]; `stop`, `resume` and `restart` of [`Child`]), [`Channel::COUNT`], [`Channel::may_notify`], `heap_region`, `core::error::Error` for [`IrqAckError`], `Debug` for [`NullHandler`] and [`DeferredActionSlot`] |
//! | otherwise than upstream | `protection_domain` refuses `stack_size`, [`var!`] all types but integers of eight bytes; [`panicking::catch_unwind`] catches nothing, as panics abort; [`panicking::set_hook`] may be called again |
//! | not there | constructors (`.init_array`) and thread-local storage (the linker script refuses both, but in programs in C, see `libs/c/isthmus-c`), unwinding, `sel4-panicking-env`'s symbols, the features `full` and `extern-symbols` |

#![no_std]
// There the assembly is missing that calls them.
#![cfg_attr(not(target_os = "none"), allow(dead_code))]

// A PD that is checked on the host gets its panic handler from there.
#[cfg(not(target_os = "none"))]
extern crate std;

#[cfg(feature = "alloc")]
extern crate alloc;

mod channel;
mod defer;
mod entry;
mod handler;
mod heap;
#[doc(hidden)] // as upstream; what is for users is named below
pub mod ipc;
mod last_words;
#[cfg(target_os = "none")]
mod memory;
mod message;
pub mod panicking;
mod start;
mod symbols;

pub use channel::{Channel, Child, IrqAckError};
pub use defer::{DeferredAction, DeferredActionInterface, DeferredActionSlot};
pub use handler::{Handler, Infallible, Never, NullHandler, wait_for_signal};
pub use ipc::{ChannelSet, DisplayChannelSet, RESTARTED};
pub use last_words::{LastWords, PanicText};
pub use message::{
    MessageInfo, MessageLabel, MessageRegisterValue, get_mr, set_mr, with_msg_bytes,
    with_msg_bytes_mut, with_msg_regs, with_msg_regs_mut,
};
pub use sel4::{debug_print, debug_println};
pub use start::{ENTRY_POINT, HANG_POINT, PARK_POINT, STACK_TOP, restart_count};
pub use symbols::{Persistent, pd_is_passive, pd_name};

/// Declares a function to be the PD's initialisation. It takes nothing and returns the PD's
/// [`Handler`]; its name does not matter.
///
/// - `#[protection_domain]`: no heap. A program that wants memory all the same panics.
/// - `#[protection_domain(heap_size = 0x10000)]`: a global allocator on that many bytes inside
///   the image.
/// - `#[protection_domain(heap_region = (heap_vaddr, heap_size))]` (not upstream): a global
///   allocator on a memory region that the system description maps into this PD only, with
///   these names in `setvar_vaddr` and `setvar_size`.
///
/// A heap is empty again after a restart. There is no `stack_size` as upstream has it: the
/// stack is Microkit's, with the attribute `stack_size` of `<protection_domain>` and a guard
/// page below.
pub use sel4_microkit_macros::protection_domain;

/// For `#[protection_domain]`.
#[doc(hidden)]
#[macro_export]
macro_rules! declare_protection_domain {
    { init = $init:ident $(,)? } => {
        // Crates that could allocate are linked as soon as another PD of the build wants it.
        #[global_allocator]
        static __SEL4_MICROKIT_NO_HEAP: $crate::_private::NoHeap = $crate::_private::NoHeap;
        $crate::declare_protection_domain! { @main $init {} }
    };
    { init = $init:ident, heap_size = $size:expr $(,)? } => {
        $crate::declare_protection_domain! { @heap }
        $crate::declare_protection_domain! { @main $init {
            #[unsafe(link_section = ".bss.noinit")]
            static ARENA: $crate::_private::Arena<{ $size }> = $crate::_private::Arena::new();
            // SAFETY: the arena is private to this function, which runs once a life.
            unsafe { __SEL4_MICROKIT_HEAP.claim(ARENA.base(), $size) };
        } }
    };
    { init = $init:ident, heap_region = ($vaddr:ident, $size:ident) $(,)? } => {
        $crate::declare_protection_domain! { @heap }
        $crate::declare_protection_domain! { @main $init {
            let base = $crate::memory_region_symbol!($vaddr: *mut u8);
            // SAFETY: the PD's author says with `heap_region` that the region is for the heap
            // alone.
            unsafe { __SEL4_MICROKIT_HEAP.claim(base.as_ptr(), *$crate::var!($size: usize = 0)) };
        } }
    };
    { init = $init:ident, stack_size = $($rest:tt)* } => {
        ::core::compile_error!(
            "the stack is Microkit's: put stack_size into <protection_domain> of the system description"
        );
    };
    { @heap } => {
        #[global_allocator]
        static __SEL4_MICROKIT_HEAP: $crate::_private::Heap = $crate::_private::Heap::new();
    };
    { @main $init:ident { $($before:tt)* } } => {
        #[unsafe(no_mangle)]
        fn __sel4_microkit__main() -> ! {
            $($before)*
            $crate::_private::run_main($init)
        }

        #[cfg(not(target_os = "none"))]
        #[unsafe(no_mangle)]
        extern "C" fn main() -> i32 {
            $crate::_private::refuse_host()
        }
    };
}

/// For this crate's macros.
#[doc(hidden)]
pub mod _private {
    #[cfg(not(target_os = "none"))]
    pub use crate::entry::refuse_host;
    pub use crate::entry::run_main;
    pub use crate::heap::{Arena, Heap, NoHeap};
    pub use crate::symbols::{Patched, Word, region};
}
