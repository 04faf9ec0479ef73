// SPDX-License-Identifier: BSD-2-Clause

//! Datagram sockets. One call moves as many datagrams as fit, up to a limit.

use core::net::{Ipv4Addr, SocketAddr};

use socket_proto::datagram::{HEADER_SIZE, stride};
use socket_proto::{CheckedSpan, DatagramHeader, Errno, Half, Received, Sent, Shutdown, Span};

use crate::accounts::client::Datagram;
use crate::accounts::ports::SocketRef;
use crate::ethernet::Hop;
use crate::frames::TxQueue;
use crate::ip::paths::MIN_MTU;
use crate::ip::send::{HEADER, Route, UDP, emit_udp, frames_for};
use crate::protocol::requests::client_in;
use crate::protocol::window::{OutOfWindow, Window};
use crate::server::Server;

/// Datagrams moved by one call at most: the work of a call is bounded.
const BATCH: u64 = 64;
/// What is longer may leave in fragments: the path may turn out to be narrower before the datagram
/// can be sent.
const UNFRAGMENTED: usize = MIN_MTU - HEADER;

/// A datagram's payload in a client's window.
#[derive(Clone, Copy)]
struct Payload {
    half: Half,
    start: usize,
    length: usize,
}

impl<W: Window> Server<W> {
    fn datagram_of(&mut self, owner: SocketRef) -> Result<&mut Datagram, Errno> {
        self.client_mut(owner.client.into())?
            .datagram_mut(owner.slot.into())
            .ok_or(Errno::EBADF)
    }

    /// Sending binds, if nobody did before.
    fn autobind(&mut self, owner: SocketRef) -> Result<(Ipv4Addr, u16), Errno> {
        let own = self.stack.address();
        let local = match self.datagram_of(owner)?.local {
            Some(local) => local,
            None => self.bind_ephemeral(owner, None, None)?,
        };
        Ok((local.address.unwrap_or(own), local.port))
    }

    /// Whether a datagram can go there. No socket may send to all hosts, as on Linux without
    /// `SO_BROADCAST`.
    fn check_reach(&self, to: Ipv4Addr) -> Result<(), Errno> {
        if self.stack.local().is_broadcast(to) {
            return Err(Errno::EACCES);
        }
        if !self.stack.can_reach(to) {
            return Err(Errno::ENETUNREACH);
        }
        Ok(())
    }

    /// `connect`: no packet is sent.
    pub(crate) fn connect_datagram(
        &mut self,
        owner: SocketRef,
        to: SocketAddr,
    ) -> Result<(), Errno> {
        let remote = self.destination(to)?;
        self.check_reach(remote.0)?;
        self.autobind(owner)?;
        self.datagram_of(owner)?.remote = Some(remote);
        self.refresh(owner);
        Ok(())
    }

    /// `shutdown`.
    pub(crate) fn shutdown_datagram(
        &mut self,
        owner: SocketRef,
        how: Shutdown,
    ) -> Result<(), Errno> {
        let datagram = self.datagram_of(owner)?;
        datagram.read_shut |= how.read();
        datagram.write_shut |= how.write();
        let connected = datagram.remote.is_some();
        self.refresh(owner);
        // Without a peer there is an error, but readers are woken, as on Linux.
        if connected {
            Ok(())
        } else {
            Err(Errno::ENOTCONN)
        }
    }

    /// `send`.
    pub(crate) fn send_datagrams<T: TxQueue>(
        &mut self,
        owner: SocketRef,
        span: Span,
        tx: &mut T,
    ) -> Result<Sent, Errno> {
        let span = self
            .client_mut(owner.client.into())?
            .window
            .sizes()
            .check(span)?;
        let datagram = self.datagram_of(owner)?;
        if let Some(errno) = datagram.error.take() {
            self.refresh(owner);
            return Err(errno);
        }
        if datagram.write_shut {
            return Err(Errno::EPIPE);
        }
        let from = self.autobind(owner)?;
        let mut count = 0;
        let mut at = 0;
        // A rest that is too short for a header is the end of the batch, not an error, once there
        // was a datagram.
        while count < BATCH && (count == 0 || span.length().saturating_sub(at) >= HEADER_SIZE) {
            match self.send_next(owner, span, at, from, tx) {
                Ok(next) => at = next,
                Err(errno) if count == 0 => return Err(errno),
                Err(_) => break,
            }
            count += 1;
        }
        Ok(Sent { count, room: 0 })
    }

