// SPDX-License-Identifier: BSD-2-Clause

//! What this machine is on the link with IPv6: its addresses, which prefixes are on the link, and
//! its routers (RFC 4861 section 5.1, RFC 4862). `autoconf.rs` changes that as time passes and
//! routers advertise.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address::Address;
use super::interface::NextHop;
use super::paths::LINK_MTU;
use crate::config::Config;
use crate::time::Instant;

/// Addresses of this machine on the link. When all are in use, no further ones are made.
const ADDRESSES: usize = 8;
/// Prefixes on the link, and routers; likewise.
const PREFIXES: usize = 8;
const ROUTERS: usize = 4;
/// Networks behind other routers.
const ROUTES: usize = 8;

/// A time that never comes.
pub const NEVER: Instant = Instant::from_micros_const(i64::MAX);

/// All hosts of the link.
pub const ALL_NODES: Address = Address::v6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1));
/// All routers of the link.
pub const ALL_ROUTERS: Address = Address::v6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2));

/// Whether an address may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is found out whether another host has it, which is to be asked at this time.
    Tentative {
        /// When the host is asked, or when the silence has lasted long enough if it has been.
        at: Instant,
        /// Whether the others have been asked.
        asked: bool,
    },
    /// It may.
    Ready,
    /// Another host has it.
    Duplicate,
}

/// An address of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    pub address: Address,
    /// Bits that name its network.
    pub prefix: u8,
    pub state: State,
    /// Until when it is a good source for what is new.
    pub preferred: Instant,
    /// Until when it is one of this machine's.
    pub valid: Instant,
    /// Whether what has become of it has been told.
    pub told: bool,
}

impl Own {
    /// One that does not end by itself, and is to be tried.
    fn new((address, prefix): (Address, u8), now: Instant) -> Own {
        Own {
            address,
            prefix,
            state: State::Tentative {
                at: now,
                asked: false,
            },
            preferred: NEVER,
            valid: NEVER,
            told: false,
        }
    }
}

/// What has become of an address that this machine was to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressEvent {
    /// It is used.
    Used(IpAddr),
    /// Another host has it, so that it is not used.
    Taken(IpAddr),
    /// It is used because a DHCP server has given it.
    Leased {
        /// The address.
        address: Ipv4Addr,
        /// Bits of it that name its network.
        prefix: u8,
        /// The server.
        server: Ipv4Addr,
    },
    /// It is not used any more: its lease is over, or the server has taken it back.
    Gone(Ipv4Addr),
}

/// A prefix on the link.
#[derive(Clone, Copy, Debug)]
pub struct OnLink {
    pub network: Address,
    pub bits: u8,
    pub valid: Instant,
}

/// A router for everything else.
#[derive(Clone, Copy, Debug)]
pub struct Router {
    pub address: Address,
    pub valid: Instant,
}

/// A route by a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via6 {
    /// The network, and bits that name it.
    pub to: (Address, u8),
    pub router: Address,
}

/// IPv6 on the link.
pub struct Link6 {
    /// Whether there is any.
    pub enabled: bool,
    /// Whether routers are believed.
    pub autoconf: bool,
    pub own: Slots<Own, ADDRESSES>,
    pub on_link: Slots<OnLink, PREFIXES>,
    /// The first is used; one that does not answer goes to the end.
    pub routers: Slots<Router, ROUTERS>,
    /// Networks that are not reached by those.
    pub by_router: Slots<Via6, ROUTES>,
    /// Whether there are such networks.
    pub routed: bool,
    /// The longest packet, in bytes.
    pub mtu: usize,
    /// Whether there may be news of an address.
    pub news: bool,
}

/// A few entries, in order.
#[derive(Debug)]
pub struct Slots<T, const N: usize> {
    entries: [Option<T>; N],
}

impl<T: Copy, const N: usize> Slots<T, N> {
    pub fn new() -> Self {
        Slots { entries: [None; N] }
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.entries.iter().flatten()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().flatten()
    }

    /// Whether something holds for one of them.
    pub fn any(&self, holds: impl Fn(&T) -> bool) -> bool {
        self.iter().any(holds)
    }

    /// Adds one behind the others. Returns whether there was room.
    pub fn push(&mut self, entry: T) -> bool {
        let free = self.entries.iter_mut().find(|slot| slot.is_none());
        free.map(|slot| *slot = Some(entry)).is_some()
    }

