// SPDX-License-Identifier: BSD-2-Clause
//! What an earlier life of the driver has left behind: frames that the device had delivered and the
//! server has not taken.

use crate::half::first_index;
use crate::{Descriptor, DriverHalves, PeerEpoch, ServerHalves};
use heapless::Vec;
use shm::atomic::Ordering;

/// Received frames that [`DriverEnd::acknowledge`](crate::DriverEnd::acknowledge) hands on first
/// (rule B5).
///
/// All of it is what an earlier life wrote, and may be garbage. The server takes a frame only if
/// its buffer is still lent with the very cookie, so nothing is checked here: what was handed on
/// before, or never was a frame, costs a look.
#[derive(Debug)]
pub struct Inheritance<const N: usize> {
    /// The server that lent the buffers; frames for an earlier one are nobody's. 0 for none.
    server: u32,
    frames: Vec<Descriptor, N>,
}

impl<const N: usize> Inheritance<N> {
    /// No inheritance: the first life of a driver.
    pub fn none() -> Self {
        Self {
            server: 0,
            frames: Vec::new(),
        }
    }

    /// What lies in rx_active, and behind it `leftovers`, of which at most as many are looked at as
    /// there are buffers. To be called before [`DriverEnd::start`](crate::DriverEnd::start), with
    /// the device reset.
    pub fn take(
        mine: &DriverHalves<N>,
        theirs: &ServerHalves<N>,
        leftovers: impl Iterator<Item = Descriptor>,
    ) -> Self {
        let mut inheritance = Self::none();
        let server = theirs.link.read().epoch;
        if server == 0 || mine.lender.word.load(Ordering::Relaxed) != server {
            return inheritance;
        }
        inheritance.server = server;
        let ring = &mine.rx_active;
        let mut tail = ring.tail.word.load(Ordering::Relaxed);
        // Into the ring first: if this life ends early too, the next one finds them there.
        for leftover in leftovers.take(N) {
            if let Some(slot) = ring.slot(tail) {
                slot.write(leftover);
            }
            tail = tail.wrapping_add(1);
            ring.tail.word.store(tail, Ordering::Release);
        }
        // All that was written for this server and is still there; the server knows what it has
        // taken of it.
        let written = tail.wrapping_sub(first_index(N)).min(N as u32);
        let first = tail.wrapping_sub(written);
        let frames = (0..written).filter_map(|ahead| ring.slot(first.wrapping_add(ahead)));
        for slot in frames {
            // There is room: `written` is at most `N`.
            let _ = inheritance.frames.push(slot.read());
        }
        inheritance
    }

    /// The frames for this epoch of the server.
    pub(crate) fn frames_for(&self, server: &PeerEpoch) -> &[Descriptor] {
        if self.server == server.0 {
            &self.frames
        } else {
            &[]
        }
    }

    pub(crate) fn clear(&mut self) {
        self.frames.clear();
    }
}