    /// Sends the datagram that starts `at` bytes into the range. Answers where the next one starts.
    fn send_next<T: TxQueue>(
        &mut self,
        owner: SocketRef,
        span: CheckedSpan,
        at: usize,
        from: (Ipv4Addr, u16),
        tx: &mut T,
    ) -> Result<usize, Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let room = span
            .length()
            .checked_sub(at + HEADER_SIZE)
            .ok_or(Errno::EINVAL)?;
        let mut header = [0; HEADER_SIZE];
        client
            .window
            .read(span.half(), span.start() + at, &mut header)
            .map_err(|_| Errno::EFAULT)?;
        let header = DatagramHeader::from_bytes(header);
        let length = usize::from(header.length);
        if length > room || header.flags != 0 {
            return Err(Errno::EINVAL);
        }
        let connected = client
            .datagram_mut(owner.slot.into())
            .and_then(|datagram| datagram.remote);
        let to = match header.peer()? {
            Some(to) => self.destination(to)?,
            None => connected.ok_or(Errno::EDESTADDRREQ)?,
        };
        self.check_reach(to.0)?;
        if length > self.datagram_send.min(socket_proto::datagram::MAX_PAYLOAD) {
            return Err(Errno::EMSGSIZE);
        }
        let mtu = self.stack.path(to.0).mtu;
        if self.room(owner.client.into(), tx) < frames_for(UDP + length, mtu) {
            let client = self.client_mut(owner.client.into())?;
            client.blocked = true;
            if let Some(datagram) = client.datagram_mut(owner.slot.into()) {
                datagram.blocked = true;
            }
            self.refresh(owner);
            tx.hurry();
            return Err(Errno::EAGAIN);
        }
        let payload = Payload {
            half: span.half(),
            start: span.start() + at + HEADER_SIZE,
            length,
        };
        let route = Route { from, to };
        let next_hop = self.stack.next_hop(to.0).ok_or(Errno::ENETUNREACH)?;
        let sent = match self.stack.hop(next_hop) {
            Some(hop) => self.send_to(hop, owner, route, payload, tx),
            None => self.hold(next_hop, owner, route, payload, tx),
        };
        self.note_sent(Some(owner.client.into()), tx);
        sent?;
        Ok(at + stride(length))
    }

    /// Sends a datagram: one copy from the window into the frame, or two if it leaves in fragments.
    fn send_to<T: TxQueue>(
        &mut self,
        hop: Hop,
        owner: SocketRef,
        route: Route,
        payload: Payload,
        tx: &mut T,
    ) -> Result<(), Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let window = &client.window;
        let length = payload.length;
        let fill = |into: &mut [u8]| window.read(payload.half, payload.start, into);
        let counters = &mut self.counters;
        match self
            .stack
            .send_filled(hop, route, length, tx, counters, fill)
        {
            Some(Ok(())) => {
                counters.copies_from_client += 1;
                counters.copied_from_client += length as u64;
                Ok(())
            }
            Some(Err(OutOfWindow)) => Err(Errno::EFAULT),
            None => Err(Errno::EAGAIN),
        }
    }

    /// Keeps a datagram until its next hop's address is known. If that takes too long, or too many
    /// wait already, it is lost, and nobody is told, as on any network.
    fn hold<T: TxQueue>(
        &mut self,
        next_hop: Ipv4Addr,
        owner: SocketRef,
        route: Route,
        payload: Payload,
        tx: &mut T,
    ) -> Result<(), Errno> {
        let Some(neighbour) = self.search(next_hop, owner.client, tx) else {
            self.counters.drops_unresolved += 1;
            return Ok(());
        };
        self.drop_held(neighbour, owner.client);
        let length = UDP + payload.length;
        let Some(place) = self.pending.take(owner.client, route, length) else {
            self.counters.drops_unresolved += 1;
            return Ok(());
        };
        let client = client_in(&mut self.clients, owner.client.into())?;
        let checksum = !self.stack.tx_checksum();
        let datagram = self.pending.datagram_mut(place);
        let into = &mut datagram[UDP..];
        if client
            .window
            .read(payload.half, payload.start, into)
            .is_err()
        {
            self.pending.put_back(place);
            return Err(Errno::EFAULT);
        }
        emit_udp(datagram, route, checksum || length > UNFRAGMENTED);
        self.counters.copies_from_client += 1;
        self.counters.copied_from_client += payload.length as u64;
        let list = self.stack.neighbours.datagrams(neighbour);
        list.push_back(&mut self.pending.links, place);
        Ok(())
    }

    /// The newest datagram of a client for a host replaces the one that waits.
    fn drop_held(&mut self, neighbour: usize, client: u8) {
        let list = self.stack.neighbours.datagrams(neighbour);
        let mut next = list.front();
        while let Some(place) = next {
            next = list.next(&self.pending.links, place);
            if self.pending.client(place) == client {
                list.remove(&mut self.pending.links, place);
                self.pending.put_back(place);
                self.counters.drops_unresolved += 1;
                return;
            }
        }
    }

    /// `recv`.
    pub(crate) fn recv_datagrams(
        &mut self,
        owner: SocketRef,
        span: Span,
    ) -> Result<Received, Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let span = client.window.sizes().check_writable(span)?;
        let datagram = client.datagram_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        if let Some(errno) = datagram.error.take() {
            self.refresh(owner);
            return Err(errno);
        }
        let (index, read_shut) = (datagram.index, datagram.read_shut);
        let socket = self.udp.get_mut(index);
        let mut count = 0;
        let mut at = 0;
        while count < BATCH {
            let Some(room) = span.length().checked_sub(at + HEADER_SIZE) else {
                break;
            };
            // Only the first may be cut off: the next call has more room for the others.
            if count > 0 && socket.peek().is_none_or(|length| length > room) {
                break;
            }
            let Some((peer, payload)) = socket.pop() else {
                break;
            };
            let length = payload.len().min(room);
            let header = DatagramHeader::incoming(length as u16, payload.len() as u16, peer.into());
            let start = span.start() + at;
            client
                .window
                .write(start, &header.to_bytes())
                .and_then(|()| client.window.write(start + HEADER_SIZE, &payload[..length]))
                .map_err(|_| Errno::EFAULT)?;
            self.counters.copies_to_client += 1;
            self.counters.copied_to_client += length as u64;
            at = (at + stride(length)).min(span.length());
            count += 1;
        }
        if count == 0 && !read_shut {
            let too_short = span.length() < HEADER_SIZE;
            return Err(if too_short {
                Errno::EINVAL
            } else {
                Errno::EAGAIN
            });
        }
        self.refresh(owner);
        Ok(Received {
            bytes: at as u64,
            datagrams: count,
        })
    }
}
