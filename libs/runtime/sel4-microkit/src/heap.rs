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

/// What is smaller than this lies side by side in a part of its own, so that it takes few pages:
/// a PD has to look up each page that it touches anew after every switch.
const SMALL: usize = 512;

/// One part in so many is for what is small. What finds no room there lies with the rest.
const PARTS: usize = 64;

/// A heap that is empty until it is given memory.
pub struct Heap(UnsafeCell<Pools>);

struct Pools {
    small: Pool,
    rest: Pool,
    /// Where the part for what is small ends.
    border: usize,
}

impl Pools {
    fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        let small = (layout.size() < SMALL).then(|| self.small.allocate(layout));
        small.flatten().or_else(|| self.rest.allocate(layout))
    }

    /// The pool that a block lies in.
    fn of(&mut self, block: NonNull<u8>) -> &mut Pool {
        match block.addr().get() < self.border {
            true => &mut self.small,
            false => &mut self.rest,
        }
    }
}

// SAFETY: a PD has one thread, and the allocator's own code allocates nothing and panics nowhere,
// so it is never entered twice.
unsafe impl Sync for Heap {}

impl Heap {
    /// Makes a heap without memory.
    #[allow(clippy::new_without_default)] // for statics only
    pub const fn new() -> Self {
        Self(UnsafeCell::new(Pools {
            small: Pool::new(),
            rest: Pool::new(),
            border: 0,
        }))
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
        let small = size / PARTS;
        let border = base.wrapping_add(small);
        // SAFETY: one reference at a time (see `Sync`).
        let pools = unsafe { self.pools() };
        pools.border = border.addr();
        let block = |base, size| NonNull::new(ptr::slice_from_raw_parts_mut(base, size));
        // SAFETY: the caller's promise is the one that the pools ask for, and the parts do not
        // overlap. A part that is too small is left alone.
        let used = unsafe {
            block(base, small).and_then(|block| pools.small.insert_free_block_ptr(block));
            block(border, size - small).and_then(|block| pools.rest.insert_free_block_ptr(block))
        };
        assert!(used.is_some(), "a heap of {size} bytes is too small");
    }

    /// # Safety
    /// The reference must not outlive the caller's use of it: no two at a time.
    #[allow(clippy::mut_from_ref)]
    unsafe fn pools(&self) -> &mut Pools {
        // SAFETY: the caller's promise, and there is one thread.
        unsafe { &mut *self.0.get() }
    }
}

fn pointer(block: Option<NonNull<u8>>) -> *mut u8 {
    block.map_or(ptr::null_mut(), NonNull::as_ptr)
}

// SAFETY: the pools give out blocks as `GlobalAlloc` asks, and take back what they gave out.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one reference at a time, here and below.
        pointer(unsafe { self.pools() }.allocate(layout))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller passes a block of this allocator, which is not null, with its layout.
        unsafe {
            let block = NonNull::new_unchecked(block);
            self.pools().of(block).deallocate(block, layout.align())
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: one reference at a time and a block of this allocator; the caller promises that
        // size and alignment make a layout.
        let grown = unsafe {
            let block = NonNull::new_unchecked(block);
            let layout = Layout::from_size_align_unchecked(new_size, layout.align());
            self.pools().of(block).reallocate(block, layout)
        };
        if grown.is_some() {
            return pointer(grown);
        }
        // The part for what is small has no room; the rest may have some.
        // SAFETY: as above; the new block is another one, and has room for what is copied.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// An allocator that has nothing.
pub struct NoHeap;

// SAFETY: it gives out nothing.
unsafe impl GlobalAlloc for NoHeap {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
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

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::boxed::Box;
    use std::vec::Vec;

    const SIZE: usize = 64 * 1024;

    fn heap(memory: &Arena<SIZE>) -> Heap {
        let heap = Heap::new();
        // SAFETY: each test has an arena of its own, which lives longer than its heap.
        unsafe { heap.claim(memory.base(), SIZE) };
        heap
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn small_blocks_lie_together_and_go_to_the_rest_when_their_part_is_full() {
        let memory = Box::new(Arena::new());
        let heap = heap(&memory);
        let blocks: Vec<*mut u8> = (0..60)
            // SAFETY: the layout has a size.
            .map(|n| unsafe { heap.alloc(layout(16 + n)) })
            .collect();
        let border = blocks[0].addr() - blocks[0].addr() % 16 + SIZE / PARTS;
        assert!(blocks.iter().all(|block| !block.is_null()));
        assert!(blocks[..10].iter().all(|block| block.addr() < border));
        assert!(blocks[59].addr() > border);
        for (n, &block) in blocks.iter().enumerate() {
            // SAFETY: it was given out with this layout, and is given back once.
            unsafe { heap.dealloc(block, layout(16 + n)) };
        }
        // SAFETY: the layout has a size.
        let again = unsafe { heap.alloc(layout(16)) };
        assert!(again.addr() < border);
    }

    #[test]
    fn a_block_keeps_its_bytes_when_it_grows_out_of_its_part() {
        let memory = Box::new(Arena::new());
        let heap = heap(&memory);
        let mut size = 8;
        // SAFETY: each block is used with the layout that it has, within its size.
        unsafe {
            let mut block = heap.alloc(layout(size));
            for n in 0..size {
                block.add(n).write(n as u8);
            }
            while size < SIZE / 4 {
                block = heap.realloc(block, layout(size), size * 2);
                assert!(!block.is_null());
                for n in 0..size {
                    assert_eq!(block.add(n).read(), n as u8);
                    block.add(size + n).write((size + n) as u8);
                }
                size *= 2;
            }
            heap.dealloc(block, layout(size));
            assert!(heap.alloc(layout(SIZE)).is_null());
        }
    }
}
