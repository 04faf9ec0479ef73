// SPDX-License-Identifier: BSD-2-Clause

//! The way of a received frame up through the layers, to the socket that it is for.

use smoltcp::wire::IpProtocol;
use socket_proto::{Errno, SocketKind};

use crate::capture::{On, Tapped, Way};
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::ip::icmp::{Error, PORT, PROTOCOL, Why};
use crate::ip::packet::{self, Form, Packet, Tuple};
use crate::protocol::window::Window;
use crate::server::Server;
use crate::sockets::socket::Role;
use crate::tables::id::SocketId;
use crate::transport::input::Arrival;
use crate::transport::opening::Listening;

impl<W: Window> Server<W> {
    /// Takes a frame of the device up through the layers.
    pub(crate) fn ingress<T: TxQueue>(&mut self, frame: &[u8], tx: &mut T) {
        if let Some(packet) = self.net.receive(frame, tx) {
            self.whole(&packet, tx);
        }
    }

    /// Takes the oldest frames of loopback up through the layers, within a budget.
    pub(crate) fn loop_back<T: TxQueue>(&mut self, budget: usize, tx: &mut Tapped<'_, T>) {
        for _ in 0..budget {
            let Some(frame) = self.net.loopback.take() else {
                break;
            };
            tx.pass(On::Loopback, Way::Sent, frame.bytes());
            if let Some(packet) = self.net.receive_own(frame.bytes()) {
                self.whole(&packet, tx);
            }
            self.net.loopback.put_back(frame);
        }
    }

    /// Delivers a packet, unless it is a fragment and others are missing.
    #[inline(always)]
    fn whole<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) {
        match packet.form {
            Form::Whole => return self.deliver(packet, tx),
            Form::Problem { code, pointer } => return self.net.problem(code, pointer, packet, tx),
            Form::Extended | Form::Part { .. } => {}
        }
        // Out of the server for as long as it is read.
        let mut bytes = core::mem::take(&mut self.assembled);
        let whole = match packet.form {
            Form::Part {
                ident,
                offset,
                more,
            } => self
                .net
                .reassemble(packet, (ident, offset, more), &mut bytes),
            _ => Some(self.net.flattened(packet, &mut bytes)),
        };
        if let Some(whole) = whole {
            self.deliver(&whole, tx);
        }
        self.assembled = bytes;
    }

    fn deliver<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) {
        match packet.protocol {
            IpProtocol::Tcp => {
                let verified = self.net.interface.offload.rx_checksum;
                match packet::segment(packet, verified) {
                    Some(tuple) => self.segment(packet, tuple, tx),
                    None => self.net.stats.inc(Counter::DropsMalformed),
                }
            }
            IpProtocol::Udp => self.datagram(packet, tx),
            IpProtocol::Icmp if packet.destination.is_v4() => {
                if let Some(error) = self.net.icmp(packet, tx) {
                    self.undelivered(error);
                }
            }
            IpProtocol::Icmpv6 if !packet.destination.is_v4() => {
                if let Some(error) = self.net.icmp6(packet, tx) {
                    self.undelivered(error);
                }
            }
            _ => self.net.refuse(PROTOCOL, packet, tx),
        }
    }

    fn segment<T: TxQueue>(&mut self, packet: &Packet, tuple: Tuple, tx: &mut T) {
        let known = self.tcp.tuples.get(&tuple);
        let listening = match known {
            Some(_) => None,
            None => self.listening(tuple),
        };
        let arrival = Arrival {
            packet,
            tuple,
            tcp: &mut self.tcp,
            net: &mut self.net,
            tx,
        };
        let established = match known {
            Some(id) => return arrival.for_connection(id),
            None => arrival.for_no_connection(listening),
        };
        if let (Some(id), Some(Listening { socket, .. })) = (established, listening) {
            let account = self.accounts.get_mut(socket.client);
            account.count_waiting(true);
            if let Some(listener) = account.listener_mut(socket.slot) {
                listener.ready.push_back(&mut self.tcp.links, id);
            }
            self.refresh(socket, None);
        }
    }

    /// The socket that listens at our end, and whether one more connection may wait.
    fn listening(&self, tuple: Tuple) -> Option<Listening> {
        let socket = self.ports.find(SocketKind::Stream, tuple.local)?;
        let account = self.accounts.get(socket.client);
        let listening = account.socket(socket.slot)?;
        let Role::Listening(listener) = &listening.role else {
            return None;
        };
        let (settings, mss) = (listening.options.settings, listening.options.mss());
        let room = account.may_add(SocketKind::Stream) && listener.ready.len() < listener.backlog;
        Some(Listening {
            socket,
            settings,
            mss,
            room,
        })
    }

    fn datagram<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) {
        let verified = self.net.interface.offload.rx_checksum;
        let Some((tuple, payload)) = packet::datagram(packet, verified) else {
            self.net.stats.inc(Counter::DropsMalformed);
            return;
        };
        let Some(socket) = self.hears(tuple) else {
            self.net.stats.inc(Counter::DropsNoSocket);
            return self.net.refuse(PORT, packet, tx);
        };
        let account = self.accounts.get_mut(socket.client);
        if account.receive(socket.slot, tuple.remote, payload) {
            self.refresh(socket, None);
        } else {
            self.net.stats.inc(Counter::DropsSocketFull);
        }
    }

    /// The datagram socket at our end, if it hears the other end.
    #[inline(always)]
    fn hears(&self, tuple: Tuple) -> Option<SocketId> {
        let socket = self.ports.find(SocketKind::Datagram, tuple.local)?;
        let account = self.accounts.get(socket.client);
        match &account.socket(socket.slot)?.role {
            // What goes to all is not for a connected socket, as on Linux.
            Role::Datagram(datagram) if datagram.hears(tuple) => Some(socket),
            _ => None,
        }
    }

    /// A packet of ours did not arrive, says somebody. Believed if such a packet may be on its way.
    fn undelivered(&mut self, error: Error) {
        let believed = match error.protocol {
            IpProtocol::Tcp => self.tcp.undelivered(error, &mut self.net),
            IpProtocol::Udp => self.datagram_undelivered(error),
            _ => false,
        };
        self.net
            .stats
            .add(Counter::IcmpIgnored, u64::from(!believed));
    }

    fn datagram_undelivered(&mut self, error: Error) -> bool {
        // A connected socket sends to its peer.
        if self.hears(error.tuple).is_none() {
            return false;
        }
        match error.why {
            Why::TooBig { mtu } => {
                self.net.path_narrows(error, mtu);
                self.datagram_failed(error.tuple, Errno::EMSGSIZE);
            }
            Why::Failed { errno, fatal: true } => self.datagram_failed(error.tuple, errno),
            Why::Failed { .. } => {}
        }
        true
    }

    /// A connected datagram socket is told that what it sent did not arrive.
    pub(crate) fn datagram_failed(&mut self, tuple: Tuple, errno: Errno) {
        if let Some(id) = self.hears(tuple)
            && let Ok(socket) = self.accounts.get_mut(id.client).socket_mut(id.slot)
            && let Role::Datagram(datagram) = &socket.role
            && datagram.remote.is_some()
        {
            socket.error = Some(errno);
            self.refresh(id, None);
        }
    }
}
