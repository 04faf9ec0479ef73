// SPDX-License-Identifier: BSD-2-Clause
//! The two pools of buffers, and the server's record of who has which buffer.

use crate::{Descriptor, Reason};

/// Size of a buffer in bytes: an Ethernet frame of MTU 1500 with VLAN tag and the device's header,
/// and power of two.
pub const BUFFER_SIZE: usize = 2048;

/// Buffers in a pool, and capacity of each ring: a ring always has room for every buffer.
pub const CAPACITY: usize = 512;

/// Size of a pool in bytes: of each of the regions `rx_data` and `tx_data`.
pub const POOL_SIZE: usize = CAPACITY * BUFFER_SIZE;

/// Least length of a frame in bytes: an Ethernet header.
pub const MIN_FRAME: u16 = 14;

const SIZE: u32 = BUFFER_SIZE as u32;

/// Which buffer of a pool of `N` a descriptor's offset lies in, and how far from its start.
///
/// # Errors
///
/// It lies outside the pool.
#[inline]
pub(crate) fn locate<const N: usize>(descriptor: &Descriptor) -> Result<(u16, u16), Reason> {
    let (buffer, start) = (descriptor.offset / SIZE, descriptor.offset % SIZE);
    if (buffer as usize) < N {
        Ok((buffer as u16, start as u16))
    } else {
        Err(outside::<N>(descriptor))
    }
}

/// Which buffer begins at a descriptor's offset.
///
/// # Errors
///
/// None of the pool does.
#[inline]
pub(crate) fn locate_start<const N: usize>(descriptor: &Descriptor) -> Result<u16, Reason> {
    match locate::<N>(descriptor)? {
        (buffer, 0) => Ok(buffer),
        _ => Err(outside::<N>(descriptor)),
    }
}

fn outside<const N: usize>(descriptor: &Descriptor) -> Reason {
    Reason::Offset {
        reported: descriptor.offset,
        pool: N as u32 * SIZE,
    }
}

/// Whether a frame of a descriptor's length fits behind `start` in a buffer.
#[inline]
pub(crate) fn check_length(descriptor: &Descriptor, start: u16) -> Result<(), Reason> {
    let most = BUFFER_SIZE as u16 - start;
    if (MIN_FRAME..=most).contains(&descriptor.len) {
        Ok(())
    } else {
        Err(Reason::Length {
            reported: descriptor.len,
            least: MIN_FRAME,
            most,
        })
    }
}

/// Offset of a buffer in its pool, in bytes.
pub(crate) fn offset_of(buffer: u16) -> u32 {
    u32::from(buffer) * SIZE
}

/// Where a buffer is, as its owner knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// Here and idle.
    Home,
    /// Here, in use by the stack.
    InUse,
    /// With the driver, lent with this cookie.
    Lent(u32),
    /// Lent with this cookie in an earlier epoch, with a frame in it that is on its way here (B5).
    Inherited(u32),
}

/// The owner's record of a pool.
#[derive(Debug)]
pub(crate) struct Pool<const N: usize> {
    places: [Place; N],
    next_cookie: u32,
}

impl<const N: usize> Pool<N> {
    pub(crate) fn new() -> Self {
        Self {
            places: [Place::Home; N],
            next_cookie: 0,
        }
    }

    pub(crate) fn place(&self, buffer: u16) -> Option<Place> {
        self.places.get(usize::from(buffer)).copied()
    }

    #[inline]
    pub(crate) fn set(&mut self, buffer: u16, place: Place) {
        if let Some(slot) = self.places.get_mut(usize::from(buffer)) {
            *slot = place;
        }
    }

    /// Marks a buffer as lent; returns the cookie to lend it with.
    #[inline]
    pub(crate) fn lend(&mut self, buffer: u16) -> u32 {
        let cookie = self.next_cookie;
        self.next_cookie = cookie.wrapping_add(1);
        self.set(buffer, Place::Lent(cookie));
        cookie
    }

    /// Takes a buffer back, if it is lent with this cookie (B2); it is then at home.
    #[inline]
    pub(crate) fn take_back(&mut self, buffer: u16, cookie: u32) -> Result<(), Reason> {
        match self.place(buffer) {
            Some(Place::Lent(lent_with)) if lent_with == cookie => {
                self.set(buffer, Place::Home);
                Ok(())
            }
            Some(Place::Lent(lent_with)) => Err(Reason::Cookie {
                reported: cookie,
                lent_with,
            }),
            _ => Err(Reason::Ownership { buffer }),
        }
    }

    /// Notes that a buffer which was lent before this epoch comes back with a frame, if its cookie
    /// is this one. Returns whether it does.
    pub(crate) fn inherit(&mut self, buffer: u16, cookie: u32) -> bool {
        let comes = matches!(
            self.place(buffer),
            Some(Place::Lent(old) | Place::Inherited(old)) if old == cookie
        );
        if comes {
            self.set(buffer, Place::Inherited(cookie));
        }
        comes
    }

    /// Takes back a buffer that comes back with a frame, if it is one; it is then at home.
    pub(crate) fn take_inherited(&mut self, buffer: u16, cookie: u32) -> Result<(), Reason> {
        if self.place(buffer) != Some(Place::Inherited(cookie)) {
            return Err(Reason::Ownership { buffer });
        }
        self.set(buffer, Place::Home);
        Ok(())
    }

    /// All buffers with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, Place)> + '_ {
        (0u16..).zip(self.places.iter().copied())
    }
}
