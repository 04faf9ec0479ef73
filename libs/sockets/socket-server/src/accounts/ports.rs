// SPDX-License-Identifier: BSD-2-Clause

//! Which socket has which local port. One socket a protocol, address and port; "any" conflicts with
//! each address of its family, or of both, as IPv6 sockets hear IPv4, too. Connections do not hold
//! their listener's port, as if `SO_REUSEADDR` were set: a restarted client can listen again at
//! once.
//!
//! Ports that the server chooses follow RFC 6056. For a connection it is algorithm 4 (double hash):
//! the place in the range where the search begins depends on both ends and a key, and a counter
//! moves it on, so that a port rests before it comes again to the same peer. For a socket without a
//! peer it is algorithm 1 (random). Counters are per client: a client learns nothing from its own
//! ports about those of others.
//!
//! A port that the configuration gives to a client is never chosen for another one.

use alloc::vec;
use alloc::vec::Vec;
use socket_proto::Protocol;

use crate::config::{ClientLimits, PortRange};
use crate::ip::address::Address;
use crate::ip::packet::Endpoint;
use crate::tables::id::{Id, SocketId};
use crate::tables::map::{Full, Key, Map, mix};
use crate::tables::secret::Secret;

/// First of the ports that the server chooses itself (RFC 6335 section 6).
pub const EPHEMERAL_FIRST: u16 = 49_152;
const EPHEMERAL: PortRange = match PortRange::new(EPHEMERAL_FIRST, u16::MAX) {
    Some(range) => range,
    None => PortRange::ALL,
};

/// Counters of each client (RFC 6056 section 3.3.4).
const COUNTERS: usize = 16;

/// Of which families a socket has addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// IPv4 and IPv6.
    Both,
}

/// Where a socket is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// One of this machine's addresses, or any of `families`.
    pub address: Option<Address>,
    /// Which "any" means.
    pub families: Families,
    /// The port.
    pub port: u16,
}

impl Local {
    /// The addresses that stand for it in the table.
    pub(crate) fn places(self) -> impl Iterator<Item = Address> {
        let (first, second) = match (self.address, self.families) {
            (Some(address), _) => (address, None),
            (None, Families::V4) => (Address::ANY4, None),
            (None, Families::V6) => (Address::ANY6, None),
            (None, Families::Both) => (Address::ANY6, Some(Address::ANY4)),
        };
        core::iter::once(first).chain(second)
    }

    /// The address that it has, or what its family calls any.
    pub(crate) fn shown(self) -> Address {
        self.places().next().unwrap_or(Address::ANY6)
    }
}

/// What the family of an address calls any.
fn any_like(address: Address) -> Address {
    match address.is_v4() {
        true => Address::ANY4,
        false => Address::ANY6,
    }
}

/// What is bound: a port of a protocol, at an address of this machine or at all of one family.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PortKey {
    address: Address,
    /// The protocol, and behind 16 bits the port.
    port: u64,
}

impl PortKey {
    #[inline]
    fn new(protocol: Protocol, address: Address, port: u16) -> Self {
        PortKey {
            address,
            port: protocol.raw() << 16 | u64::from(port),
        }
    }
}

impl Key for PortKey {
    fn hash(&self, seed: u64) -> u64 {
        mix(self.address.hash(seed), self.port)
    }
}

/// What the server may choose from for one client.
struct Choice {
    streams: Vec<PortRange>,
    datagrams: Vec<PortRange>,
    counters: [u32; COUNTERS],
}

/// The registry.
pub struct Ports {
    pub(crate) bound: Map<PortKey, SocketId>,
    /// By port: sockets that are bound to it at one address. Such addresses are too many to look at
    /// each (127/8).
    single: Map<PortKey, u16>,
    /// UDP sockets that share their ports with others that do, too; the last of a port has what
    /// comes to it alone.
    shared: Vec<(Local, SocketId)>,
    clients: Vec<Choice>,
    offsets: Secret,
    tables: Secret,
    random: Secret,
    drawn: u64,
}

