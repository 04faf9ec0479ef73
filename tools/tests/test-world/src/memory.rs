// SPDX-License-Identifier: BSD-2-Clause

//! The memory that a client and the server share, from both ends.

use std::alloc::{Layout, alloc_zeroed};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

use shm::{ReadOnly, ReadWindow, ReadWrite, Region, Shared};
use socket_client::Memory;
use socket_proto::ready::region_size;
use socket_proto::{Half, MAX_SOCKETS, ReadinessReader, ReadinessWriter, WindowSizes};
use socket_server::{ClientLimits, ClientPort, OutOfWindow, Window};

use crate::{C2S, S2C};

/// Zeroed memory that is never freed: shared memory is there for good.
fn leak(layout: Layout) -> NonNull<u8> {
    assert_ne!(layout.size(), 0);
    // SAFETY: the layout has a size.
    NonNull::new(unsafe { alloc_zeroed(layout) }).expect("memory")
}

/// A new zeroed page, such as one of counters.
pub fn page<T: Shared>() -> &'static T {
    let layout = Layout::new::<T>();
    // SAFETY: memory of that size which is never freed, and nothing else refers to it.
    let region = unsafe { Region::<ReadWrite>::from_ptr(leak(layout), layout.size()) };
    region.into_page().expect("a page")
}

/// Words of a readiness region that has room for as many sockets as a client can have.
const READY_WORDS: usize = region_size(MAX_SOCKETS) / size_of::<AtomicU32>();

/// Window and readiness region of one client.
pub struct ClientMemory {
    c2s: NonNull<u8>,
    s2c: NonNull<u8>,
    sizes: WindowSizes,
    page: &'static [AtomicU32],
}

impl ClientMemory {
    /// With halves of [`C2S`] and [`S2C`] bytes.
    #[allow(clippy::new_without_default, reason = "it leaks memory")]
    pub fn new() -> Self {
        Self::with_sizes(WindowSizes { c2s: C2S, s2c: S2C })
    }

    /// With halves of other sizes.
    pub fn with_sizes(sizes: WindowSizes) -> Self {
        let half = |bytes: u32| {
            let layout = Layout::array::<u8>(bytes as usize).expect("a size");
            leak(layout)
        };
        ClientMemory {
            c2s: half(sizes.c2s),
            s2c: half(sizes.s2c),
            sizes,
            page: page::<[AtomicU32; READY_WORDS]>(),
        }
    }

    fn region<A: shm::Access>(&self, half: Half) -> Region<A> {
        let (base, bytes) = match half {
            Half::ClientToServer => (self.c2s, self.sizes.c2s),
            Half::ServerToClient => (self.s2c, self.sizes.s2c),
        };
        // SAFETY: leaked memory of that length. Both ends run in one thread, and views of it are
        // used one after the other, as with memory that is mapped into two address spaces.
        unsafe { Region::from_ptr(base, bytes as usize) }
    }

    /// The client's views.
    pub fn client(&self) -> Memory {
        Memory {
            // SAFETY: the server's end never writes this half.
            c2s: unsafe {
                self.region::<ReadWrite>(Half::ClientToServer)
                    .into_exclusive_bytes()
            },
            s2c: self
                .region::<ReadOnly>(Half::ServerToClient)
                .into_read_window(),
            ready: self.page,
        }
    }

    /// The server's views, and what the client may use. Clears the page's words of sockets.
    pub fn port(&self, limits: ClientLimits) -> ClientPort<SharedWindow> {
        ClientPort {
            window: SharedWindow {
                c2s: self
                    .region::<ReadOnly>(Half::ClientToServer)
                    .into_read_window(),
                s2c: self.region(Half::ServerToClient).into_window(),
                sizes: self.sizes,
            },
            ready: ReadinessWriter::new(self.page),
            limits,
        }
    }

    /// The readiness page, as the client reads it.
    pub fn page(&self) -> ReadinessReader<'static> {
        ReadinessReader::new(self.page)
    }

    /// The words of the readiness page.
    pub fn page_words(&self) -> &'static [AtomicU32] {
        self.page
    }

    /// Writes the start of the client's half, as the client.
    pub fn fill(&self, bytes: &[u8]) {
        let half = self.region(Half::ClientToServer).into_window();
        half.write_at(0, bytes).expect("in the client's half");
    }

    /// All of the client's half.
    pub fn written(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.sizes.c2s as usize];
        let half = self.region::<ReadOnly>(Half::ClientToServer);
        half.into_read_window()
            .read_at(0, &mut bytes)
            .expect("its size");
        bytes
    }

    /// A part of the server's half.
    pub fn read(&self, at: usize, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let half = self.region::<ReadOnly>(Half::ServerToClient);
        half.into_read_window()
            .read_at(at, &mut bytes)
            .expect("in the server's half");
        bytes
    }

    /// Writes the start of the server's half, as the server.
    pub fn scribble(&self, bytes: &[u8]) {
        let half = self.region(Half::ServerToClient).into_window();
        half.write_at(0, bytes).expect("in the server's half");
    }
}

/// The server's views of a client's window.
pub struct SharedWindow {
    c2s: ReadWindow,
    s2c: shm::Window,
    sizes: WindowSizes,
}

impl Window for SharedWindow {
    fn sizes(&self) -> WindowSizes {
        self.sizes
    }

    fn read(&self, half: Half, offset: usize, into: &mut [u8]) -> Result<(), OutOfWindow> {
        match half {
            Half::ClientToServer => self.c2s.read_at(offset, into),
            Half::ServerToClient => self.s2c.read_at(offset, into),
        }
        .map_err(|_| OutOfWindow)
    }

    fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), OutOfWindow> {
        self.s2c.write_at(offset, from).map_err(|_| OutOfWindow)
    }
}
