// SPDX-License-Identifier: BSD-2-Clause

//! Looking for neighbours: ARP packets, and who waits for the answer.

use core::net::Ipv4Addr;

use socket_proto::Errno;

use crate::ethernet::neighbours::{Due, GATEWAY};
use crate::ethernet::{self, Arp, Operation, is_card};
use crate::frames::TxQueue;
use crate::ip::packet::{Tuple, is_host};
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::connection::Owner;

impl<W: Window> Server<W> {
    /// An ARP packet (RFC 826) has come.
    pub(crate) fn arp<T: TxQueue>(&mut self, payload: &[u8], tx: &mut T) {
        let Some(arp) = ethernet::parse_arp(payload) else {
            self.counters.drops_malformed += 1;
            return;
        };
        let (own, local) = (self.stack.address(), self.stack.local());
        let (sender, mac) = (arp.sender, arp.sender_mac);
        // Without an address of its own a host asks whether this one is taken (RFC 5227); nothing
        // is learnt from that.
        let nameless = sender.is_unspecified() && arp.operation == Operation::Request;
        let neighbour = is_host(sender)
            && sender != own
            && !local.is_broadcast(sender)
            && self.stack.is_neighbour(sender);
        if !is_card(mac) || !(neighbour || nameless) {
            self.counters.drops_source += 1;
            return;
        }
        if arp.target != own {
            return;
        }
        let now = self.stack.now();
        let found = match arp.operation {
            Operation::Request if nameless => None,
            Operation::Request => self.stack.neighbours.asked_by(sender, mac, now),
            Operation::Reply => self.stack.neighbours.answered(sender, mac, now),
        };
        if let Some(index) = found {
            if index == GATEWAY {
                let next = self.gateway.answered(mac, now);
                let timer = self.gateway_timer();
                self.timers.clear(timer);
                self.timers.set_if_earlier(timer, next);
            }
            self.neighbour_found(index, tx);
        }
        if arp.operation == Operation::Request {
            self.answer_arp(sender, mac, tx);
        }
    }

    fn answer_arp<T: TxQueue>(&mut self, to: Ipv4Addr, mac: [u8; 6], tx: &mut T) {
        if !self.stack.limits.arp.allow(to, self.stack.now()) {
            self.counters.replies_limited += 1;
            return;
        }
        let arp = Arp {
            operation: Operation::Reply,
            sender_mac: self.stack.mac(),
            sender: self.stack.address(),
            target_mac: mac,
            target: to,
        };
        if !ethernet::send_arp(tx, mac, arp, &mut self.counters) {
            self.counters.drops_no_tx_buffer += 1;
        }
    }

    /// A packet came from a host. Answers to it can go back the same way.
    pub(crate) fn hear<T: TxQueue>(&mut self, source: Ipv4Addr, sender: [u8; 6], tx: &mut T) {
        if !self.stack.is_neighbour(source) {
            return;
        }
        let now = self.stack.now();
        if let Some(index) = self.stack.neighbours.heard(source, sender, now) {
            self.neighbour_found(index, tx);
        }
    }

    /// The gateway is to be asked.
    pub(crate) fn ask_gateway<T: TxQueue>(&mut self, tx: &mut T) {
        let Some(gateway) = self.stack.gateway() else {
            return;
        };
        let now = self.stack.now();
        if self.gateway.is_lost() {
            self.stack.neighbours.lose_gateway();
            self.neighbour_absent(GATEWAY);
        }
        let to = self.stack.neighbours.ask_gateway();
        self.stack.ask(gateway, to, tx, &mut self.counters);
        let next = self.gateway.asked(now);
        self.timers.set_if_earlier(self.gateway_timer(), next);
    }

    /// Asks again for the hosts that have not answered, and gives up those that will not.
    pub(crate) fn ask_neighbours<T: TxQueue>(&mut self, tx: &mut T) {
        let now = self.stack.now();
        while let Some(due) = self.stack.neighbours.due(now) {
            match due {
                Due::Ask(address) => self.stack.ask(address, None, tx, &mut self.counters),
                Due::Absent(index) => {
                    self.neighbour_absent(index);
                    self.stack.neighbours.release(index);
                }
            }
        }
        self.set_neighbour_timer();
    }

    fn set_neighbour_timer(&mut self) {
        if let Some(at) = self.stack.neighbours.next_due() {
            self.timers.set_if_earlier(self.neighbour_timer(), at);
        }
    }

    /// A client needs the Ethernet address of a host that is not known. Returns the number of the
    /// host, for which can be waited; `None` if the client is looking for too many already.
    pub(crate) fn search<T: TxQueue>(
        &mut self,
        next_hop: Ipv4Addr,
        client: u8,
        tx: &mut T,
    ) -> Option<usize> {
        let now = self.stack.now();
        let search = self.stack.neighbours.search(next_hop, client, now)?;
        if Some(next_hop) == self.stack.gateway() {
            if !self.stack.neighbours.is_awaited(search.index) {
                let at = self.gateway.wanted(now);
                self.timers.set_if_earlier(self.gateway_timer(), at);
            }
        } else if search.is_new {
            self.stack.ask(next_hop, None, tx, &mut self.counters);
            self.set_neighbour_timer();
        }
        Some(search.index)
    }

    /// Lets a connection wait for its next hop's address.
    pub(crate) fn await_neighbour<T: TxQueue>(
        &mut self,
        index: usize,
        next_hop: Ipv4Addr,
        tx: &mut T,
    ) {
        // What is left of a connection in TIME-WAIT is on nobody's account, and not worth a search.
        let Some(client) = self.tcp.get(index).owner.client() else {
            return;
        };
        if let Some(neighbour) = self.search(next_hop, client, tx) {
            self.stack.neighbours.wait(neighbour, index);
        }
    }

    /// The address of a host is there: whoever waited for it can send.
    fn neighbour_found<T: TxQueue>(&mut self, index: usize, tx: &mut T) {
        while let Some(connection) = self.stack.neighbours.next_connection(index) {
            self.dirty.push(connection);
        }
        while let Some(place) = self.next_datagram(index) {
            let to = self.pending.route(place).to.0;
            let hop = self
                .stack
                .next_hop(to)
                .and_then(|next_hop| self.stack.hop(next_hop));
            let datagram = self.pending.datagram(place);
            let counters = &mut self.counters;
            let sent = hop.map(|hop| self.stack.send_datagram(hop, to, datagram, tx, counters));
            match sent {
                Some(Ok(())) => {}
                Some(Err(_)) => self.counters.drops_no_tx_buffer += 1,
                None => self.counters.drops_unresolved += 1,
            }
            self.pending.put_back(place);
        }
    }

    fn next_datagram(&mut self, index: usize) -> Option<usize> {
        let list = self.stack.neighbours.datagrams(index);
        list.pop_front(&mut self.pending.links)
    }

    /// A host does not answer: whoever waited for it is told.
    fn neighbour_absent(&mut self, index: usize) {
        while let Some(connection) = self.stack.neighbours.next_connection(index) {
            if let Owner::Client(_) = self.tcp.get(connection).owner
                && self.tcp.get(connection).connecting
            {
                self.attempt_failed(connection, Errno::EHOSTUNREACH);
            } else {
                self.dirty.push(connection);
            }
        }
        while let Some(place) = self.next_datagram(index) {
            self.counters.drops_unresolved += 1;
            let route = self.pending.route(place);
            self.pending.put_back(place);
            let tuple = Tuple {
                local: route.from,
                remote: route.to,
            };
            self.datagram_failed(tuple, Errno::EHOSTUNREACH);
        }
    }
}
