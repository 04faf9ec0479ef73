// SPDX-License-Identifier: BSD-2-Clause

//! The interface to the link, and the routes that lead over it.

use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::Ipv4Addr;

use super::address::Address;
use super::link6::Slots;
use crate::config::{Config, in_network, network_mask};
use crate::ethernet::Hop;
use crate::frames::Offload;

/// Before the driver has told its address: a locally administered one.
const NO_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0];

/// The network of loopback (RFC 1122 section 3.2.1.3), and the highest address in it.
pub const LOOPBACK: (Ipv4Addr, u8) = (Ipv4Addr::LOCALHOST, 8);
pub const LOOPBACK_BROADCAST: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

/// Most IPv4 addresses of the interface.
const ADDRESSES: usize = 8;
/// Most routes by routers.
const ROUTES: usize = 16;

/// An IPv4 address, and how many bits of it name its network.
pub type Place = (Ipv4Addr, u8);

/// An Ethernet interface.
#[derive(Debug)]
pub struct Interface {
    /// Its Ethernet address.
    pub mac: [u8; 6],
    /// Its first IPv4 address, or the unspecified one.
    pub address: Ipv4Addr,
    /// The destination of packets to it alone: its first address, or one that never is that.
    pub hears: Ipv4Addr,
    /// What the device does with checksums.
    pub offload: Offload,
    /// Whether frames can leave: it is up, and the device says that the link is.
    pub link_up: bool,
    /// Bits of the address that name its network.
    pub prefix: u8,
    /// Whether there are addresses besides the first.
    more: bool,
    /// Whether an address has gone: a socket may still have it.
    pub lost: bool,
    /// The address of all hosts of its network, if there is one.
    broadcast: Option<Ipv4Addr>,
    /// Whether it has not been shut down.
    pub up: bool,
    /// Whether the device says that the link is up.
    pub carrier: bool,
    /// All of its addresses.
    pub addresses: Slots<Place, ADDRESSES>,
}

/// The address of all hosts of a network.
fn broadcast((address, prefix): Place) -> Option<Ipv4Addr> {
    let highest = address.to_bits() | !network_mask(prefix);
    (prefix < 31).then(|| Ipv4Addr::from_bits(highest))
}

impl Interface {
    /// `config` has been checked.
    pub fn new(config: &Config) -> Self {
        let mut interface = Interface {
            mac: NO_MAC,
            address: Ipv4Addr::UNSPECIFIED,
            hears: Ipv4Addr::BROADCAST,
            offload: Offload::default(),
            link_up: false,
            prefix: 32,
            more: false,
            lost: false,
            broadcast: None,
            up: true,
            carrier: false,
            addresses: Slots::new(),
        };
        if config.dhcp.is_none() {
            interface.addresses.push((config.address, config.prefix));
            interface.addresses_changed();
        }
        interface
    }

    /// The list of addresses has changed.
    pub fn addresses_changed(&mut self) {
        let mut addresses = self.addresses.iter().copied();
        let first = addresses.next();
        self.more = addresses.next().is_some();
        self.broadcast = first.and_then(broadcast);
        self.hears = first.map_or(Ipv4Addr::BROADCAST, |(address, _)| address);
        (self.address, self.prefix) = first.unwrap_or((Ipv4Addr::UNSPECIFIED, 32));
    }

    /// It is up or down, or its link is.
    pub fn link_changed(&mut self) {
        self.link_up = self.up && self.carrier;
    }

    /// Whether an address means all hosts of the link.
    #[inline]
    pub fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        address.is_broadcast()
            || Some(address) == self.broadcast
            || self.any_other(|place| broadcast(place) == Some(address))
    }

    /// Whether checksums of packets that take this hop are written here: the device may do it, but
    /// has no part in loopback.
    pub fn writes_checksums(&self, hop: Hop) -> bool {
        hop.loops() || !self.offload.tx_checksum
    }

    /// Whether a host is on the link.
    pub fn is_neighbour(&self, host: Ipv4Addr) -> bool {
        in_network(self.address, self.prefix, host)
            || self.any_other(|(address, prefix)| in_network(address, prefix, host))
    }

    /// Whether it has this address.
    #[inline]
    pub fn has(&self, address: Ipv4Addr) -> bool {
        address == self.hears || self.any_other(|(other, _)| other == address)
    }

    /// Whether it is up and has an address.
    pub fn is_usable(&self) -> bool {
        self.up && !self.address.is_unspecified()
    }

    /// Whether it has more than one address.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// The address for packets to a host on the link.
    pub fn source_to(&self, next: Ipv4Addr) -> Ipv4Addr {
        let mut near = self.addresses.iter();
        let near = near.find(|(address, prefix)| in_network(*address, *prefix, next));
        near.map_or(self.address, |(address, _)| *address)
    }

    /// Whether something holds for an address besides the first. Mostly there is none.
    #[inline]
    fn any_other(&self, holds: impl Fn(Place) -> bool) -> bool {
        self.more && self.any(holds)
    }

    #[cold]
    fn any(&self, holds: impl Fn(Place) -> bool) -> bool {
        self.addresses.any(|place| holds(*place))
    }
}

