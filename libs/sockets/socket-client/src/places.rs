// SPDX-License-Identifier: BSD-2-Clause

//! Who keeps a place in a service that has fewer places than there are connections.
//!
//! Each connection has *credit*, a time that passes. It starts with [`GRACE`], shared with all
//! those that have not asked for anything yet; every byte moved adds to it, 64 KiB a second's
//! worth, and each request brings it back to [`GRACE`]. As long as nobody waits, credit
//! means nothing. When a connection waits and every place is taken, one whose credit is used up
//! loses its place: of the address that holds most places the one that has been without credit the
//! longest.
//!
//! So connections that say nothing, send a request byte by byte or read a response drop by drop
//! make room at once, however many there are; who works keeps its place; and an address with few
//! connections does not suffer from one with many.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use time::Instant;

/// The credit of a new connection, and the least after a request. New ones share
/// it, so that a flood of connections that say nothing passes as fast as it is accepted.
pub const GRACE: Duration = Duration::from_millis(100);
/// The least share of it: a peer needs a moment to send its request after the handshake.
const LEAST: Duration = Duration::from_millis(5);
/// Bytes that are worth a second.
const RATE: u64 = 64 * 1024;
/// Credit never exceeds this: long work in the past does not pay for long silence.
const MOST: Duration = Duration::from_secs(1);
/// Lack of credit that bytes moved count against: who was silent for an hour does not pay for all
/// of it.
const WORST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
struct Place {
    peer: IpAddr,
    /// Places that this peer has, this one included.
    held: usize,
    /// When the credit is used up.
    until: Instant,
    /// It has asked for something.
    asked: bool,
    /// It has been told to leave.
    leaves: bool,
}

/// The places of a service.
pub struct Places<const N: usize> {
    places: [Option<Place>; N],
    /// No place from here on is taken: those in front are few when connections are.
    end: usize,
}

/// What a time is worth that so many bytes have taken, at `rate` bytes a second.
pub(crate) fn worth(bytes: usize, rate: u64) -> Duration {
    Duration::from_nanos((bytes as u64).saturating_mul(1_000_000_000) / rate)
}