impl Ports {
    /// A registry for at most `sockets` bound ports. `limits` by client say which ports are
    /// reserved, and for whom.
    pub fn new(sockets: usize, limits: &[ClientLimits], key: &[u8; 16]) -> Self {
        let choice = |client: usize| {
            let [streams, datagrams] = [Protocol::Tcp, Protocol::Udp].map(|protocol| {
                let others = limits.iter().enumerate().filter(|&(of, _)| of != client);
                let reserved = others.flat_map(|(_, limits)| limits.bindable(protocol));
                without(EPHEMERAL, reserved, limits[client].bindable(protocol))
            });
            Choice {
                streams,
                datagrams,
                counters: [0; COUNTERS],
            }
        };
        Ports {
            // One that hears both families has two keys.
            bound: Map::new(2 * sockets, Secret::new(key, 104).hash([])),
            single: Map::new(sockets, Secret::new(key, 105).hash([])),
            shared: Vec::with_capacity(limits.iter().map(|of| of.datagram_sockets).sum()),
            clients: (0..limits.len()).map(choice).collect(),
            offsets: Secret::new(key, 101),
            tables: Secret::new(key, 102),
            random: Secret::new(key, 103),
            drawn: 0,
        }
    }

    /// The socket that is bound where something has come to.
    #[inline(always)]
    pub fn find(&self, protocol: Protocol, to: Endpoint) -> Option<SocketId> {
        let at = |address| self.bound.get(&PortKey::new(protocol, address, to.1));
        at(any_like(to.0)).or_else(|| at(to.0))
    }

    /// Gives a port to a socket. One that is bound at all addresses conflicts with those that are
    /// bound at one.
    ///
    /// # Errors
    /// [`Full`] if it is taken. (The table has room for every socket.)
    pub fn bind(&mut self, protocol: Protocol, local: Local, owner: SocketId) -> Result<(), Full> {
        let key = |address| PortKey::new(protocol, address, local.port);
        let is_bound = |address| self.bound.get(&key(address)).is_some();
        let single = |address| self.single.get(&key(any_like(address))).unwrap_or(0);
        let is_single = local.address.is_some();
        for address in local.places() {
            let taken = is_bound(address) || is_bound(any_like(address));
            if taken || (!is_single && single(address) > 0) {
                return Err(Full);
            }
        }
        for address in local.places() {
            self.bound.insert(key(address), owner)?;
        }
        self.count_single(protocol, local, true)
    }

    /// Counts a socket that is bound at one address, or counts it no longer.
    fn count_single(&mut self, protocol: Protocol, local: Local, more: bool) -> Result<(), Full> {
        let Some(address) = local.address else {
            return Ok(());
        };
        let key = PortKey::new(protocol, any_like(address), local.port);
        match (self.single.get(&key).unwrap_or(0), more) {
            (count, true) => self.single.insert(key, count + 1),
            (0 | 1, false) => {
                self.single.remove(&key);
                Ok(())
            }
            (count, false) => self.single.insert(key, count - 1),
        }
    }

    /// Gives a UDP port to a socket that shares it with all others which do so.
    ///
    /// # Errors
    /// [`Full`] if one that shares nothing is in the way.
    pub fn share(&mut self, local: Local, owner: SocketId) -> Result<(), Full> {
        let key = |address| PortKey::new(Protocol::Udp, address, local.port);
        for address in local.places() {
            let holders = [address, any_like(address)].map(|at| self.bound.get(&key(at)));
            if holders
                .into_iter()
                .flatten()
                .any(|holder| !self.shares(holder))
            {
                return Err(Full);
            }
            let single = self.single.get(&key(any_like(address))).unwrap_or(0);
            let sharing = |(at, _): &&(Local, SocketId)| {
                let same_family = |other| any_like(other) == any_like(address);
                at.port == local.port && at.address.is_some_and(same_family)
            };
            let sharing = self.shared.iter().filter(sharing).count();
            if local.address.is_none() && usize::from(single) > sharing {
                return Err(Full);
            }
        }
        for address in local.places() {
            self.bound.insert(key(address), owner)?;
        }
        self.count_single(Protocol::Udp, local, true)?;
        self.shared.push((local, owner));
        Ok(())
    }

    /// Whether a socket shares its port.
    pub(crate) fn shares(&self, socket: SocketId) -> bool {
        self.shared.iter().any(|(_, sharer)| *sharer == socket)
    }

    /// Takes a port back from one that shares it: the one that came last before has it.
    #[cold]
    fn release_shared(&mut self, local: Local, owner: SocketId) {
        self.shared.retain(|(_, sharer)| *sharer != owner);
        for address in local.places() {
            let key = PortKey::new(Protocol::Udp, address, local.port);
            if self.bound.get(&key) != Some(owner) {
                continue;
            }
            self.bound.remove(&key);
            let here = |(at, _): &&(Local, SocketId)| {
                at.port == local.port && at.places().any(|at| at == address)
            };
            if let Some(&(_, heir)) = self.shared.iter().rfind(here) {
                // Its key was there until now.
                let _ = self.bound.insert(key, heir);
            }
        }
        let _ = self.count_single(Protocol::Udp, local, false);
    }

