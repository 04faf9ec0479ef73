// SPDX-License-Identifier: BSD-2-Clause

//! Looking for the Ethernet addresses of hosts: ARP packets, and who waits for the answer.

use core::net::Ipv4Addr;

use smoltcp::wire::IpProtocol;

use super::arp::{Arp, REPLY, REQUEST};
use super::neighbours::{Due, GATEWAY};
use super::{BROADCAST, Hop, is_card};
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::ip::Network;
use crate::ip::address::Address;
use crate::ip::interface::NextHop;
use crate::ip::link6::group_mac;
use crate::ip::output::{HEADER, HEADER6, Outgoing, UDP, emit_udp};
use crate::ip::packet::is_host;
use crate::ip::paths::{MIN_MTU, MIN_MTU6};
use crate::tables::id::{ClientId, HostId, PlaceId};

/// What is longer may leave in fragments: the path may turn out to be narrower before the datagram
/// can be sent.
const UNFRAGMENTED: usize = MIN_MTU - HEADER - UDP;
const UNFRAGMENTED6: usize = MIN_MTU6 - HEADER6 - UDP;

impl Network {
    /// An ARP packet (RFC 826) has come.
    pub(crate) fn arp<T: TxQueue>(&mut self, payload: &[u8], tx: &mut T) {
        let Some(arp) = Arp::parse(payload) else {
            self.stats.inc(Counter::DropsMalformed);
            return;
        };
        let (sender, mac) = (Ipv4Addr::from(arp.sender), arp.sender_mac);
        // Without an address of its own a host asks whether this one is taken (RFC 5227); nothing
        // is learnt from that.
        let nameless = sender.is_unspecified() && arp.operation == REQUEST;
        let neighbour = is_host(sender)
            && !self.interface.has(sender)
            && !self.interface.is_broadcast(sender)
            && self.interface.is_neighbour(sender);
        if is_card(mac) {
            let target = Ipv4Addr::from(arp.target);
            let claimed = if nameless { target } else { sender };
            self.dhcp_conflict(claimed, mac, tx);
        }
        if !is_card(mac) || !(neighbour || nameless) {
            self.stats.inc(Counter::DropsSource);
            return;
        }
        let target = Ipv4Addr::from(arp.target);
        if !self.interface.has(target) {
            return;
        }
        let now = self.now();
        let found = match arp.operation {
            REQUEST if nameless => None,
            REQUEST => self.neighbours.asked_by(sender.into(), mac, now),
            _ => self.neighbours.answered(sender.into(), mac, now),
        };
        if let Some(host) = found {
            if host == GATEWAY {
                self.gateway.answered(mac, now);
            }
            self.send_held(host, tx);
        }
        if arp.operation == REQUEST {
            self.answer_arp(target, (mac, sender), tx);
        }
    }

    fn answer_arp<T: TxQueue>(&mut self, own: Ipv4Addr, to: ([u8; 6], Ipv4Addr), tx: &mut T) {
        if !self.arp_limit.allow(to.1.into(), self.now()) {
            self.stats.inc(Counter::RepliesLimited);
            return;
        }
        let own = (self.interface.mac, own);
        if !Arp::new(REPLY, own, to).send(to.0, tx, self.stats) {
            self.stats.inc(Counter::DropsNoTxBuffer);
        }
    }

    /// A packet came from a host. Replies to it can go back the same way.
    pub(crate) fn hear<T: TxQueue>(&mut self, source: Ipv4Addr, sender: [u8; 6], tx: &mut T) {
        if self.interface.is_neighbour(source)
            && let Some(host) = self.neighbours.heard(source.into(), sender, self.now())
        {
            self.send_held(host, tx);
        }
    }

    /// The way to the next hop. Callers call [`Self::send_probe`] after they have sent.
    ///
    /// # Errors
    /// The neighbour whose Ethernet address is not known.
    pub(crate) fn hop(&mut self, next_hop: NextHop) -> Result<Hop, Address> {
        let mac = match next_hop {
            NextHop::Loopback => return Ok(Hop::Loopback),
            NextHop::Everyone => BROADCAST,
            NextHop::Group(group) => group_mac(group),
            NextHop::Neighbour(address) => {
                let mac = self.neighbours.lookup(address, self.now());
                mac.ok_or(address)?
            }
        };
        Ok(self.hop_to(mac))
    }

    /// Asks the neighbour that was just sent to whether its address is still right, if it is time
    /// for that.
    pub(crate) fn send_probe<T: TxQueue>(&mut self, tx: &mut T) {
        if let Some((address, mac)) = self.neighbours.probe.take() {
            self.ask(address, Some(mac), tx);
        }
    }

    /// Asks for the Ethernet address of a host, at its address or at all.
    fn ask<T: TxQueue>(&mut self, target: Address, to: Option<[u8; 6]>, tx: &mut T) {
        let Some(target) = target.to_v4() else {
            return self.solicit(target, to, tx);
        };
        let own = (self.interface.mac, self.interface.source_to(target));
        let request = Arp::new(REQUEST, own, ([0; 6], target));
        // One that cannot leave is one that gets no answer; the next follows in a second.
        request.send(to.unwrap_or(BROADCAST), tx, self.stats);
    }

