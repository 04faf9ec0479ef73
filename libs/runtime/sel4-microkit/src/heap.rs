// SPDX-License-Identifier: BSD-2-Clause

//! The global allocator that `#[protection_domain(heap_size = …)]` declares: the crate rlsf on a
//! fixed piece of memory. It is a two-level segregated fit: allocating and freeing take constant
//! time, whatever went before.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use rlsf::Tlsf;

/// Blocks up to 8 GiB in 28 sizes, each power of two, each divided in 16: at most 1/16 of an
/// allocation is lost to rounding.
type Pool = Tlsf<'static, u32, u16, 28, 16>;

/// A heap that is empty until it is given memory.
pub struct Heap(UnsafeCell<Pool>);

// SAFETY: a PD has one thread, and the allocator's own code allocates nothing and panics nowhere,
// so it is never entered twice.
unsafe impl Sync for Heap {}

impl Heap {
    /// Makes a heap without memory.
    #[allow(clippy::new_without_default)] // for statics only
    pub const fn new() -> Self {
        Self(UnsafeCell::new(Pool::new()))
    }

    /// Gives the heap its memory.
    ///
    /// # Safety
    /// The memory must be mapped, readable and writable, and used by nothing else as long as the PD
    /// lives.
    ///
    /// # Panics
    /// If it is null, or too small to be of use.
    pub unsafe fn claim(&self, base: *mut u8, size: usize) {
        let block = NonNull::new(ptr::slice_from_raw_parts_mut(base, size));
        // SAFETY: the caller's promise is the one that the pool asks for; nobody else is in the
        // pool (see `Sync`).
        let used = block.and_then(|block| unsafe { self.pool().insert_free_block_ptr(block) });
        assert!(used.is_some(), "a heap of {size} bytes is too small");
    }

    /// # Safety
    /// The reference must not outlive the caller's use of it: no two at a time.
    #[allow(clippy::mut_from_ref)]
    unsafe fn pool(&self) -> &mut Pool {
        // SAFETY: the caller's promise, and there is one thread.
        unsafe { &mut *self.0.get() }
    }
}

fn pointer(block: Option<NonNull<u8>>) -> *mut u8 {
    block.map_or(ptr::null_mut(), NonNull::as_ptr)
}

// SAFETY: the pool gives out blocks as `GlobalAlloc` asks, and takes back what it gave out.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one reference at a time, here and below.
        pointer(unsafe { self.pool() }.allocate(layout))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller passes a block of this allocator, which is not null, with its layout.
        unsafe {
            self.pool()
                .deallocate(NonNull::new_unchecked(block), layout.align())
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: one reference at a time and a block of this allocator; the caller promises that
        // size and alignment make a layout.
        pointer(unsafe {
            let layout = Layout::from_size_align_unchecked(new_size, layout.align());
            self.pool()
                .reallocate(NonNull::new_unchecked(block), layout)
        })
    }
}

/// Memory for a heap inside the image, in `.bss.noinit`: a restart need not clear it.
#[doc(hidden)]
#[repr(C, align(16))]
pub struct Arena<const SIZE: usize>(UnsafeCell<MaybeUninit<[u8; SIZE]>>);

// SAFETY: only its address is used, once, for `Heap::claim`.
unsafe impl<const SIZE: usize> Sync for Arena<SIZE> {}

impl<const SIZE: usize> Arena<SIZE> {
    #[allow(clippy::new_without_default)] // for statics only
    pub const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    pub const fn base(&self) -> *mut u8 {
        self.0.get().cast()
    }
}
