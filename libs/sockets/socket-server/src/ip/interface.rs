// SPDX-License-Identifier: BSD-2-Clause

//! The interface to the link, and the routes that lead over it.

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use super::address::Address;
use crate::config::{Config, in_network, network_mask};
use crate::ethernet::Hop;
use crate::frames::Offload;

/// Before the driver has told its address: a locally administered one.
const NO_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0];

/// The network of loopback (RFC 1122 section 3.2.1.3), and the highest address in it.
pub const LOOPBACK: (Ipv4Addr, u8) = (Ipv4Addr::LOCALHOST, 8);
pub const LOOPBACK_BROADCAST: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

/// An Ethernet interface.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// Its Ethernet address.
    pub mac: [u8; 6],
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// What the device does with checksums.
    pub offload: Offload,
    /// Whether the device says that the link is up.
    pub link_up: bool,
    /// Bits of the address that name its network.
    pub prefix: u8,
    /// The address of all hosts of its network, if there is one.
    broadcast: Option<Ipv4Addr>,
}

impl Interface {
    /// `config` has been checked.
    pub fn new(config: &Config) -> Self {
        let highest = config.address.to_bits() | !network_mask(config.prefix);
        Interface {
            mac: NO_MAC,
            address: config.address,
            offload: Offload::default(),
            link_up: false,
            prefix: config.prefix,
            broadcast: (config.prefix < 31).then(|| Ipv4Addr::from_bits(highest)),
        }
    }

    /// Whether an address means all hosts of the link.
    pub fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        address.is_broadcast() || Some(address) == self.broadcast
    }

    /// Whether checksums of packets that take this hop are written here: the device may do it, but
    /// has no part in loopback.
    pub fn writes_checksums(&self, hop: Hop) -> bool {
        hop.loops() || !self.offload.tx_checksum
    }

    /// Whether a host is on the link.
    pub fn is_neighbour(&self, host: Ipv4Addr) -> bool {
        in_network(self.address, self.prefix, host)
    }
}

/// How packets get to a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// They do not leave: the network is this machine.
    Loopback,
    /// The network is that of the link.
    Link,
    /// By this router.
    Router(Ipv4Addr),
}

/// A line of the table.
struct Route {
    network: Ipv4Addr,
    prefix: u8,
    gate: Gate,
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// To this machine itself, over loopback.
    Loopback,
    /// To this host on the link.
    Neighbour(Address),
    /// To all hosts on the link.
    Everyone,
    /// To a group of them.
    Group(Address),
}

/// The routes of IPv4, longest prefix first.
pub struct Routes(Vec<Route>);

impl Routes {
    /// This machine's addresses over loopback, the interface's own network, and all others by way
    /// of the gateway.
    pub fn new(config: &Config) -> Self {
        let route = |network, prefix, gate| Route {
            network,
            prefix,
            gate,
        };
        let mut routes = vec![
            route(config.address, 32, Gate::Loopback),
            route(LOOPBACK.0, LOOPBACK.1, Gate::Loopback),
            route(config.address, config.prefix, Gate::Link),
        ];
        let default = |gateway| route(Ipv4Addr::UNSPECIFIED, 0, Gate::Router(gateway));
        routes.extend(config.gateway.map(default));
        routes.sort_by_key(|route| core::cmp::Reverse(route.prefix));
        Routes(routes)
    }

    /// Where a packet goes next. `None` if no route leads there.
    pub fn next_hop4(&self, to: Ipv4Addr) -> Option<NextHop> {
        let mut routes = self.0.iter();
        let route = routes.find(|route| in_network(route.network, route.prefix, to))?;
        Some(match route.gate {
            Gate::Loopback => NextHop::Loopback,
            Gate::Link => NextHop::Neighbour(to.into()),
            Gate::Router(router) => NextHop::Neighbour(router.into()),
        })
    }

    /// Whether an address is one of this machine's.
    pub fn is_own4(&self, address: Ipv4Addr) -> bool {
        address != LOOPBACK_BROADCAST && self.next_hop4(address) == Some(NextHop::Loopback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let [near, far] = [Ipv4Addr::new(10, 1, 0, 1), Ipv4Addr::new(10, 2, 0, 1)];
        let route = |network, prefix, gate| Route {
            network,
            prefix,
            gate,
        };
        let routes = Routes(vec![
            route(Ipv4Addr::new(10, 1, 2, 7), 32, Gate::Loopback),
            route(Ipv4Addr::new(10, 1, 2, 0), 24, Gate::Link),
            route(Ipv4Addr::new(10, 1, 0, 0), 16, Gate::Router(near)),
            route(Ipv4Addr::new(10, 0, 0, 0), 8, Gate::Router(far)),
        ]);
        let host = |a, b, c| Ipv4Addr::new(a, b, c, 9);
        let neighbour = |host| Some(NextHop::Neighbour(Address::v4(host)));
        assert_eq!(routes.next_hop4(host(10, 1, 2)), neighbour(host(10, 1, 2)));
        assert_eq!(routes.next_hop4(host(10, 1, 3)), neighbour(near));
        assert_eq!(routes.next_hop4(host(10, 3, 3)), neighbour(far));
        assert_eq!(routes.next_hop4(host(11, 1, 2)), None);
        assert!(routes.is_own4(Ipv4Addr::new(10, 1, 2, 7)));
        assert!(!routes.is_own4(host(10, 1, 2)) && !routes.is_own4(host(11, 1, 2)));
    }
}
