// SPDX-License-Identifier: BSD-2-Clause

//! Readiness: what stands in the clients' pages, and whom to notify.

use socket_proto::PollBits;

use crate::accounts::calls::PRESENT;
use crate::accounts::client::{Client, Datagram, Kind, Role, Stream};
use crate::accounts::ports::SocketRef;
use crate::accounts::shares::INVITATION;
use crate::frames::TxQueue;
use crate::ip::stack::Stack;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::connection::TcpPool;
use crate::transport::udp::UdpPool;

fn stream_bits(stream: &Stream, tcp: &TcpPool) -> PollBits {
    match &stream.role {
        // As Linux shows a socket that is not connected.
        Role::Idle => (PollBits::OUT | PollBits::HUP)
            .with(PollBits::IN | PollBits::RDHUP, stream.read_shut)
            .with(PollBits::ERR, stream.error.is_some()),
        Role::Listening(listener) => PollBits::NONE.with(PollBits::IN, !listener.ready.is_empty()),
        Role::Connection(index) => tcp.get(*index).bits(),
    }
}

fn datagram_bits(datagram: &Datagram, udp: &UdpPool) -> PollBits {
    let readable = udp.get(datagram.index).can_recv() || datagram.read_shut;
    PollBits::NONE
        .with(PollBits::IN, readable)
        .with(PollBits::OUT, !datagram.blocked)
        .with(PollBits::ERR, datagram.error.is_some())
        .with(PollBits::RDHUP, datagram.read_shut)
        .with(PollBits::HUP, datagram.read_shut && datagram.write_shut)
}

impl<W: Window> Server<W> {
    /// The bits of a socket as they are now.
    pub(crate) fn bits(client: &Client<W>, slot: usize, tcp: &TcpPool, udp: &UdpPool) -> PollBits {
        match client.slots.get(slot).map(|slot| &slot.kind) {
            Some(Kind::Stream(stream)) => stream_bits(stream, tcp),
            Some(Kind::Datagram(datagram)) => datagram_bits(datagram, udp),
            Some(Kind::Free) | None => PollBits::NONE,
        }
    }

    /// Brings a socket's word in its client's page up to date.
    pub(crate) fn refresh(&mut self, owner: SocketRef) {
        let number = usize::from(owner.client);
        let slot = usize::from(owner.slot);
        let Some(Some(client)) = self.clients.get_mut(number) else {
            return;
        };
        let Some(published) = client.slots.get(slot).map(|slot| slot.published) else {
            return;
        };
        if client.kind_of(slot).is_none() {
            return;
        }
        let bits = Self::bits(client, slot, &self.tcp, &self.udp);
        if bits != published && client.publish(slot, bits) && self.caller != Some(number) {
            client.notify = true;
        }
    }

    /// Whom to notify. Pages are complete by then.
    pub(crate) fn take_notifications(&mut self) -> u32 {
        let mut notify = 0;
        let present = self.time() + PRESENT;
        for (number, client) in self.clients.iter_mut().enumerate() {
            let Some(client) = client else {
                continue;
            };
            // Whoever has been refused would be refused again.
            if client.refill.is_some() {
                continue;
            }
            if core::mem::take(&mut client.changed) {
                client.ready.bump_serial();
            }
            if core::mem::take(&mut client.notify) {
                notify |= 1 << number;
                // It is expected to call.
                client.present_until = present;
                self.counters.ready_notifications += 1;
            }
        }
        notify
    }

    /// A client's timer has run out: its deadline has passed, or calls that were refused are worth
    /// trying again.
    pub(crate) fn wake(&mut self, number: usize) {
        let now = self.stack.now();
        let timer = self.client_timer(number);
        let Some(Some(client)) = self.clients.get_mut(number) else {
            return;
        };
        client.notify |= client.deadline.take_if(|at| *at <= now).is_some();
        if client.refill.take_if(|at| *at <= now).is_some() {
            client.notify = true;
            // So that it looks at its sockets, of which none may have become ready.
            client.changed = true;
        }
        if let Some(next) = [client.deadline, client.refill].into_iter().flatten().min() {
            self.timers.set_if_earlier(timer, next);
        }
    }

    /// Transmit buffers have come back: datagram sockets that wait for some can send again.
    pub(crate) fn unblock<T: TxQueue>(&mut self, tx: &mut T) {
        for number in 0..self.clients.len() {
            let waits = self.clients[number]
                .as_ref()
                .is_some_and(|client| client.blocked);
            if !waits || self.room(number, tx) < Stack::FRAGMENT_RESERVE {
                continue;
            }
            let Some(client) = &mut self.clients[number] else {
                continue;
            };
            client.blocked = false;
            client.invited = self.stack.now() + INVITATION;
            for slot in 0..client.slots.len() {
                let Some(client) = &mut self.clients[number] else {
                    continue;
                };
                if let Some(datagram) = client.datagram_mut(slot)
                    && core::mem::take(&mut datagram.blocked)
                {
                    self.refresh(SocketRef {
                        client: number as u8,
                        slot: slot as u16,
                    });
                }
            }
        }
    }
}
