// SPDX-License-Identifier: BSD-2-Clause

//! The network below the transport: the interface and what belongs to it. Packets come in by
//! [`Network::receive`] and leave by the functions in `output`; who waits for a host's Ethernet
//! address is kept here too, and taken out by the layers above.

pub mod address;
mod administration;
pub mod autoconf;
pub mod checksum;
pub mod dhcp;
pub mod groups;
pub mod header6;
pub mod icmp;
pub(crate) mod icmp6;
mod input;
pub mod interface;
pub mod link6;
pub mod output;
pub mod packet;
mod packet6;
pub mod paths;
pub mod rate;
pub mod reassembly;

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use socket_proto::Errno;

use crate::config::{Config, Names};
use crate::counters::{Counter, Counters};
use crate::ethernet::Hop;
use crate::ethernet::gateway::Gateway;
use crate::ethernet::neighbours::Neighbours;
use crate::ethernet::pending::Pending;
use crate::frames::Offload;
use crate::frames::loopback::Loopback;
use crate::tables::map::{Key, mix};
use crate::time::{Instant, earliest};
use address::Address;
use autoconf::Autoconf;
use dhcp::Dhcp;
use groups::Groups;
use interface::{Interface, LOOPBACK_BROADCAST, NextHop, Routes};
use link6::{AddressEvent, Link6};
use paths::{Path, Paths};
use rate::{Limiter, Rate};
use reassembly::{PAYLOAD_MAX, Reassembly};

/// Counters that packets are numbered from, chosen by destination: nobody can count what others are
/// sent.
const IDENTS: usize = 256;
/// ICMP messages, to all hosts and to one: as many as Linux sends to all.
const ICMP_ALL: Rate = Rate::new(1000, 100);
const ICMP_ONE: Rate = Rate::new(250, 50);
/// Resets for segments without a connection, and answers to who asks for an Ethernet address.
const RESETS_ALL: Rate = Rate::new(2000, 500);
const RESETS_ONE: Rate = Rate::new(500, 200);
const ARP_ALL: Rate = Rate::new(1000, 500);
const ARP_ONE: Rate = Rate::new(20, 20);

/// The interfaces and what belongs to them.
pub(crate) struct Network {
    pub interface: Interface,
    pub loopback: Loopback,
    pub routes: Routes,
    /// What there is of IPv6 on the link, and what makes it so.
    pub link6: Link6,
    pub autoconf: Autoconf,
    /// What sockets have joined.
    pub groups: Groups,
    pub dhcp: Dhcp,
    /// What is declared of names.
    pub names: Names,
    pub gateway: Gateway,
    pub neighbours: Neighbours,
    /// Datagrams that wait for an Ethernet address.
    pub pending: Pending,
    paths: Paths,
    /// What is sent although no client asked for it: ICMP messages, resets, ARP replies.
    pub icmp_limit: Limiter,
    reset_limit: Limiter,
    pub arp_limit: Limiter,
    pub(crate) reassembly: Reassembly,
    /// Room for a datagram that leaves in fragments, and for bytes of a stream that are looked at.
    pub scratch: Vec<u8>,
    idents: [u16; IDENTS],
    ident_seed: u64,
    now: Instant,
    pub stats: Counters,
    /// Whether the device is to be told anew which frames to receive.
    groups_changed: bool,
    /// It is to receive all.
    pub promiscuous: bool,
}

impl Network {
    /// `config` has been checked.
    pub(crate) fn new(
        config: &Config,
        connections: usize,
        clients: usize,
        stats: Counters,
    ) -> Self {
        let seed = |purpose: u64| config.seed(purpose);
        let limiter = |all, one, purpose| Limiter::new(all, one, seed(purpose));
        let mut idents = [0; IDENTS];
        for (number, ident) in idents.iter_mut().enumerate() {
            *ident = mix(seed(13), number as u64) as u16;
        }
        let interface = Interface::new(config);
        Network {
            loopback: Loopback::new(clients, stats),
            routes: Routes::new(config, &interface),
            interface,
            link6: Link6::new(config),
            autoconf: Autoconf::new(config),
            groups: Groups::new(clients),
            gateway: Gateway::new(config.first_gateway()),
            neighbours: Neighbours::new(seed(14), config.first_gateway(), connections),
            dhcp: Dhcp::new(config, seed(20)),
            names: config.names,
            pending: Pending::new(clients),
            paths: Paths::new(seed(15)),
            icmp_limit: limiter(ICMP_ALL, ICMP_ONE, 16),
            reset_limit: limiter(RESETS_ALL, RESETS_ONE, 17),
            arp_limit: limiter(ARP_ALL, ARP_ONE, 18),
            reassembly: Reassembly::new(seed(5)),
            scratch: vec![0; PAYLOAD_MAX],
            idents,
            ident_seed: seed(19),
            now: Instant::ZERO,
            stats,
            groups_changed: true,
            promiscuous: false,
        }
    }

