// SPDX-License-Identifier: BSD-2-Clause

//! The way of a received frame up through the layers, to the socket that it is for.

use smoltcp::wire::IpProtocol;
use socket_proto::{Errno, Protocol, SocketKind};

use crate::capture::{On, Tapped, Way};
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::ip::groups::is_all_hosts;
use crate::ip::icmp::{Error, PORT, PROTOCOL, Report, Why};
use crate::ip::packet::{self, Endpoint, Form, Packet, Tuple};
use crate::protocol::window::Window;
use crate::server::Server;
use crate::sockets::socket::{Datagram, Role};
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
                if let Some(report) = self.net.icmp(packet, tx) {
                    self.reported(report, packet);
                }
            }
            IpProtocol::Icmpv6 if !packet.destination.is_v4() => {
                if let Some(report) = self.net.icmp6(packet, tx) {
                    self.reported(report, packet);
                }
            }
            IpProtocol::Igmp => self.net.igmp(packet),
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
        let socket = self.ports.find(Protocol::Tcp, tuple.local)?;
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
        if packet.to_all && self.heard_by_group(tuple, payload) {
            return;
        }
        let Some(socket) = self.hears(tuple) else {
            return self.unheard(packet, &tuple, payload, tx);
        };
        self.receive(socket, tuple.remote, payload);
    }

    #[inline(always)]
    fn receive(&mut self, socket: SocketId, from: Endpoint, payload: &[u8]) {
        let account = self.accounts.get_mut(socket.client);
        if account.receive(socket.slot, from, payload) {
            self.refresh(socket, None);
        } else {
            self.net.stats.inc(Counter::DropsSocketFull);
        }
    }

    /// A datagram has come to all hosts or to a group. Of a group each member at its port gets a
    /// copy. Returns false if it is for who has the port.
    #[cold]
    fn heard_by_group(&mut self, tuple: Tuple, payload: &[u8]) -> bool {
        let group = tuple.local.0;
        if !group.is_multicast() {
            return false;
        }
        let mut copies = 0;
        let mut number = 0;
        while let Some(socket) = self.net.groups.member(group, number) {
            number += 1;
            let account = self.accounts.get(socket.client);
            if account
                .socket(socket.slot)
                .is_some_and(|socket| socket.is_at(tuple))
            {
                self.receive(socket, tuple.remote, payload);
                copies += 1;
            }
        }
        let heard = copies > 0 || !is_all_hosts(group);
        let unheard = heard && copies == 0;
        self.net.stats.add(Counter::DropsNoSocket, unheard.into());
        heard
    }

    /// A datagram has come for which there is no socket.
    #[cold]
    fn unheard<T: TxQueue>(&mut self, packet: &Packet, tuple: &Tuple, payload: &[u8], tx: &mut T) {
        if !self.net.dhcp_answer(tuple, payload, packet.back) {
            self.net.stats.inc(Counter::DropsNoSocket);
            self.net.refuse(PORT, packet, tx);
        }
    }

    /// The datagram socket at our end, if it hears the other end.
    #[inline(always)]
    fn hears(&self, tuple: Tuple) -> Option<SocketId> {
        let socket = self.ports.find(Protocol::Udp, tuple.local)?;
        let account = self.accounts.get(socket.client);
        match &account.socket(socket.slot)?.role {
            // What goes to all is not for a connected socket, as on Linux.
            Role::Datagram(datagram) if datagram.hears(tuple) => Some(socket),
            _ => None,
        }
    }

    /// The socket of ICMP with the identifier at our end.
    fn echoes(&self, protocol: Protocol, tuple: Tuple) -> Option<SocketId> {
        let socket = self.ports.find(protocol, tuple.local)?;
        let account = self.accounts.get(socket.client);
        match &account.socket(socket.slot)?.role {
            // As on Linux one that is connected hears others, too.
            Role::Datagram(Datagram { source, .. })
                if source.is_none_or(|source| source == tuple.local.0) =>
            {
                Some(socket)
            }
            _ => None,
        }
    }

    /// An ICMP message says something to sockets.
    #[inline(never)]
    fn reported(&mut self, report: Report, packet: &Packet) {
        let id = match report {
            Report::Error(error) => return self.undelivered(error),
            Report::Reply(id) => id,
        };
        let tuple = Tuple {
            local: (packet.destination, id),
            remote: (packet.source, 0),
        };
        match self.receiver(packet.protocol, tuple) {
            Some(socket) => self.receive(socket, tuple.remote, packet.payload),
            None => self.net.stats.inc(Counter::DropsNoSocket),
        }
    }

    /// The datagram socket at our end.
    fn receiver(&self, protocol: IpProtocol, tuple: Tuple) -> Option<SocketId> {
        match protocol {
            IpProtocol::Udp => self.hears(tuple),
            IpProtocol::Icmp => self.echoes(Protocol::Icmp, tuple),
            IpProtocol::Icmpv6 => self.echoes(Protocol::Icmpv6, tuple),
            _ => None,
        }
    }

    /// A packet of ours did not arrive, says somebody. Believed if such a packet may be on its way.
    fn undelivered(&mut self, error: Error) {
        let believed = match error.protocol {
            IpProtocol::Tcp => self.tcp.undelivered(error, &mut self.net),
            _ => self.datagram_undelivered(error),
        };
        self.net
            .stats
            .add(Counter::IcmpIgnored, u64::from(!believed));
    }

    fn datagram_undelivered(&mut self, error: Error) -> bool {
        // A connected socket sends to its peer.
        if self.receiver(error.protocol, error.tuple).is_none() {
            return false;
        }
        match error.why {
            Why::TooBig { mtu } => {
                self.net.path_narrows(error, mtu);
                self.datagram_failed(error.protocol, error.tuple, Errno::EMSGSIZE);
            }
            Why::Failed { errno, fatal: true } => {
                self.datagram_failed(error.protocol, error.tuple, errno);
            }
            Why::Failed { .. } => {}
        }
        true
    }

    /// A connected datagram socket is told that what it sent did not arrive.
    pub(crate) fn datagram_failed(&mut self, protocol: IpProtocol, tuple: Tuple, errno: Errno) {
        if let Some(id) = self.receiver(protocol, tuple)
            && let Ok(socket) = self.accounts.get_mut(id.client).socket_mut(id.slot)
            && let Role::Datagram(datagram) = &socket.role
            && datagram.remote.is_some()
        {
            socket.error = Some(errno);
            self.refresh(id, None);
        }
    }
}