    /// Does what is due: asks for the gateway, asks again for the hosts that have not answered, and
    /// gives up those that will not.
    pub(crate) fn run_timers<T: TxQueue>(&mut self, tx: &mut T) {
        let now = self.now();
        if let Some(address) = self.gateway.take_due(now)
            && !self.neighbours.is_fixed(GATEWAY)
        {
            if self.gateway.is_lost() {
                self.give_up(GATEWAY);
            }
            let to = self.neighbours.ask_gateway();
            self.ask(address.into(), to, tx);
            self.gateway.asked(now);
        }
        self.run_timers6(tx);
        while let Some(due) = self.neighbours.due(now) {
            match due {
                Due::Ask(address) => self.ask(address, None, tx),
                Due::Absent(host) => self.give_up(host),
            }
        }
    }

    /// A host does not answer. The sockets that waited for it are told.
    pub(crate) fn give_up(&mut self, host: HostId) {
        self.link6.distrust(self.neighbours.address(host));
        self.pending.fail(host);
        self.neighbours.give_up(host);
    }

    /// A client needs the Ethernet address of a host that is not known. Returns the host, for which
    /// can be waited; `None` if the client is looking for too many already.
    pub(crate) fn search<T: TxQueue>(
        &mut self,
        next_hop: Address,
        client: ClientId,
        tx: &mut T,
    ) -> Option<HostId> {
        let known = self.neighbours.find(next_hop);
        if known == Some(GATEWAY)
            && !self.neighbours.is_awaited(GATEWAY)
            && !self.pending.is_awaited(GATEWAY)
        {
            self.gateway.wanted(self.now());
        }
        if known.is_some() {
            return known;
        }
        let host = self.neighbours.search(next_hop, client, self.now())?;
        self.ask(next_hop, None, tx);
        Some(host)
    }

    /// Keeps a client's datagram, whose payload `fill` writes, until its next hop's address is
    /// known. If that takes too long, or too many wait already, it is lost, and
    /// nobody is told, as on any network.
    ///
    /// # Errors
    /// Of `fill`; then nothing is kept.
    pub(crate) fn hold<T: TxQueue, E>(
        &mut self,
        next_hop: Address,
        client: ClientId,
        outgoing: Outgoing,
        tx: &mut T,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(host) = self.search(next_hop, client, tx) else {
            self.stats.inc(Counter::DropsUnresolved);
            return Ok(());
        };
        // The newest datagram of a client for a host replaces the one that waits.
        if let Some(held) = self.pending.held(client, host) {
            self.pending.put_back(held);
            self.stats.inc(Counter::DropsUnresolved);
        }
        let Some(place) = self.pending.take(client, outgoing) else {
            self.stats.inc(Counter::DropsUnresolved);
            return Ok(());
        };
        let datagram = self.pending.datagram_mut(place);
        let filled = fill(&mut datagram[outgoing.header()..]);
        if filled.is_err() {
            self.pending.put_back(place);
            return filled;
        }
        if outgoing.protocol == IpProtocol::Udp {
            self.finish_held(place, &outgoing);
        }
        self.pending.hold(place, host);
        Ok(())
    }

    /// Writes the header of a UDP datagram that is kept.
    fn finish_held(&mut self, place: PlaceId, outgoing: &Outgoing) {
        let datagram = self.pending.datagram_mut(place);
        let long = match outgoing.tuple.remote.0.is_v4() {
            true => outgoing.length > UNFRAGMENTED,
            false => outgoing.length > UNFRAGMENTED6,
        };
        let checksum = !self.interface.offload.tx_checksum || long;
        emit_udp(datagram, &outgoing.tuple, checksum);
    }

    /// The address of a host is there: the datagrams that waited for it are sent.
    pub(crate) fn send_held<T: TxQueue>(&mut self, host: HostId, tx: &mut T) {
        while let Some(place) = self.pending.pop(host) {
            let outgoing = self.pending.outgoing(place);
            let hop = self
                .next_hop(outgoing.tuple.remote.0)
                .and_then(|next_hop| self.hop(next_hop).ok());
            // Out of the pool for as long as it is read.
            let pending = core::mem::take(&mut self.pending.bytes);
            let datagram = &pending[self.pending.range(place)];
            match hop.map(|hop| self.send_datagram(hop, &outgoing, datagram, tx)) {
                Some(Some(())) => {}
                Some(None) => self.stats.inc(Counter::DropsNoTxBuffer),
                None => self.stats.inc(Counter::DropsUnresolved),
            }
            self.pending.bytes = pending;
            self.pending.put_back(place);
        }
    }

    /// Takes out a datagram whose next hop does not answer.
    pub(crate) fn next_undeliverable(&mut self) -> Option<Outgoing> {
        let place = self.pending.next_undeliverable()?;
        self.stats.inc(Counter::DropsUnresolved);
        let outgoing = self.pending.outgoing(place);
        self.pending.put_back(place);
        Some(outgoing)
    }
}
