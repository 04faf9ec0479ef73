// SPDX-License-Identifier: BSD-2-Clause
//! The two pools of buffers, and the server's record of who has which buffer.

use crate::Reason;

/// Size of a buffer in bytes: an Ethernet frame of MTU 1500 with VLAN tag and the device's header,
/// rounded up to a power of two.
pub const BUFFER_SIZE: usize = 2048;

/// Buffers in a pool, and capacity of each ring: a ring always has room for every buffer.
pub const CAPACITY: usize = 512;

/// Size of a pool in bytes: of each of the regions `rx_data` and `tx_data`.
pub const POOL_SIZE: usize = CAPACITY * BUFFER_SIZE;

/// Least length of a frame in bytes: an Ethernet header.
pub const MIN_FRAME: u16 = 14;

const SIZE: u32 = BUFFER_SIZE as u32;

/// Which buffer of a pool of `N` an offset lies in, and how far from its start.
///
/// # Errors
/// It lies outside the pool.
#[inline]
pub(crate) fn locate<const N: usize>(offset: u32) -> Result<(u16, u16), Reason> {
    let (buffer, start) = (offset / SIZE, offset % SIZE);
    if (buffer as usize) < N {
        Ok((buffer as u16, start as u16))
    } else {
        Err(outside::<N>(offset))
    }
}

/// Which buffer begins at an offset.
///
/// # Errors
/// None of the pool does.
#[inline]
pub(crate) fn locate_start<const N: usize>(offset: u32) -> Result<u16, Reason> {
    match locate::<N>(offset)? {
        (buffer, 0) => Ok(buffer),
        _ => Err(outside::<N>(offset)),
    }
}

fn outside<const N: usize>(reported: u32) -> Reason {
    let pool = N as u32 * SIZE;
    Reason::Offset { reported, pool }
}

/// Whether a frame of a length fits behind `start` in a buffer.
#[inline]
pub(crate) fn check_length(reported: u16, start: u16) -> Result<(), Reason> {
    let (least, most) = (MIN_FRAME, BUFFER_SIZE as u16 - start);
    if (least..=most).contains(&reported) {
        Ok(())
    } else {
        Err(Reason::Length {
            reported,
            least,
            most,
        })
    }
}

/// Offset of a buffer in its pool, in bytes.
pub(crate) fn offset_of(buffer: u16) -> u32 {
    u32::from(buffer) * SIZE
}

/// What is in use of a pool.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PoolUse {
    /// Buffers that are not in use. Of the pool of received frames those are in use that hold a
    /// frame which waits for the server.
    pub free: usize,
    /// Most buffers that were in use at once.
    pub peak: usize,
    /// Times that none was free.
    pub failures: u32,
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

    /// Takes a buffer back, if it is lent with this cookie (B2), or else `inherited` with it; it is
    /// then at home.
    #[inline]
    pub(crate) fn take_back(
        &mut self,
        buffer: u16,
        cookie: u32,
        inherited: bool,
    ) -> Result<(), Reason> {
        let lent_with = match self.place(buffer) {
            Some(Place::Lent(lent_with)) if !inherited => lent_with,
            Some(Place::Inherited(lent_with)) if inherited => lent_with,
            _ => return Err(Reason::Ownership { buffer }),
        };
        if lent_with != cookie {
            return Err(Reason::Cookie {
                reported: cookie,
                lent_with,
            });
        }
        self.set(buffer, Place::Home);
        Ok(())
    }

    /// Begins an epoch: what was lent before comes home, except for the buffers that are still to
    /// come back with a frame. Those are named with the cookies that they were lent with.
    pub(crate) fn inherit(&mut self, coming: impl Iterator<Item = (u16, u32)>) {
        for place in &mut self.places {
            if let Place::Inherited(cookie) = *place {
                *place = Place::Lent(cookie);
            }
        }
        for (buffer, cookie) in coming {
            if self.place(buffer) == Some(Place::Lent(cookie)) {
                self.set(buffer, Place::Inherited(cookie));
            }
        }
        for place in &mut self.places {
            if matches!(place, Place::Lent(_)) {
                *place = Place::Home;
            }
        }
    }

    /// The buffers that are lent.
    pub(crate) fn lent(&self) -> impl Iterator<Item = u16> + '_ {
        let places = (0u16..).zip(&self.places);
        places.filter_map(|(buffer, place)| matches!(place, Place::Lent(_)).then_some(buffer))
    }
}
