// SPDX-License-Identifier: BSD-2-Clause

//! Memory, channels and peers that the declaration gives this PD, by role (`wiring`).

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sel4_microkit::{Channel, pd_name};
use shm::{Access, Region, RegionError, Shared};
use wiring::{Memory, Wiring, WiringError};

use crate::Peer;
use crate::global::GLOBAL;

/// Memory entries of one table.
const MAX_MEMORY: usize = 256;

/// Entries that have been given out: two views of one range must not exist.
static TAKEN: [AtomicU64; MAX_MEMORY / 64] = [const { AtomicU64::new(0) }; MAX_MEMORY / 64];

/// Returns the wiring table of this PD.
///
/// # Panics
/// If it has none, or not one of this build. The SDK's tool puts its address into the symbols
/// `wiring_vaddr` and `wiring_size`.
pub fn wiring() -> Wiring<'static> {
    GLOBAL.wiring.get().unwrap_or_else(|| {
        let wiring = read().unwrap_or_else(|error| panic!("{error}"));
        GLOBAL.wiring.set(Some(wiring));
        wiring
    })
}

fn read() -> Result<Wiring<'static>, WiringError> {
    let address = *sel4_microkit::var!(wiring_vaddr: usize = 0);
    let size = *sel4_microkit::var!(wiring_size: usize = 0);
    let table = NonNull::new(core::ptr::with_exposed_provenance_mut::<u8>(address));
    let table = table.ok_or(WiringError::Short)?;
    // SAFETY: the SDK's tool has written address and size of one mapping of a region that is filled
    // before the system starts and that nobody may write; sysgen checks that.
    Wiring::parse(unsafe { core::slice::from_raw_parts(table.as_ptr(), size) })
}

/// Memory of this PD, given out once.
pub struct Mapped<A: Access> {
    memory: Memory<'static>,
    region: Region<A>,
}

/// Returns the memory of a role: this PD's own, or shared with one peer.
///
/// ```ignore
/// let window = region::<ReadWrite>(role::CLIENT_TO_SERVER).into_region().into_window();
/// let page: &LogPage = region::<ReadWrite>(role::LOG).page();
/// ```
///
/// # Panics
/// If the declaration gives this PD no such memory, or not with this access, or at the second call
/// for the same memory.
pub fn region<A: Access>(role: &str) -> Mapped<A> {
    let memory = wiring().memory(role);
    claim(memory.unwrap_or_else(|| missing(format_args!("memory \"{role}\""))))
}

/// Returns the memory of a role that is this PD's own, if it has any. Otherwise as [`region`].
pub fn own_region<A: Access>(role: &str) -> Option<Mapped<A>> {
    wiring()
        .memories(role)
        .find(|memory| memory.peer.is_none())
        .map(claim)
}

/// Returns the memory of a role that is shared with this peer. Otherwise as [`region`].
pub fn region_with<A: Access>(role: &str, peer: &str) -> Mapped<A> {
    let memory = wiring().memory_with(role, peer);
    claim(memory.unwrap_or_else(|| missing(format_args!("memory \"{role}\" with {peer}"))))
}

/// Returns all memory of a role that is shared with peers, one for each.
pub fn regions<A: Access>(role: &str) -> impl Iterator<Item = Mapped<A>> {
    wiring()
        .memories(role)
        .filter(|memory| memory.peer.is_some())
        .map(claim)
}

/// Returns the registers of the device that the declaration gives to this PD.
///
/// # Panics
/// If it gives none.
pub fn registers<T>() -> NonNull<T> {
    let device = wiring().device();
    device
        .and_then(|device| NonNull::new(core::ptr::with_exposed_provenance_mut(device.address)))
        .unwrap_or_else(|| missing(format_args!("device")))
}

/// Returns the channel of the interrupt that the declaration gives to this PD.
///
/// # Panics
/// If it gives none.
pub fn interrupt() -> Channel {
    let interrupt = wiring().interrupt();
    Channel::new(
        interrupt
            .unwrap_or_else(|| missing(format_args!("interrupt")))
            .id,
    )
}

/// Returns the peer at the channel of a role, if the declaration gives this PD one.
pub fn find_peer(role: &str) -> Option<Peer> {
    let channel = wiring().channel(role)?;
    Some(Peer::new(Channel::new(channel.id)))
}

/// Returns the peer at the channel of a role.
///
/// # Panics
/// If the declaration gives this PD none.
pub fn peer(role: &str) -> Peer {
    find_peer(role).unwrap_or_else(|| missing(format_args!("channel \"{role}\"")))
}

#[cold]
fn missing(what: fmt::Arguments<'_>) -> ! {
    let name = pd_name().unwrap_or("?");
    panic!("{name}: no {what} in its wiring table")
}

/// Addresses come from the table alone.
fn claim<A: Access>(memory: Memory<'static>) -> Mapped<A> {
    let Memory { index, role, .. } = memory;
    assert!(!memory.is_device, "{role} is a device, not memory");
    assert!(
        memory.is_writable || !A::WRITES,
        "{role} is declared for reading only"
    );
    let bit = 1 << (index % 64);
    // One thread: load and store need not be one step.
    let taken = &TAKEN[index / 64];
    let before = taken.load(Relaxed);
    assert!(before & bit == 0, "{role} is in use already");
    taken.store(before | bit, Relaxed);
    // SAFETY: the table says that so many bytes are mapped there, as normal memory and with this
    // access. It comes from the build (see `read`), which maps nothing else there, and the bit lets
    // nobody pass twice.
    let region = unsafe { Region::new(memory.address, memory.size) };
    Mapped { memory, region }
}

impl<A: Access> Mapped<A> {
    /// Returns the peer that shares this memory; `None` for the PD's own.
    pub fn peer(&self) -> Option<wiring::Peer<'static>> {
        self.memory.peer
    }

    /// Returns the start of the memory as a struct of atomics.
    ///
    /// # Panics
    /// If it is too small: the image was put together wrongly. The message says what, how many
    /// bytes are needed and how many there are.
    pub fn page<T: Shared>(self) -> &'static T {
        let fit = self.region.into_page();
        fit.unwrap_or_else(|error| refuse(self.memory.role, error))
    }

    /// Returns the memory as structs of atomics, as many as it has room for.
    ///
    /// # Panics
    /// As [`page`](Self::page).
    pub fn slice<T: Shared>(self) -> &'static [T] {
        let fit = self.region.into_slice();
        fit.unwrap_or_else(|error| refuse(self.memory.role, error))
    }

    /// Returns the memory, which must have at least so many bytes.
    ///
    /// # Panics
    /// As [`page`](Self::page).
    pub fn at_least(self, bytes: usize) -> Region<A> {
        let fit = self.region.at_least(bytes);
        fit.unwrap_or_else(|error| refuse(self.memory.role, error))
    }

    /// Returns the memory, whatever its size.
    pub fn into_region(self) -> Region<A> {
        self.region
    }
}

#[cold]
fn refuse(role: &str, error: RegionError) -> ! {
    panic!("memory \"{role}\": {error}")
}