    /// The groups that this machine is in have changed, or whether all frames are wanted: the
    /// device will be told.
    pub(crate) fn groups_changed(&mut self) {
        self.groups_changed = true;
    }

    /// Whether that has happened since the last call.
    #[inline]
    pub(crate) fn take_groups_changed(&mut self) -> bool {
        core::mem::take(&mut self.groups_changed)
    }

    /// The Ethernet addresses of the groups that this machine is in; some may come twice.
    pub(crate) fn groups(&self) -> impl Iterator<Item = [u8; 6]> {
        let groups = self.link6.groups().chain(self.groups.wanted());
        groups.map(link6::group_mac)
    }

    /// The driver has started: its Ethernet address, which has been checked, and what the device
    /// does. A driver that restarts has not changed the link, so what is known of neighbours stays.
    pub(crate) fn link_up(&mut self, mac: [u8; 6], offload: Offload) {
        self.interface.mac = mac;
        self.interface.offload = offload;
        self.interface.carrier = true;
        self.interface.link_changed();
        if self.interface.up {
            self.gateway.start(self.now);
            self.start6();
            self.start_dhcp();
        }
    }

    /// The device says whether the link is up. Behind a cable that was pulled there may be another
    /// network: what is known of neighbours has to be confirmed.
    pub(crate) fn set_link(&mut self, up: bool) {
        let before = self.interface.link_up;
        self.interface.carrier = up;
        self.interface.link_changed();
        if self.interface.link_up && !before {
            self.begin_link();
        }
    }

    fn begin_link(&mut self) {
        self.neighbours.distrust(self.now);
        self.gateway.start(self.now);
        self.restart6();
        self.report_change();
        self.restart_dhcp();
    }

    /// News of an address, which are told once.
    #[inline]
    pub(crate) fn take_address_event(&mut self) -> Option<AddressEvent> {
        // Seldom; it is asked for in each wake-up.
        if self.link6.news {
            self.next_event()
        } else {
            None
        }
    }

    #[cold]
    fn next_event(&mut self) -> Option<AddressEvent> {
        let event = self.dhcp.take_event();
        event.or_else(|| self.link6.next_event())
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn set_now(&mut self, now: Instant) {
        // A clock that runs backwards would upset timers further up.
        self.now = self.now.max(now);
    }

    /// When something is due here.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let due = earliest(&[self.gateway.due, self.neighbours.next_due()]);
        match (due, self.autoconf.due) {
            (Some(at), Some(before)) if before < at => Some(before),
            (due, other) => due.or(other),
        }
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        self.interface.address
    }

    /// The address that packets to a host come from, unless their socket is bound to another. As on
    /// Linux, each of this machine's own answers for itself, and one for all of 127/8.
    #[inline]
    pub(crate) fn source_for(&self, to: Address) -> Address {
        match to.to_v4() {
            Some(to) => self.source_for4(to).into(),
            None => self.link6.source_for(to, self.now),
        }
    }

    fn source_for4(&self, to: Ipv4Addr) -> Ipv4Addr {
        if to.is_loopback() {
            Ipv4Addr::LOCALHOST
        } else if self.interface.has_more() {
            self.best_source4(to)
        } else {
            self.address()
        }
    }

    #[cold]
    fn best_source4(&self, to: Ipv4Addr) -> Ipv4Addr {
        match self.routes.next_hop4(to) {
            Some(NextHop::Loopback) => to,
            Some(NextHop::Neighbour(next)) => self.interface.source_to(next.v4_bits()),
            _ => self.interface.source_to(to),
        }
    }

    /// Whether an address is one of this machine's.
    #[inline]
    pub(crate) fn is_own(&self, address: Address) -> bool {
        match address.to_v4() {
            Some(address) => self.routes.is_own4(address),
            None => self.link6.is_own(address),
        }
    }

