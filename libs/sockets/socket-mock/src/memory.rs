// SPDX-License-Identifier: BSD-2-Clause

//! The memory that client and server share, from both sides.

use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

use shm::{ReadOnly, ReadWrite, Region};
use socket_client::Memory;
use socket_proto::ready::{PAGE_WORDS, PageWords};
use socket_proto::{Half, Span, WindowSizes};

/// Window and readiness page.
pub struct SharedMemory {
    c2s: NonNull<u8>,
    s2c: NonNull<u8>,
    sizes: WindowSizes,
    /// The readiness page.
    pub ready: &'static PageWords,
}

impl SharedMemory {
    /// Never freed: shared memory is there for good.
    pub fn new(half: usize) -> Self {
        let half_ptr = || NonNull::from(Vec::leak(vec![0u8; half])).cast();
        SharedMemory {
            c2s: half_ptr(),
            s2c: half_ptr(),
            sizes: WindowSizes {
                c2s: half as u32,
                s2c: half as u32,
            },
            ready: Box::leak(Box::new([const { AtomicU32::new(0) }; PAGE_WORDS])),
        }
    }

    /// The client's views.
    pub fn client(&self) -> Memory {
        // SAFETY: leaked memory of that length; the server's side of this test goes through raw
        // pointers only.
        let c2s = unsafe { Region::<ReadWrite>::from_ptr(self.c2s, self.sizes.c2s as usize) };
        // SAFETY: leaked memory of that length, of which the client only reads this half.
        let s2c = unsafe { Region::<ReadOnly>::from_ptr(self.s2c, self.sizes.s2c as usize) };
        Memory {
            // SAFETY: the server's side never writes this half.
            c2s: unsafe { c2s.into_exclusive_bytes() },
            s2c: s2c.into_read_window(),
            ready: self.ready,
        }
    }

    /// What the server reads for a `send`.
    ///
    /// # Panics
    /// If the span leaves the window.
    pub fn read(&self, span: Span) -> Vec<u8> {
        let span = self
            .sizes
            .check(span)
            .expect("the library names spans in the window");
        let base = match span.half() {
            Half::ClientToServer => self.c2s,
            Half::ServerToClient => self.s2c,
        };
        // SAFETY: the span was checked against the memory's size, and no slice of it lives during a
        // call.
        unsafe { core::slice::from_raw_parts(base.as_ptr().add(span.start()), span.length()) }
            .to_vec()
    }

    /// What the server writes for a `recv`.
    ///
    /// # Panics
    /// If the span leaves the server's half.
    pub fn write(&self, span: Span, bytes: &[u8]) {
        let span = self
            .sizes
            .check_writable(span)
            .expect("the library receives into the server's half");
        assert!(bytes.len() <= span.length());
        // SAFETY: the span was checked against the memory's size, and the client reads it by
        // copying only.
        unsafe {
            core::ptr::copy(
                bytes.as_ptr(),
                self.s2c.as_ptr().add(span.start()),
                bytes.len(),
            );
        }
    }
}