    /// Keeps those for which this holds, and their order.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        let mut kept = [None; N];
        let entries = self.iter().filter(|entry| keep(entry));
        for (slot, &entry) in kept.iter_mut().zip(entries) {
            *slot = Some(entry);
        }
        self.entries = kept;
    }
}

/// Whether a single host can have this address (RFC 4291 section 2.4), loopback excepted. Mapped
/// addresses are not for the wire.
pub fn is_host(address: Address) -> bool {
    !(address.is_v4()
        || address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast())
}

/// The group of all hosts whose addresses end like this one (RFC 4291 section 2.7.1).
pub fn solicited_node(address: Address) -> Address {
    let [_, low] = address.words();
    let group = 0xff02 << 112 | 0x1_ff00_0000 | u128::from(low & 0xff_ffff);
    Address::v6(Ipv6Addr::from_bits(group))
}

/// The Ethernet address of a group (RFC 1112 section 6.4, RFC 2464 section 7).
pub fn group_mac(group: Address) -> [u8; 6] {
    let [_, low] = group.words();
    let [_, _, _, _, a, b, c, d] = low.to_be_bytes();
    match group.is_v4() {
        true => [0x01, 0x00, 0x5e, b & 0x7f, c, d],
        false => [0x33, 0x33, a, b, c, d],
    }
}

/// The half of an address that an Ethernet address gives (RFC 4291 appendix A).
fn identifier([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

/// The address that a host with this Ethernet address has in a network of 64 bits.
pub fn host_in(network: Address, mac: [u8; 6]) -> Address {
    let [high, _] = network.words();
    let bits = u128::from(high) << 64 | u128::from(identifier(mac));
    Address::v6(Ipv6Addr::from_bits(bits))
}

const LINK_LOCAL: Address = Address::v6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0));

impl Link6 {
    /// `config` has been checked.
    pub fn new(config: &Config) -> Self {
        Link6 {
            enabled: config.autoconf || config.address6.is_some(),
            autoconf: config.autoconf,
            own: Slots::new(),
            on_link: Slots::new(),
            routers: Slots::new(),
            by_router: Slots::new(),
            routed: false,
            mtu: LINK_MTU,
            news: false,
        }
    }

    /// Begins anew with this Ethernet address: what is declared, and the link-local address.
    pub fn begin(&mut self, config: &Declared, mac: [u8; 6], now: Instant) {
        self.clear();
        self.own.push(Own::new((host_in(LINK_LOCAL, mac), 64), now));
        for place in config.addresses.iter() {
            self.add(*place, now);
        }
        for via in config.routes.iter() {
            self.add_route(*via);
        }
    }

    /// Forgets what this machine is on the link.
    pub fn clear(&mut self) {
        *self = Link6 {
            own: Slots::new(),
            on_link: Slots::new(),
            routers: Slots::new(),
            by_router: Slots::new(),
            routed: false,
            mtu: LINK_MTU,
            ..*self
        };
    }

    /// Adds an address that does not end by itself. Returns whether there was room.
    pub fn add(&mut self, (address, bits): (Address, u8), now: Instant) -> bool {
        let added = self.own.push(Own::new((address, bits), now));
        if added {
            self.on_link.push(OnLink {
                network: address,
                bits,
                valid: NEVER,
            });
        }
        added
    }

    /// Adds a route that does not end by itself. Returns whether there was room.
    pub fn add_route(&mut self, via: Via6) -> bool {
        let (address, valid) = (via.router, NEVER);
        match via.to.1 {
            0 => self.routers.push(Router { address, valid }),
            _ => {
                self.routed = true;
                self.by_router.push(via)
            }
        }
    }

    /// The router for a network that is not behind the others, and not on the link.
    #[cold]
    fn router_to(&self, to: Address) -> Option<Address> {
        let mut routes = self.by_router.iter();
        let bits = |via: &&Via6| via.to.1;
        let best = routes.by_ref().filter(|via| to.is_in(via.to.0, via.to.1));
        let best = best.max_by_key(bits)?;
        let mut near = self.on_link.iter();
        let near = near.any(|link| link.bits >= best.to.1 && to.is_in(link.network, link.bits));
        (!near && !to.is_link_local()).then_some(best.router)
    }