    /// Takes a port back from its owner.
    pub fn release(&mut self, protocol: Protocol, local: Local, owner: SocketId) {
        let key = |address| PortKey::new(protocol, address, local.port);
        if !self.shared.is_empty() && self.shares(owner) {
            return self.release_shared(local, owner);
        }
        let mut places = local.places();
        if !places.all(|address| self.bound.get(&key(address)) == Some(owner)) {
            return;
        }
        for address in local.places() {
            self.bound.remove(&key(address));
        }
        // What is counted has its key.
        let _ = self.count_single(protocol, local, false);
    }

    /// Who has a port at an address, or at all of a family.
    #[cfg(feature = "audit")]
    pub(crate) fn holder(
        &self,
        protocol: Protocol,
        address: Address,
        port: u16,
    ) -> Option<SocketId> {
        self.bound.get(&PortKey::new(protocol, address, port))
    }

    /// Gives a free port, which the server chooses, and `usable` agrees to, where a socket is to be
    /// bound. `None` if there is none.
    ///
    /// The search ends after as many tries as there are ports to choose from; each that fails is a
    /// socket or a connection in use, so it is short unless all are taken.
    pub fn bind_ephemeral(
        &mut self,
        protocol: Protocol,
        owner: SocketId,
        place: Local,
        remote: Option<Endpoint>,
        usable: impl Fn(u16) -> bool,
    ) -> Option<Local> {
        let client = owner.client.index();
        let choice = self.clients.get(client)?;
        let count = count(choice.of(protocol));
        if count == 0 {
            return None;
        }
        let (offset, counter) = match remote {
            Some((host, port)) => {
                let [high, low] = host.words();
                let ends = [client as u64, high, low, port.into()];
                let table = self.tables.hash(ends) as usize % COUNTERS;
                (self.offsets.hash(ends), Some(table))
            }
            None => {
                self.drawn += 1;
                (self.random.hash([self.drawn]), None)
            }
        };
        let moved = counter.map_or(0, |table| choice.counters[table]);
        let start = (offset % u64::from(count)) as u32;
        for step in 0..count {
            let at = (start + moved.wrapping_add(step) % count) % count;
            let port = nth(self.clients[client].of(protocol), at)?;
            let local = Local { port, ..place };
            if usable(port) && self.bind(protocol, local, owner).is_ok() {
                if let Some(table) = counter {
                    self.clients[client].counters[table] = moved.wrapping_add(step + 1);
                }
                return Some(local);
            }
        }
        None
    }
}

impl Choice {
    fn of(&self, protocol: Protocol) -> &[PortRange] {
        match protocol {
            Protocol::Tcp => &self.streams,
            Protocol::Udp => &self.datagrams,
            _ => &[EPHEMERAL],
        }
    }
}

/// The ports of `all` that are not reserved, and those that are in `own`.
fn without<'a>(
    all: PortRange,
    reserved: impl Iterator<Item = &'a PortRange>,
    own: &[PortRange],
) -> Vec<PortRange> {
    reserved.fold(vec![all], |free, &reserved| {
        let own = own.iter().copied();
        own.fold(vec![reserved], cut).into_iter().fold(free, cut)
    })
}

/// What is left of some ranges without another one.
fn cut(ranges: Vec<PortRange>, hole: PortRange) -> Vec<PortRange> {
    let mut left = Vec::new();
    for range in ranges {
        if !hole.overlaps(range) {
            left.push(range);
            continue;
        }
        // A part without a port is no range.
        left.extend(PortRange::new(range.first(), hole.first() - 1));
        let behind = hole.last().checked_add(1);
        left.extend(behind.and_then(|first| PortRange::new(first, range.last())));
    }
    left
}

fn count(ranges: &[PortRange]) -> u32 {
    ranges.iter().map(size).sum()
}

fn size(range: &PortRange) -> u32 {
    u32::from(range.last() - range.first()) + 1
}