    /// Whether an address is not one of this machine's any more.
    #[inline]
    pub(crate) fn has_lost(&self, address: Address) -> bool {
        self.interface.lost && !self.is_own(address)
    }

    /// Where a packet goes next. `None` if no route leads there.
    #[inline]
    pub(crate) fn next_hop(&self, to: Address) -> Option<NextHop> {
        match to.to_v4() {
            Some(to) => self.routes.next_hop4(to),
            None => self.link6.next_hop(to),
        }
    }

    /// Where packets to an address come from, and where they go next. They come from this address
    /// of the machine, if one is given.
    ///
    /// # Errors
    /// `ENETUNREACH` if no route leads there, it is a group, or this machine has lost the address
    /// that is given; `EINVAL` for a packet that would
    /// leave this machine with an address that means nothing outside (RFC 1122 section 3.2.1.3);
    /// `EADDRNOTAVAIL` if this machine has no address of IPv6 yet.
    #[inline]
    pub(crate) fn way(
        &self,
        from: Option<Address>,
        to: Address,
    ) -> Result<(Address, NextHop), Errno> {
        let Some(to4) = to.to_v4() else {
            return self.way6(from, to);
        };
        let from4 = match from {
            Some(from) if self.has_lost(from) => return Err(Errno::ENETUNREACH),
            Some(from) => from.to_v4().ok_or(Errno::ENETUNREACH)?,
            None => self.source_for4(to4),
        };
        let next_hop = match self.interface.is_broadcast(to4) || to4 == LOOPBACK_BROADCAST {
            true if self.interface.is_usable() => NextHop::Everyone,
            true => return Err(Errno::ENETUNREACH),
            false => self.routes.next_hop4(to4).ok_or(Errno::ENETUNREACH)?,
        };
        if to4.is_multicast() || to4.is_unspecified() {
            return Err(Errno::ENETUNREACH);
        }
        if from4.is_loopback() && matches!(next_hop, NextHop::Neighbour(_)) {
            return Err(Errno::EINVAL);
        }
        Ok((from4.into(), next_hop))
    }

    #[inline(never)]
    fn way6(&self, from: Option<Address>, to: Address) -> Result<(Address, NextHop), Errno> {
        let from = from.unwrap_or_else(|| self.source_for(to));
        let next_hop = self.link6.next_hop(to).ok_or(Errno::ENETUNREACH)?;
        if to.is_multicast() || to.is_unspecified() || from.is_v4() {
            return Err(Errno::ENETUNREACH);
        }
        if from.is_loopback() && next_hop != NextHop::Loopback {
            return Err(Errno::EINVAL);
        }
        if from.is_unspecified() {
            return Err(Errno::EADDRNOTAVAIL);
        }
        Ok((from, next_hop))
    }

    /// As [`Self::way`], to a group.
    ///
    /// # Errors
    /// As [`Self::way`].
    #[cold]
    pub(crate) fn way_to_group(
        &self,
        from: Option<Address>,
        to: Address,
    ) -> Result<(Address, NextHop), Errno> {
        let from = from.unwrap_or_else(|| self.source_for(to));
        if from.is_v4() != to.is_v4() || !(to.is_v4() || self.link6.enabled) {
            return Err(Errno::ENETUNREACH);
        }
        if from.is_loopback() {
            return Err(Errno::EINVAL);
        }
        if from.is_unspecified() {
            return Err(Errno::EADDRNOTAVAIL);
        }
        Ok((from, NextHop::Group(to)))
    }

    /// What is known of the way to a host.
    pub(crate) fn path(&self, to: Address) -> Path {
        let path = self.paths.get(to, self.now);
        if to.is_v4() || to.is_loopback() {
            return path;
        }
        let mtu = path.mtu.min(self.link6.mtu);
        Path { mtu, ..path }
    }

    /// Whether a reset may be sent to a host; if not, that is counted. Loopback has bounds of its
    /// own.
    pub(crate) fn may_reset(&mut self, to: Address, back: Hop) -> bool {
        let allowed = back.loops() || self.reset_limit.allow(to, self.now);
        self.stats.add(Counter::RepliesLimited, u64::from(!allowed));
        allowed
    }

    /// A number for the next packet to a host.
    pub(crate) fn next_ident(&mut self, to: Address) -> u16 {
        let at = to.hash(self.ident_seed) as usize % IDENTS;
        self.idents[at] = self.idents[at].wrapping_add(1);
        self.idents[at]
    }
}
