// SPDX-License-Identifier: BSD-2-Clause

//! How connections begin: a peer's SYN to a listening socket, a client's `connect`.

use core::net::{Ipv4Addr, SocketAddr};

use smoltcp::socket::tcp::State;
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint, TcpControl};
use socket_proto::{Accepted, Errno, SocketKind};

use crate::accounts::client::{Kind, Phase, Role, Stream};
use crate::accounts::ports::{Local, SocketRef};
use crate::frames::TxQueue;
use crate::ip::packet::{Packet, Tuple};
use crate::protocol::requests::client_in;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::connection::Owner;
use crate::transport::half_open::HalfOpen;
use crate::transport::numbers::PeerOptions;
use crate::transport::segment::{self, ControlSegment, MSS, Segment};

impl<W: Window> Server<W> {
    /// Whether a listening socket takes connections to this address and port.
    pub(crate) fn is_listening(&mut self, tuple: Tuple) -> bool {
        self.listener_for(tuple.local).is_some()
    }

    /// A SYN for a listening socket. It is answered and remembered, or answered with a cookie.
    pub(crate) fn request_to_open<T: TxQueue>(
        &mut self,
        segment: Segment,
        tuple: Tuple,
        tx: &mut T,
    ) {
        let Some((_, room)) = self.listener_for(tuple.local) else {
            return;
        };
        if !room {
            // No answer: the peer asks again, and by then `accept` may have made room.
            self.counters.drops_backlog += 1;
            return;
        }
        let (now, time) = (self.stack.now(), self.time());
        let (irs, options) = (segment.seq, segment.options);
        let remembered = self.half_open.has_room(&tuple);
        let iss = if remembered {
            self.numbers.initial(&tuple, time)
        } else {
            self.counters.syn_cookies_sent += 1;
            self.half_open.note_cookie(now);
            self.numbers.cookie(&tuple, irs, options, time)
        };
        let half_open = HalfOpen {
            tuple,
            mac: segment.mac,
            irs,
            iss,
            window: segment.window,
            options,
            since: now,
            again: 0,
        };
        if remembered {
            self.half_open.insert(half_open, now);
        }
        self.send_syn_ack(&half_open, tx);
    }

    fn send_syn_ack<T: TxQueue>(&mut self, half_open: &HalfOpen, tx: &mut T) {
        let offered = half_open.options;
        let reply = ControlSegment {
            control: TcpControl::Syn,
            seq: half_open.iss,
            ack: Some(half_open.irs.wrapping_add(1)),
            window: self.tcp.receive_window().min(u16::MAX.into()) as u16,
            options: Some(PeerOptions {
                mss: MSS,
                scale: offered.scale.map(|_| self.tcp.window_scale()),
                sack: offered.sack,
            }),
        };
        self.send_reply(reply, &half_open.tuple, half_open.mac, tx);
    }

    /// Sends SYN|ACKs again that have not been confirmed for a while. One that finds no buffer
    /// counts as sent: its deadline must not stay in the past.
    pub(crate) fn remind<T: TxQueue>(&mut self, tx: &mut T) {
        let now = self.stack.now();
        while let Some(half_open) = self.half_open.pop_due(now) {
            self.send_syn_ack(&half_open, tx);
        }
    }

    /// A segment of a peer whose SYN has been answered (RFC 9293 section 3.10.7.4, SYN-RECEIVED).
    pub(crate) fn confirmation<T: TxQueue>(
        &mut self,
        packet: &Packet,
        segment: Segment,
        half_open: HalfOpen,
        tx: &mut T,
    ) {
        let tuple = half_open.tuple;
        let expected = half_open.irs.wrapping_add(1);
        if !self.is_listening(tuple) {
            self.half_open.remove(&tuple);
            return self.stray_segment(packet, segment, tuple, tx);
        }
        if segment.syn && segment.ack.is_none() && !segment.rst {
            if segment.seq == half_open.irs {
                return self.send_syn_ack(&half_open, tx);
            }
            return self.request_to_open(segment, tuple, tx);
        }
        let ahead = segment.seq.wrapping_sub(expected);
        let in_window = u64::from(ahead) < self.tcp.receive_window() as u64;
        if segment.rst || segment.syn {
            if segment.rst && ahead == 0 {
                self.half_open.remove(&tuple);
            } else if in_window {
                let next = half_open.iss.wrapping_add(1);
                self.send_reply(
                    ControlSegment::ack(next, expected, 0),
                    &tuple,
                    segment.mac,
                    tx,
                );
            }
            return;
        }
        let Some(ack) = segment.ack else {
            return;
        };
        if ack != half_open.iss.wrapping_add(1) || !in_window {
            // Its first SYN may have been answered with a cookie, and only a later one been
            // remembered.
            if self.redeem(packet, segment, tuple, tx) {
                self.half_open.remove(&tuple);
                return;
            }
            return self.reset(segment, Some(tuple), tx);
        }
        if self.establish(packet, half_open, tx) {
            self.half_open.remove(&tuple);
        }
    }

