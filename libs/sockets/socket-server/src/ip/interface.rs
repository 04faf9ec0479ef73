// SPDX-License-Identifier: BSD-2-Clause

//! The interface to the link, and the routes that lead over it.

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use crate::config::{Config, in_network, network_mask};
use crate::frames::Offload;

/// Before the driver has told its address: a locally administered one.
const NO_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0];

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

    /// Whether an address means all hosts.
    pub fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        address.is_broadcast() || Some(address) == self.broadcast
    }

    /// Whether a host is on the link.
    pub fn is_neighbour(&self, host: Ipv4Addr) -> bool {
        in_network(self.address, self.prefix, host)
    }
}

/// How packets get to a network.
struct Route {
    network: Ipv4Addr,
    prefix: u8,
    /// The router; none if the network is that of the link.
    via: Option<Ipv4Addr>,
}

/// The routes, longest prefix first.
pub struct Routes(Vec<Route>);

impl Routes {
    /// The interface's own network, and all others by way of the gateway.
    pub fn new(config: &Config) -> Self {
        let own = Route {
            network: config.address,
            prefix: config.prefix,
            via: None,
        };
        let default = config.gateway.map(|gateway| Route {
            network: Ipv4Addr::UNSPECIFIED,
            prefix: 0,
            via: Some(gateway),
        });
        let mut routes = vec![own];
        routes.extend(default);
        routes.sort_by_key(|route| core::cmp::Reverse(route.prefix));
        Routes(routes)
    }

    /// The host on the link that a packet goes to next.
    pub fn next_hop(&self, to: Ipv4Addr) -> Option<Ipv4Addr> {
        let mut routes = self.0.iter();
        let route = routes.find(|route| in_network(route.network, route.prefix, to))?;
        Some(route.via.unwrap_or(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let [near, far] = [Ipv4Addr::new(10, 1, 0, 1), Ipv4Addr::new(10, 2, 0, 1)];
        let route = |network, prefix, via| Route {
            network,
            prefix,
            via,
        };
        let routes = Routes(vec![
            route(Ipv4Addr::new(10, 1, 2, 0), 24, None),
            route(Ipv4Addr::new(10, 1, 0, 0), 16, Some(near)),
            route(Ipv4Addr::new(10, 0, 0, 0), 8, Some(far)),
        ]);
        let host = |a, b, c| Ipv4Addr::new(a, b, c, 9);
        assert_eq!(routes.next_hop(host(10, 1, 2)), Some(host(10, 1, 2)));
        assert_eq!(routes.next_hop(host(10, 1, 3)), Some(near));
        assert_eq!(routes.next_hop(host(10, 3, 3)), Some(far));
        assert_eq!(routes.next_hop(host(11, 1, 2)), None);
    }
}