/// What counts as one peer: an IPv4 address, or the /64 network that one IPv6 host may have for
/// itself.
fn network(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

impl<const N: usize> Places<N> {
    /// All of them are free.
    #[expect(clippy::new_without_default, reason = "it is const")]
    #[must_use]
    pub const fn new() -> Self {
        Places {
            places: [None; N],
            end: 0,
        }
    }

    fn taken(&mut self) -> impl Iterator<Item = (usize, &mut Place)> {
        let numbered = self.places[..self.end].iter_mut().enumerate();
        numbered.filter_map(|(index, place)| Some((index, place.as_mut()?)))
    }

    /// Takes a place for a connection from `peer`. `None` if there is none.
    pub fn enter(&mut self, peer: SocketAddr, now: Instant) -> Option<usize> {
        let gap = self.places[..self.end].iter().position(Option::is_none);
        let free = gap.unwrap_or(self.end);
        if free == N {
            return None;
        }
        let peer = network(peer);
        let (mut held, mut new) = (1, 1u32);
        for (_, place) in self.taken() {
            new += u32::from(!place.asked);
            if place.peer == peer {
                place.held += 1;
                held = place.held;
            }
        }
        self.end = self.end.max(free + 1);
        self.places[free] = Some(Place {
            peer,
            held,
            until: now + (GRACE / new).max(LEAST),
            asked: false,
            leaves: false,
        });
        Some(free)
    }

    /// Gives a place back.
    pub fn leave(&mut self, place: usize) {
        let Some(left) = self.places.get_mut(place).and_then(Option::take) else {
            return;
        };
        while self.end > 0 && self.places[self.end - 1].is_none() {
            self.end -= 1;
        }
        for (_, place) in self.taken() {
            place.held -= usize::from(place.peer == left.peer);
        }
    }

    /// Bytes were moved, in either direction.
    pub fn moved(&mut self, place: usize, bytes: usize, now: Instant) {
        if let Some(Some(place)) = self.places.get_mut(place) {
            let from = place.until.max(now - WORST);
            let most = now + MOST;
            place.until = (from + worth(bytes, RATE)).min(most);
        }
    }

    /// A whole request has come.
    pub fn requested(&mut self, place: usize, now: Instant) {
        if let Some(Some(place)) = self.places.get_mut(place) {
            place.asked = true;
            place.until = place.until.max(now + GRACE);
        }
    }

    /// For a connection that waits while every place is taken: the place that is to be left for it.
    /// It is told once.
    ///
    /// # Errors
    /// When to ask again, if all have credit or have been told already.
    pub fn make_room(&mut self, now: Instant) -> Result<usize, Instant> {
        let mut next = Instant::MAX;
        let mut chosen: Option<(usize, &mut Place)> = None;
        for (index, place) in self.taken().filter(|(_, place)| !place.leaves) {
            if place.until > now {
                next = next.min(place.until);
                continue;
            }
            let rank = |place: &Place| (place.held, now - place.until);
            if chosen
                .as_ref()
                .is_none_or(|(_, best)| rank(place) > rank(best))
            {
                chosen = Some((index, place));
            }
        }
        let (index, place) = chosen.ok_or(next)?;
        place.leaves = true;
        Ok(index)
    }

    /// Whether a place is to be left.
    pub fn leaves(&self, place: usize) -> bool {
        matches!(self.places.get(place), Some(Some(place)) if place.leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const NANOSECOND: Duration = Duration::from_nanos(1);

    fn from(host: u8) -> SocketAddr {
        ([10, 0, 0, host], 4000).into()
    }

    const START: Instant = Instant::from_nanos(1_000_000_000_000);

    #[test]
    fn the_longest_silent_one_of_the_address_with_most_goes() {
        let mut places = Places::<4>::new();
        // The honest one has been silent for longer than all others, and is alone.
        let honest = places.enter(from(1), START - SECOND).unwrap();
        let second = places.enter(from(2), START + 5 * NANOSECOND).unwrap();
        // The more are new the shorter is the credit.
        let first = places.enter(from(2), START + 6 * NANOSECOND).unwrap();
        places.enter(from(3), START + 7 * NANOSECOND).unwrap();
        assert_eq!(places.enter(from(4), START), None);
        assert_eq!(
            places.make_room(START - SECOND),
            Err(START - SECOND + GRACE)
        );
        let late = START + 2 * GRACE;
        assert_eq!(places.make_room(late), Ok(first));
        assert!(places.leaves(first) && !places.leaves(second));
        // Told, but still there: it counts and is not told again.
        assert_eq!(places.make_room(late), Ok(second));
        places.leave(first);
        places.leave(second);
        assert_eq!(places.make_room(late), Ok(honest));
        places.leave(honest);
        assert_eq!(places.enter(from(5), late), Some(honest));
        assert!(!places.leaves(honest));
    }

    #[test]
    fn a_flood_from_one_address_moves_on_and_leaves_others_alone() {
        let mut places = Places::<8>::new();
        let mut now = START;
        let honest = places.enter(from(1), now).unwrap();
        for _ in 1..8 {
            places.enter(from(2), now).unwrap();
        }
        for _ in 0..1000 {
            now += 2 * GRACE;
            let left = places.make_room(now).unwrap();
            assert_ne!(left, honest);
            places.leave(left);
            assert_eq!(places.enter(from(2), now), Some(left));
        }
    }

    #[test]
    fn who_moves_enough_stays_and_who_drips_does_not() {
        let mut places = Places::<2>::new();
        let busy = places.enter(from(1), START).unwrap();
        let drip = places.enter(from(1), START).unwrap();
        let step = GRACE / 2;
        for n in 1..200 {
            let now = START + n * step;
            places.moved(busy, worth_bytes(step), now);
            places.moved(drip, 100, now);
        }
        let now = START + 200 * step;
        assert_eq!(places.make_room(now), Ok(drip));
        assert!(places.make_room(now).is_err_and(|next| next > now));
        // Credit is limited, however much was moved.
        places.moved(busy, 1 << 30, now);
        assert_eq!(places.make_room(now), Err(now + MOST));
        // And so is the lack of it.
        let later = now + 3600 * SECOND;
        places.moved(busy, worth_bytes(WORST + GRACE), later);
        let next = places.make_room(later).unwrap_err();
        assert!((later..later + 2 * GRACE).contains(&next));
    }

    fn worth_bytes(time: Duration) -> usize {
        (time.as_nanos() as u64 * RATE / 1_000_000_000 + 1) as usize
    }

    #[test]
    fn requests_renew_the_grace() {
        let mut places = Places::<1>::new();
        let place = places.enter(from(1), START).unwrap();
        let now = START + 10 * SECOND;
        places.requested(place, now);
        assert_eq!(places.make_room(now), Err(now + GRACE));
    }

    #[test]
    fn new_connections_share_the_grace_and_those_that_asked_do_not_count() {
        let mut places = Places::<4>::new();
        let first = places.enter(from(1), START).unwrap();
        places.requested(first, START);
        assert_eq!(places.make_room(START), Err(START + GRACE));
        places.enter(from(2), START).unwrap();
        assert_eq!(places.make_room(START), Err(START + GRACE));
        places.enter(from(3), START).unwrap();
        assert_eq!(places.make_room(START), Err(START + GRACE / 2));
        places.enter(from(4), START).unwrap();
        assert_eq!(places.make_room(START), Err(START + GRACE / 3));
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_one_peer() {
        let peer = |text: &str| SocketAddr::new(text.parse().unwrap(), 1);
        let mut places = Places::<3>::new();
        let alone = places.enter(peer("2001:db8:0:2::1"), START).unwrap();
        places.enter(peer("2001:db8:0:1::1"), START).unwrap();
        places.enter(peer("2001:db8:0:1:ffff::2"), START).unwrap();
        assert_ne!(places.make_room(START + SECOND), Ok(alone));
        assert_ne!(places.make_room(START + SECOND), Ok(alone));
        assert_eq!(places.make_room(START + SECOND), Ok(alone));
    }
}
