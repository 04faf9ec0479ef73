// SPDX-License-Identifier: BSD-2-Clause

//! Path MTU discovery (RFC 1191, RFC 8201): which destinations take only smaller packets than the
//! link does.

use super::address::Address;
use crate::time::{Duration, Instant};
use alloc::collections::VecDeque;

use crate::tables::map::Map;

/// The link's MTU, in bytes of a packet.
pub const LINK_MTU: usize = 1500;
/// The smallest that is believed: every host takes such packets (RFC 1122 section 3.3.3). To what
/// lies behind a narrower link, packets of this size are sent that routers may cut up.
pub const MIN_MTU: usize = 576;
/// The smallest with IPv6, which every link takes (RFC 8200 section 5).
pub const MIN_MTU6: usize = 1280;
/// How long a smaller MTU is kept before a larger one is tried (RFC 1191 section 6.3).
const LIFETIME: Duration = Duration::from_secs(600);
/// Destinations with a smaller MTU.
const COUNT: usize = 256;

/// Common MTUs (RFC 1191 section 7.1), for routers that do not say theirs.
const PLATEAUS: [usize; 7] = [65_535, 32_000, 17_914, 8_166, 4_352, 2_002, 1_492];

/// What a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Largest packet in bytes.
    pub mtu: usize,
    /// Whether routers may cut packets up, because some link takes less than [`MIN_MTU`].
    pub may_fragment: bool,
}

/// Of all paths that nothing is known of.
const UNKNOWN: Path = Path {
    mtu: LINK_MTU,
    may_fragment: false,
};

/// What is known of paths.
pub struct Paths {
    /// With the time until which it is kept.
    table: Map<Address, (Path, Instant)>,
    /// The destinations in the table. The one that came first goes when all are in use.
    order: VecDeque<Address>,
}

impl Paths {
    /// Nothing is known.
    pub fn new(seed: u64) -> Self {
        Paths {
            table: Map::new(COUNT, seed),
            order: VecDeque::with_capacity(COUNT),
        }
    }

    /// The path to a host.
    pub fn get(&self, to: Address, now: Instant) -> Path {
        // Mostly there is nothing to look for.
        if self.table.len() == 0 {
            return UNKNOWN;
        }
        match self.table.get(&to) {
            Some((path, until)) if now < until => path,
            _ => UNKNOWN,
        }
    }

    /// A router says that a packet of `length` bytes is too long, and what its next link takes; 0
    /// if it does not say. Returns whether the path is narrower than it was known to be.
    pub fn too_big(&mut self, to: Address, length: usize, next_mtu: usize, now: Instant) -> bool {
        let known = self.get(to, now);
        let said = match next_mtu {
            0 => plateau_below(length),
            mtu => mtu,
        };
        let path = match to.is_v4() {
            true => Path {
                mtu: said.max(MIN_MTU),
                may_fragment: said < MIN_MTU,
            },
            // Routers do not fragment it.
            false => Path {
                mtu: said.max(MIN_MTU6),
                may_fragment: false,
            },
        };
        // What is not smaller than the packet is no reason to refuse it.
        if said >= length || path.mtu > known.mtu || path == known {
            return false;
        }
        self.set(to, path, now + LIFETIME);
        true
    }

    fn set(&mut self, to: Address, path: Path, until: Instant) {
        if self.table.get(&to).is_none() {
            if self.order.len() == COUNT
                && let Some(oldest) = self.order.pop_front()
            {
                self.table.remove(&oldest);
            }
            self.order.push_back(to);
        }
        // One went if all were in use.
        let _ = self.table.insert(to, (path, until));
    }
}

fn plateau_below(length: usize) -> usize {
    let below = PLATEAUS.into_iter().find(|&mtu| mtu < length);
    // The next ones are 1,006 and 508; one step down to what every host takes ends sooner.
    below.unwrap_or(if length > 1006 { 1006 } else { MIN_MTU - 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};

    const HOST: Address = Address::v4(Ipv4Addr::new(192, 0, 2, 1));

    fn at(seconds: i64) -> Instant {
        Instant::from_secs(seconds)
    }

    #[test]
    fn a_path_narrows_and_is_forgotten() {
        let mut paths = Paths::new(3);
        assert_eq!(paths.get(HOST, at(0)).mtu, LINK_MTU);
        assert!(paths.too_big(HOST, 1500, 1400, at(0)));
        assert!(!paths.too_big(HOST, 1500, 1450, at(1)), "never wider");
        assert!(
            !paths.too_big(HOST, 1300, 1400, at(1)),
            "it would have fitted"
        );
        assert_eq!(paths.get(HOST, at(599)).mtu, 1400);
        assert_eq!(paths.get(HOST, at(600)).mtu, LINK_MTU);
    }

    #[test]
    fn below_the_minimum_routers_may_cut_up() {
        let mut paths = Paths::new(3);
        assert!(paths.too_big(HOST, 1500, 68, at(0)));
        let path = Path {
            mtu: MIN_MTU,
            may_fragment: true,
        };
        assert_eq!(paths.get(HOST, at(1)), path);
    }

    #[test]
    fn every_link_takes_1280_bytes_of_ipv6() {
        let host = Address::v6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
        let mut paths = Paths::new(3);
        assert!(paths.too_big(host, 1500, 1400, at(0)));
        assert!(paths.too_big(host, 1400, 600, at(0)));
        let path = paths.get(host, at(1));
        assert_eq!((path.mtu, path.may_fragment), (MIN_MTU6, false));
        assert!(!paths.too_big(host, 1280, 600, at(1)));
    }

    #[test]
    fn a_router_that_says_no_size_is_answered_with_smaller_and_smaller_packets() {
        let mut paths = Paths::new(3);
        let mut sizes = Vec::new();
        let mut length = LINK_MTU;
        while paths.too_big(HOST, length, 0, at(0)) {
            length = paths.get(HOST, at(0)).mtu;
            sizes.push(length);
        }
        assert_eq!(sizes, [1492, 1006, MIN_MTU]);
        assert!(paths.get(HOST, at(0)).may_fragment);
    }

    #[test]
    fn the_table_is_bounded_and_the_newest_is_known() {
        let mut paths = Paths::new(3);
        for n in 0..10_000 {
            let host = Address::v4(Ipv4Addr::from_bits(n));
            assert!(paths.too_big(host, 1500, 600, at(0)));
            assert_eq!(paths.get(host, at(0)).mtu, 600);
        }
        assert_eq!(paths.table.len(), COUNT);
    }
}