/// The port at a position among those of the ranges, counted from 0.
fn nth(ranges: &[PortRange], mut at: u32) -> Option<u16> {
    for range in ranges {
        if at < size(range) {
            return Some(range.first() + at as u16);
        }
        at -= size(range);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;
    use std::collections::HashSet;

    const A: SocketId = SocketId::test(0);
    const B: SocketId = SocketId::test(1);
    const ANYONE: SocketId = SocketId::test(9);
    const OWN: Address = Address::v4(Ipv4Addr::new(10, 0, 0, 1));
    const STREAM: Protocol = Protocol::Tcp;
    const PEER: Endpoint = (Address::v4(Ipv4Addr::new(192, 0, 2, 1)), 443);

    fn range(first: u16, last: u16) -> PortRange {
        PortRange::new(first, last).expect("a range")
    }

    fn any(port: u16) -> Local {
        all(port, Families::V4)
    }

    fn all(port: u16, families: Families) -> Local {
        Local {
            address: None,
            families,
            port,
        }
    }

    fn choose(
        ports: &mut Ports,
        protocol: Protocol,
        owner: SocketId,
        remote: Option<Endpoint>,
        usable: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        let local = ports.bind_ephemeral(protocol, owner, any(0), remote, usable)?;
        Some(local.port)
    }

    /// Two clients, the second of which may listen on these ports.
    fn ports(sockets: usize, reserved: &[PortRange], seed: u64) -> Ports {
        let mut limits = [ClientLimits::default(), ClientLimits::default()];
        limits[1].tcp_ports = reserved.to_vec();
        Ports::new(sockets, &limits, &[seed as u8; 16])
    }

    #[test]
    fn a_port_has_one_owner_a_protocol() {
        let mut ports = ports(4, &[], 3);
        assert_eq!(ports.bind(STREAM, any(80), A), Ok(()));
        assert_eq!(ports.bind(STREAM, any(80), B), Err(Full));
        assert_eq!(ports.bind(Protocol::Udp, any(80), B), Ok(()));
        ports.release(STREAM, any(80), B);
        assert_eq!(ports.find(STREAM, (OWN, 80)), Some(A));
        ports.release(STREAM, any(80), A);
        assert_eq!(ports.find(STREAM, (OWN, 80)), None);
        assert_eq!(ports.find(Protocol::Udp, (OWN, 80)), Some(B));
    }

    #[test]
    fn all_addresses_conflict_with_each() {
        let mut ports = ports(4, &[], 3);
        let one = Local {
            address: Some(OWN),
            ..any(80)
        };
        assert_eq!(ports.bind(STREAM, one, A), Ok(()));
        assert_eq!(ports.bind(STREAM, any(80), B), Err(Full));
        assert_eq!(ports.find(STREAM, (OWN, 80)), Some(A));
        assert_eq!(ports.find(STREAM, (Address::LOCALHOST4, 80)), None);
        let other = Local {
            address: Some(Address::LOCALHOST4),
            ..any(80)
        };
        assert_eq!(ports.bind(STREAM, other, B), Ok(()));
        ports.release(STREAM, one, A);
        assert_eq!(ports.bind(STREAM, any(80), B), Err(Full));
        ports.release(STREAM, other, B);
        assert_eq!(ports.bind(STREAM, any(80), B), Ok(()));
        assert_eq!(ports.bind(STREAM, one, A), Err(Full));
        assert_eq!(ports.find(STREAM, (Address::LOCALHOST4, 80)), Some(B));
    }

    #[test]
    fn both_families_conflict_with_either() {
        let own6 = (Address::LOCALHOST6, 80);
        let (v4, v6, both) = (any(80), all(80, Families::V6), all(80, Families::Both));
        let mut ports = ports(4, &[], 3);
        assert_eq!(ports.bind(STREAM, v6, A), Ok(()));
        assert_eq!(ports.bind(STREAM, both, B), Err(Full));
        assert_eq!(ports.bind(STREAM, v4, B), Ok(()));
        assert_eq!(ports.find(STREAM, own6), Some(A));
        assert_eq!(ports.find(STREAM, (OWN, 80)), Some(B));
        ports.release(STREAM, v6, A);
        assert_eq!(ports.bind(STREAM, both, A), Err(Full));
        ports.release(STREAM, v4, B);
        assert_eq!(ports.bind(STREAM, both, A), Ok(()));
        assert_eq!(ports.bind(STREAM, v4, B), Err(Full));
        assert_eq!(ports.bind(STREAM, v6, B), Err(Full));
        assert_eq!(ports.find(STREAM, own6), Some(A));
        assert_eq!(ports.find(STREAM, (OWN, 80)), Some(A));
        ports.release(STREAM, both, A);
        assert_eq!(ports.bound.len() + ports.single.len(), 0);
    }

    #[test]
    fn every_ephemeral_port_is_found_once() {
        for remote in [None, Some(PEER)] {
            let count = usize::from(u16::MAX - EPHEMERAL_FIRST) + 1;
            let mut ports = ports(count + 1, &[], 5);
            let avoided = EPHEMERAL_FIRST + 7;
            let mut seen = HashSet::new();
            while let Some(port) = choose(&mut ports, STREAM, A, remote, |port| port != avoided) {
                assert!(port >= EPHEMERAL_FIRST && port != avoided);
                assert!(seen.insert(port));
            }
            assert_eq!(seen.len(), count - 1);
        }
    }

    #[test]
    fn a_port_that_is_anothers_is_not_chosen() {
        let reserved = [
            range(40_000, 49_200),
            range(49_300, 65_000),
            range(65_535, 65_535),
        ];
        let mut ports = ports(1000, &reserved, 8);
        let anothers = |port| reserved.iter().any(|range| range.contains(port));
        for remote in [None, Some(PEER)] {
            for _ in 0..200 {
                let port = choose(&mut ports, STREAM, A, remote, |_| true).unwrap();
                assert!(!anothers(port), "{port}");
            }
        }
        // Its own client may get it, and the other protocol is another matter.
        let own = (0..200).map(|_| choose(&mut ports, STREAM, B, None, |_| true).unwrap());
        assert!(own.filter(|&port| anothers(port)).count() > 100);
        let datagram = Protocol::Udp;
        let others = (0..200).map(|_| choose(&mut ports, datagram, A, None, |_| true).unwrap());
        assert!(others.filter(|&port| anothers(port)).count() > 100);
    }

    #[test]
    fn nothing_to_choose_from_is_no_port() {
        let mut ports = ports(4, &[range(1, 65_534)], 8);
        assert_eq!(choose(&mut ports, STREAM, A, None, |_| true), Some(65_535));
        assert_eq!(choose(&mut ports, STREAM, A, None, |_| true), None);
        assert_eq!(choose(&mut ports, STREAM, A, Some(PEER), |_| true), None);
        assert!(choose(&mut ports, STREAM, B, None, |_| true).is_some());
        assert_eq!(choose(&mut ports, STREAM, ANYONE, None, |_| true), None);
    }

    /// The ports of one connection after the other to `remote`.
    fn series(seed: u64, owner: SocketId, remote: Option<Endpoint>) -> Vec<u16> {
        let mut ports = ports(4, &[], seed);
        let mut next = || {
            let port = choose(&mut ports, STREAM, owner, remote, |_| true).unwrap();
            ports.release(STREAM, any(port), owner);
            port
        };
        (0..50).map(|_| next()).collect()
    }

    #[test]
    fn a_port_rests_before_it_comes_again_to_the_same_peer() {
        let distinct = |ports: &[u16]| ports.iter().collect::<HashSet<_>>().len();
        assert_eq!(distinct(&series(1, A, Some(PEER))), 50);
    }

    #[test]
    fn ports_tell_nothing_about_those_of_others() {
        let near = (PEER.0, PEER.1 + 1);
        let cases = [(2, A, PEER), (1, B, PEER), (1, A, near)];
        let first = series(1, A, Some(PEER))[0];
        for (seed, owner, remote) in cases {
            let apart = i32::from(series(seed, owner, Some(remote))[0]) - i32::from(first);
            assert!(apart.abs() > 50, "{seed} {owner:?} {remote:?}: {apart}");
        }
        // Without a peer no port follows from the one before.
        let random = series(1, A, None);
        let steps: HashSet<_> = random
            .windows(2)
            .map(|pair| pair[1].wrapping_sub(pair[0]))
            .collect();
        assert!(steps.len() > 45, "{steps:?}");
        // What another client does in between changes nothing.
        let mut ports = ports(100, &[], 1);
        let alone = series(1, A, Some(PEER));
        for expected in alone {
            choose(&mut ports, STREAM, B, Some(PEER), |_| true).unwrap();
            let port = choose(&mut ports, STREAM, A, Some(PEER), |_| true).unwrap();
            assert_eq!(port, expected);
            ports.release(STREAM, any(port), A);
        }
    }
}