    /// News of an address, which are told once.
    pub fn next_event(&mut self) -> Option<AddressEvent> {
        let event = self.own.iter_mut().find_map(|own| {
            let taken = match own.state {
                State::Tentative { .. } => return None,
                State::Ready => false,
                State::Duplicate => true,
            };
            let new = !core::mem::replace(&mut own.told, true);
            let address = own.address.into();
            new.then_some(match taken {
                false => AddressEvent::Used(address),
                true => AddressEvent::Taken(address),
            })
        });
        self.news = event.is_some();
        event
    }

    /// Whether an address may be used, if it is one of this machine's on the link.
    pub fn state(&self, address: Address) -> Option<State> {
        let mut own = self.own.iter();
        own.find(|own| own.address == address).map(|own| own.state)
    }

    /// Whether an address is one of this machine's.
    pub fn is_own(&self, address: Address) -> bool {
        let mut ready = self.own.iter().filter(|own| own.state == State::Ready);
        address == Address::LOCALHOST6 || ready.any(|own| own.address == address)
    }

    /// Whether this machine is in a group.
    pub fn hears(&self, group: Address) -> bool {
        let mut own = self.own.iter();
        self.enabled && (group == ALL_NODES || own.any(|own| solicited_node(own.address) == group))
    }

    /// The groups that this machine is in.
    pub fn groups(&self) -> impl Iterator<Item = Address> {
        let own = self.own.iter().map(|own| solicited_node(own.address));
        self.enabled.then_some(ALL_NODES).into_iter().chain(own)
    }

    /// Whether a host is on the link.
    pub fn is_neighbour(&self, host: Address) -> bool {
        let mut prefixes = self.on_link.iter();
        host.is_link_local() || prefixes.any(|prefix| host.is_in(prefix.network, prefix.bits))
    }

    /// Where a packet goes next. `None` if no route leads there.
    pub fn next_hop(&self, to: Address) -> Option<NextHop> {
        if self.is_own(to) {
            Some(NextHop::Loopback)
        } else if !self.enabled {
            None
        } else if self.routed
            && let Some(router) = self.router_to(to)
        {
            Some(NextHop::Neighbour(router))
        } else if self.is_neighbour(to) {
            Some(NextHop::Neighbour(to))
        } else {
            let router = self.routers.iter().next()?;
            Some(NextHop::Neighbour(router.address))
        }
    }

    /// The address that packets to a host come from, unless their socket is bound to another (RFC
    /// 6724 section 5, as far as it matters here). Returns the unspecified address if there is
    /// none.
    pub fn source_for(&self, to: Address, now: Instant) -> Address {
        if self.is_own(to) {
            return to;
        }
        let local = to.is_link_local() || to.is_multicast();
        let ready = self.own.iter().filter(|own| own.state == State::Ready);
        let best = ready.max_by_key(|own| {
            let scope = own.address.is_link_local() == local;
            (scope, own.preferred > now, own.address.common_bits(to))
        });
        best.map_or(Address::ANY6, |own| own.address)
    }

    /// A router does not answer: another one is used, if there is one.
    pub fn distrust(&mut self, address: Address) {
        let is_it = |router: &Router| router.address == address;
        let found = self.routers.iter().copied().find(is_it);
        if let Some(router) = found {
            self.routers.retain(|router| !is_it(router));
            self.routers.push(router);
        }
    }
}

/// What the declaration says, and an administrator.
#[derive(Debug)]
pub struct Declared {
    /// Addresses, and how many bits of them name their networks.
    pub addresses: Slots<(Address, u8), { ADDRESSES - 2 }>,
    /// Routes.
    pub routes: Slots<Via6, ROUTES>,
}

impl Declared {
    /// `config` has been checked.
    pub fn new(config: &Config) -> Self {
        let mut declared = Declared {
            addresses: Slots::new(),
            routes: Slots::new(),
        };
        if let Some((address, bits)) = config.address6 {
            declared.addresses.push((address.into(), bits));
        }
        if let Some(router) = config.gateway6.map(Address::v6) {
            let to = (Address::ANY6, 0);
            declared.routes.push(Via6 { to, router });
        }
        declared
    }

    /// Whether this is a router for everything.
    pub fn is_router(&self, address: Address) -> bool {
        let mut routes = self.routes.iter();
        routes.any(|via| via.to.1 == 0 && via.router == address)
    }
}