    /// A segment that may prove that its sender was given a cookie. Returns whether it did.
    pub(crate) fn redeem<T: TxQueue>(
        &mut self,
        packet: &Packet,
        segment: Segment,
        tuple: Tuple,
        tx: &mut T,
    ) -> bool {
        let (now, time) = (self.stack.now(), self.time());
        let Some(ack) = segment.ack.filter(|_| self.half_open.takes_cookies(now)) else {
            return false;
        };
        let (irs, iss) = (segment.seq.wrapping_sub(1), ack.wrapping_sub(1));
        let Some(options) = self.numbers.open(&tuple, irs, iss, time) else {
            return false;
        };
        self.counters.syn_cookies_taken += 1;
        let half_open = HalfOpen {
            tuple,
            mac: segment.mac,
            irs,
            iss,
            window: segment.window,
            options,
            since: now,
            // No measure of the round trip: nobody remembers when the SYN|ACK was sent.
            again: 1,
        };
        self.establish(packet, half_open, tx);
        true
    }

    /// A peer has confirmed: takes a connection out of the pool, if the listener and its client's
    /// quota have room, and lets smoltcp go through the handshake, of which the last segment is in
    /// `packet`. Returns whether the connection exists now.
    fn establish<T: TxQueue>(&mut self, packet: &Packet, half_open: HalfOpen, tx: &mut T) -> bool {
        let tuple = half_open.tuple;
        let taken = match self.listener_for(tuple.local) {
            Some((listener, true)) => self
                .take_connection(Owner::Pending { listener })
                .map(|index| (listener, index)),
            _ => None,
        };
        let Some((listener, index)) = taken else {
            // As if the segment had been lost: our SYN|ACK or the peer's data are repeated.
            self.counters.drops_backlog += 1;
            return false;
        };
        let connection = self.tcp.get_mut(index);
        connection.renumber(half_open.iss);
        connection.set_peer(half_open.irs, half_open.options);
        connection.tuple = Some(tuple);
        let answered = self.stack.shake_hands(connection, &half_open);
        if !answered || self.tuples.insert(tuple, index as u32).is_err() {
            self.tcp.put_back(index);
            return false;
        }
        connection.seen = State::SynReceived;
        if let Some(client) = &mut self.clients[usize::from(listener.client)] {
            client.streams += 1;
            if let Some(listening) = client.listener_mut(usize::from(listener.slot)) {
                listening.ready.push_back(&mut self.tcp.links, index);
            }
        }
        if let Some(glance) = segment::glance(packet) {
            self.segment(packet, glance, index, tx);
        }
        self.refresh(listener);
        true
    }

    /// Who listens there, and whether one more connection may wait.
    fn listener_for(&mut self, (address, port): (Ipv4Addr, u16)) -> Option<(SocketRef, bool)> {
        let owner = self.ports.get(SocketKind::Stream, port)?;
        let client = self.clients.get_mut(usize::from(owner.client))?.as_mut()?;
        let within_quota = client.may_add_stream();
        let stream = client.stream_mut(usize::from(owner.slot))?;
        let addressed = stream.local?.address.is_none_or(|bound| bound == address);
        match &stream.role {
            Role::Listening(listener) if addressed => {
                let room = within_quota && listener.ready.len() < listener.backlog;
                Some((owner, room))
            }
            _ => None,
        }
    }