/// How packets get to a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// They do not leave: the network is this machine.
    Loopback,
    /// The network is that of the link.
    Link,
    /// By this router.
    Router(Ipv4Addr),
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// An address of the network.
    pub network: Ipv4Addr,
    /// Bits of the address that name the network.
    pub prefix: u8,
    /// How packets get there.
    pub gate: Gate,
}

/// A route by a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via {
    /// The network, and bits that name it.
    pub to: Place,
    /// The router.
    pub router: Ipv4Addr,
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

/// The routes of IPv4.
pub struct Routes {
    /// Those in use, longest prefix first.
    table: Vec<Route>,
    /// Those by routers, which are declared or have been added.
    pub by_router: Slots<Via, ROUTES>,
}

impl Routes {
    /// This machine's addresses over loopback, the interface's own network, and all others by way
    /// of the gateway.
    pub fn new(config: &Config, interface: &Interface) -> Self {
        let mut routes = Routes {
            table: Vec::with_capacity(1 + 2 * ADDRESSES + ROUTES),
            by_router: Slots::new(),
        };
        if let Some(router) = config.first_gateway() {
            let to = (Ipv4Addr::UNSPECIFIED, 0);
            routes.by_router.push(Via { to, router });
        }
        routes.update(interface);
        routes
    }

    /// Addresses, routes or the interface's state have changed.
    pub fn update(&mut self, interface: &Interface) {
        let route = |(network, prefix), gate| Route {
            network,
            prefix,
            gate,
        };
        let places = interface.addresses.iter();
        let own = places
            .clone()
            .map(|(own, _)| route((*own, 32), Gate::Loopback));
        let networks = places.filter(|(_, prefix)| *prefix < 32);
        let link = networks.map(|place| route(*place, Gate::Link));
        let routers = self.by_router.iter();
        let routers = routers.filter(|via| interface.is_neighbour(via.router));
        let routers = routers.map(|via| route(via.to, Gate::Router(via.router)));
        self.table.clear();
        self.table.extend(own);
        self.table.push(route(LOOPBACK, Gate::Loopback));
        if interface.up {
            self.table.extend(link.chain(routers));
        }
        // An address of this machine comes before a network of 32 bits.
        let order = |route: &Route| (Reverse(route.prefix), route.gate);
        self.table.sort_unstable_by_key(order);
    }

    /// Those that leave this machine.
    pub fn leaving(&self) -> impl Iterator<Item = &Route> {
        let routes = self.table.iter();
        routes.filter(|route| route.gate != Gate::Loopback)
    }

    /// The router for everything that no other route leads to.
    pub fn default_router(&self) -> Option<Ipv4Addr> {
        let mut routes = self.table.iter();
        routes.find_map(|route| match route.gate {
            Gate::Router(router) if route.prefix == 0 => Some(router),
            _ => None,
        })
    }

    /// Where a packet goes next. `None` if no route leads there.
    pub fn next_hop4(&self, to: Ipv4Addr) -> Option<NextHop> {
        let mut routes = self.table.iter();
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
        let table = vec![
            route(Ipv4Addr::new(10, 1, 2, 7), 32, Gate::Loopback),
            route(Ipv4Addr::new(10, 1, 2, 0), 24, Gate::Link),
            route(Ipv4Addr::new(10, 1, 0, 0), 16, Gate::Router(near)),
            route(Ipv4Addr::new(10, 0, 0, 0), 8, Gate::Router(far)),
        ];
        let by_router = Slots::new();
        let routes = Routes { table, by_router };
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
