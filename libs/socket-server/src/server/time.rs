// SPDX-License-Identifier: BSD-2-Clause

//! Timers: connections, datagrams that wait for an address, clients' deadlines, the gateway.

use core::net::Ipv4Addr;

use super::Server;
use super::egress::patience;
use crate::gateway::{REQUEST_LENGTH, send_request};
use crate::link::TxQueue;
use crate::tcp::Owner;
use crate::udp::OUTBOX;
use crate::window::Window;
use smoltcp::time::Duration;

/// Between two ARP requests on behalf of one client.
const ASK_INTERVAL: Duration = Duration::from_millis(100);

impl<W: Window> Server<W> {
    fn outbox_timer(&self, place: usize) -> usize {
        self.tcp.len() + place
    }

    pub(super) fn client_timer(&self, client: usize) -> usize {
        self.tcp.len() + OUTBOX + client
    }

    pub(super) fn gateway_timer(&self) -> usize {
        self.tcp.len() + OUTBOX + self.clients.len()
    }

    /// Does what is due. Each timer comes once a wake-up, so that the work is bounded by their number.
    pub(super) fn run_timers<T: TxQueue>(&mut self, tx: &mut T) {
        let now = self.stack.now();
        let connections = self.tcp.len();
        let clients = connections + OUTBOX;
        for _ in 0..self.gateway_timer() + 1 {
            let Some(id) = self.timers.pop_due(now) else {
                break;
            };
            if id < connections {
                self.connection_due(id);
            } else if id < clients {
                self.retry(id - connections, tx);
            } else if id < self.gateway_timer() {
                self.wake(id - clients);
            } else {
                self.ask_gateway(tx);
            }
        }
    }

    fn connection_due(&mut self, index: usize) {
        let connection = self.tcp.get(index);
        if connection.owner == Owner::Free {
            return;
        }
        if patience(connection).is_some_and(|until| until <= self.stack.now()) {
            self.give_up(index);
        }
        self.dirty.push(index);
    }

    fn ask_gateway<T: TxQueue>(&mut self, tx: &mut T) {
        if let Some(gateway) = self.stack.gateway() {
            let now = self.stack.now();
            let own = (self.stack.address(), self.stack.mac());
            let next = self.gateway.ask(own, gateway, now, tx, &mut self.counters);
            self.timers.set_if_earlier(self.gateway_timer(), next);
        }
    }

    /// Asks for the Ethernet address that a packet of a client waits for. smoltcp asks for one address a second, whoever needs it, so that
    /// a client that sends to hosts which are not there would keep all others from finding theirs. Answers whether the request has left.
    pub(super) fn ask_neighbour<T: TxQueue>(
        &mut self,
        client: u8,
        to: Ipv4Addr,
        tx: &mut T,
    ) -> bool {
        let now = self.stack.now();
        let own = (self.stack.address(), self.stack.mac());
        let Some(target) = self.stack.next_hop(to) else {
            return false;
        };
        let Some(Some(client)) = self.clients.get_mut(usize::from(client)) else {
            return false;
        };
        if now < client.asks_again || !send_request(own, target, tx) {
            return false;
        }
        client.asks_again = now + ASK_INTERVAL;
        self.counters.tx_frames += 1;
        self.counters.tx_bytes += REQUEST_LENGTH as u64;
        true
    }

    /// An ARP answer has come: whoever waited for one tries again.
    pub(super) fn neighbour_answered(&mut self, address: Ipv4Addr, mac: [u8; 6]) {
        let now = self.stack.now();
        if Some(address) == self.stack.gateway() {
            let next = self.gateway.answered(mac, now);
            let timer = self.gateway_timer();
            self.timers.clear(timer);
            self.timers.set_if_earlier(timer, next);
        }
        for place in 0..OUTBOX {
            if self.outbox.holds(place) {
                self.timers.set_if_earlier(self.outbox_timer(place), now);
            }
        }
        for index in 0..self.tcp.len() {
            if self.stalled == 0 {
                break;
            }
            if self.tcp.get(index).stalled {
                self.clear_stalled(index);
                self.dirty.push(index);
            }
        }
    }

    /// Tries to send a datagram that waits in the outbox. Answers whether it has left.
    pub(super) fn retry<T: TxQueue>(&mut self, place: usize, tx: &mut T) -> bool {
        let now = self.stack.now();
        if !self.outbox.holds(place) {
            return false;
        }
        let outgoing = self.outbox.get_mut(place);
        if tx.free() >= outgoing.frames {
            let set = &mut outgoing.udp.set;
            let (left, what) = self.stack.egress(tx, set, &mut self.counters);
            if left {
                self.outbox.left(place);
                return true;
            }
            if !what.asked && self.stack.lacks_neighbour(&outgoing.udp.set) {
                let (client, to) = (outgoing.client, outgoing.to);
                self.ask_neighbour(client, to, tx);
            }
        }
        let outgoing = self.outbox.get_mut(place);
        if outgoing.until <= now {
            self.outbox.give_up(place);
            self.counters.drops_unresolved += 1;
            return false;
        }
        let retry = self.stack.poll_at(&outgoing.udp.set);
        let next = retry
            .filter(|&at| at > now)
            .unwrap_or(now + super::egress::RELUCTANT);
        let until = outgoing.until;
        self.timers
            .set_if_earlier(self.outbox_timer(place), next.min(until));
        false
    }
}