    /// `connect` on a stream socket.
    pub(crate) fn connect_stream(&mut self, owner: SocketRef, to: SocketAddr) -> Result<(), Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        match (stream.phase, &stream.role) {
            (Phase::Unconnected, Role::Idle) => {}
            (Phase::Unconnected | Phase::Connected, _) => return Err(Errno::EISCONN),
            (Phase::Disconnecting, _) => return Err(Errno::EINVAL),
            (Phase::Connecting, _) => return self.connect_again(owner),
        }
        let remote = self.destination(to)?;
        let client = client_in(&mut self.clients, owner.client.into())?;
        let permitted = client.limits.may_reach(remote.0, remote.1);
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        if !permitted {
            return Err(Errno::EACCES);
        }
        let local = stream.local;
        if !self.stack.can_reach(remote.0) {
            return Err(Errno::ENETUNREACH);
        }
        let local = match local {
            Some(local) => local,
            None => self.bind_ephemeral(owner, None, Some(remote))?,
        };
        let address = local.address.unwrap_or(self.stack.address());
        let tuple = Tuple {
            local: (address, local.port),
            remote,
        };
        if self.is_taken(&tuple) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.start_attempt(owner, tuple)?;
        Err(Errno::EINPROGRESS)
    }

    /// Whether there is a connection between these ends, or was until a moment ago.
    fn is_taken(&self, tuple: &Tuple) -> bool {
        self.tuples.get(tuple).is_some() || self.time_wait.get(tuple).is_some()
    }

    /// `connect` on a socket that has started an attempt before: tells its end, once.
    fn connect_again(&mut self, owner: SocketRef) -> Result<(), Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        let error = match stream.role {
            Role::Connection(index) => {
                let connection = self.tcp.get_mut(index);
                if connection.connecting {
                    return Err(Errno::EALREADY);
                }
                if !connection.is_closed() {
                    stream.phase = Phase::Connected;
                    return Ok(());
                }
                connection.error.take()
            }
            _ => stream.error.take(),
        };
        self.dissolve_stream(owner)?;
        Err(error.unwrap_or(Errno::ECONNABORTED))
    }

    fn start_attempt(&mut self, owner: SocketRef, tuple: Tuple) -> Result<(), Errno> {
        let iss = self.numbers.initial(&tuple, self.time());
        let index = self
            .take_connection(Owner::Client(owner))
            .ok_or(Errno::ENFILE)?;
        let connection = self.tcp.get_mut(index);
        let remote = IpEndpoint::new(IpAddress::Ipv4(tuple.remote.0), tuple.remote.1);
        let local = IpListenEndpoint {
            addr: Some(IpAddress::Ipv4(tuple.local.0)),
            port: tuple.local.1,
        };
        connection.renumber(iss);
        let context = self.stack.context_with(iss);
        let started = connection.socket_mut().connect(context, remote, local);
        if started.is_err() || self.tuples.insert(tuple, index as u32).is_err() {
            self.tcp.put_back(index);
            return Err(Errno::EADDRNOTAVAIL);
        }
        connection.tuple = Some(tuple);
        connection.connecting = true;
        connection.seen = State::SynSent;
        if let Some(stream) =
            client_in(&mut self.clients, owner.client.into())?.stream_mut(owner.slot.into())
        {
            connection.read_shut = stream.read_shut;
            connection.write_shut = stream.write_shut;
            stream.role = Role::Connection(index);
            stream.phase = Phase::Connecting;
            stream.error = None;
            stream.name = Some(Local {
                address: Some(tuple.local.0),
                port: tuple.local.1,
            });
        }
        self.counters.tcp_opened += 1;
        self.refresh(owner);
        self.dirty.push(index);
        Ok(())
    }

    /// Checks an address that a client wants to send to.
    pub(crate) fn destination(&self, to: SocketAddr) -> Result<(Ipv4Addr, u16), Errno> {
        match to {
            SocketAddr::V4(to) if to.port() != 0 => Ok((*to.ip(), to.port())),
            SocketAddr::V4(_) => Err(Errno::EINVAL),
            SocketAddr::V6(_) => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// Gives a socket an ephemeral port. One to `remote` must not be in use by a connection that is
    /// still closing.
    pub(crate) fn bind_ephemeral(
        &mut self,
        owner: SocketRef,
        address: Option<Ipv4Addr>,
        remote: Option<(Ipv4Addr, u16)>,
    ) -> Result<Local, Errno> {
        let own = address.unwrap_or(self.stack.address());
        let kind = self
            .client_mut(owner.client.into())?
            .kind_of(owner.slot.into())
            .ok_or(Errno::EBADF)?;
        let (tuples, time_wait) = (&self.tuples, &self.time_wait);
        let usable = |port| {
            remote.is_none_or(|remote| {
                let local = (own, port);
                let tuple = Tuple { local, remote };
                tuples.get(&tuple).is_none() && time_wait.get(&tuple).is_none()
            })
        };
        let port = self
            .ports
            .bind_ephemeral(kind, owner, remote, usable)
            .ok_or(Errno::EADDRNOTAVAIL)?;
        let local = Local { address, port };
        let client = self.client_mut(owner.client.into())?;
        match kind {
            SocketKind::Stream => {
                if let Some(stream) = client.stream_mut(owner.slot.into()) {
                    stream.local = Some(local);
                    stream.autobound = true;
                    stream.name = None;
                }
            }
            SocketKind::Datagram => {
                if let Some(datagram) = client.datagram_mut(owner.slot.into()) {
                    datagram.local = Some(local);
                    datagram.autobound = true;
                }
            }
        }
        Ok(local)
    }

    /// `accept`.
    pub(crate) fn accept(&mut self, owner: SocketRef) -> Result<Accepted, Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let Some(listener) = client.listener_mut(owner.slot.into()) else {
            return Err(Errno::EINVAL);
        };
        let Some(index) = listener.ready.front() else {
            return Err(Errno::EAGAIN);
        };
        let Some(tuple) = self.tcp.get(index).tuple else {
            return Err(Errno::EAGAIN);
        };
        let stream = Stream::new(Role::Connection(index));
        // It was counted when it came into the backlog, so there is an index.
        let Some((slot, handle)) = client.open(Kind::Stream(stream)) else {
            return Err(Errno::EMFILE);
        };
        if let Some(listener) = client.listener_mut(owner.slot.into()) {
            listener.ready.remove(&mut self.tcp.links, index);
        }
        let accepted = SocketRef {
            client: owner.client,
            slot,
        };
        self.tcp.get_mut(index).owner = Owner::Client(accepted);
        self.counters.tcp_accepted += 1;
        self.refresh(owner);
        self.refresh(accepted);
        Ok(Accepted {
            socket: handle,
            peer: tuple.remote.into(),
        })
    }
}
