// SPDX-License-Identifier: BSD-2-Clause

//! Datagram sockets. One call moves as many datagrams as fit, up to a limit.

use core::net::{Ipv4Addr, SocketAddr};

use smoltcp::wire::IpAddress;
use socket_proto::datagram::{HEADER_SIZE, stride};
use socket_proto::{CheckedSpan, DatagramHeader, Errno, Reply, Shutdown, Span, Success};

use super::Server;
use super::requests::client_in;
use crate::client::Datagram;
use crate::link::TxQueue;
use crate::ports::SocketRef;
use crate::stack::Stack;
use crate::udp::Route;
use crate::window::Window;

/// Datagrams moved by one call at most: the work of a call is bounded.
const BATCH: u64 = 64;
/// Larger ones are sent in fragments: 1,500 bytes less the headers of IP and UDP.
const UNFRAGMENTED: usize = 1472;

/// Transmit buffers that must be free for a datagram.
fn frames_for(length: usize) -> usize {
    if length > UNFRAGMENTED {
        Stack::FRAGMENT_RESERVE
    } else {
        1
    }
}

impl<W: Window> Server<W> {
    fn datagram_of(&mut self, owner: SocketRef) -> Result<&mut Datagram, Errno> {
        self.client_mut(owner.client.into())?
            .datagram_mut(owner.slot.into())
            .ok_or(Errno::EBADF)
    }

    /// Tells smoltcp's socket where it is bound.
    pub(super) fn bind_in_stack(&mut self, owner: SocketRef) {
        let Ok(&mut Datagram {
            index,
            local: Some(local),
            ..
        }) = self.datagram_of(owner)
        else {
            return;
        };
        let endpoint = smoltcp::wire::IpListenEndpoint {
            addr: local.address.map(IpAddress::Ipv4),
            port: local.port,
        };
        let socket = self.udp.get_mut(index).socket_mut();
        // It may still have a port that was taken back.
        socket.close();
        let bound = socket.bind(endpoint);
        debug_assert!(bound.is_ok());
    }

    /// Sending binds, if nobody did before.
    fn autobind(&mut self, owner: SocketRef) -> Result<(Ipv4Addr, u16), Errno> {
        let own = self.stack.address();
        let local = match self.datagram_of(owner)?.local {
            Some(local) => local,
            None => {
                let local = self.bind_ephemeral(owner, None, None)?;
                self.bind_in_stack(owner);
                local
            }
        };
        Ok((local.address.unwrap_or(own), local.port))
    }

    /// Whether a datagram can go there. No socket may send to all hosts, as on Linux without `SO_BROADCAST`.
    fn check_reach(&self, to: Ipv4Addr) -> Result<(), Errno> {
        if self.stack.is_broadcast(to) {
            return Err(Errno::EACCES);
        }
        if !self.stack.can_reach(to) {
            return Err(Errno::ENETUNREACH);
        }
        Ok(())
    }

    /// `connect`: no packet is sent.
    pub(super) fn connect_datagram(&mut self, owner: SocketRef, to: SocketAddr) -> Reply {
        let remote = self.destination(to)?;
        self.check_reach(remote.0)?;
        self.autobind(owner)?;
        self.datagram_of(owner)?.remote = Some(remote);
        self.refresh(owner);
        Ok(Success::Done)
    }

    /// `shutdown`.
    pub(super) fn shutdown_datagram(&mut self, owner: SocketRef, how: Shutdown) -> Reply {
        let datagram = self.datagram_of(owner)?;
        datagram.read_shut |= how.read();
        datagram.write_shut |= how.write();
        let connected = datagram.remote.is_some();
        self.refresh(owner);
        // Without a peer there is an error, but readers are woken, as on Linux.
        if connected {
            Ok(Success::Done)
        } else {
            Err(Errno::ENOTCONN.into())
        }
    }

    /// `send`.
    pub(super) fn send_datagrams<T: TxQueue>(
        &mut self,
        owner: SocketRef,
        span: Span,
        tx: &mut T,
    ) -> Reply {
        let span = self
            .client_mut(owner.client.into())?
            .window
            .sizes()
            .check(span)?;
        let datagram = self.datagram_of(owner)?;
        if let Some(errno) = datagram.error.take() {
            self.refresh(owner);
            return Err(errno.into());
        }
        if datagram.write_shut {
            return Err(Errno::EPIPE.into());
        }
        let from = self.autobind(owner)?;
        let mut count = 0;
        let mut at = 0;
        // A rest that is too short for a header is the end of the batch, not an error, once there was a datagram.
        while count < BATCH && (count == 0 || span.length().saturating_sub(at) >= HEADER_SIZE) {
            match self.send_next(owner, span, at, from, tx) {
                Ok(next) => at = next,
                Err(errno) if count == 0 => return Err(errno.into()),
                Err(_) => break,
            }
            count += 1;
        }
        Ok(Success::Sent { count, room: 0 })
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
        if self.room(owner.client.into(), tx) < frames_for(length) {
            let client = self.client_mut(owner.client.into())?;
            client.blocked = true;
            if let Some(datagram) = client.datagram_mut(owner.slot.into()) {
                datagram.blocked = true;
            }
            self.refresh(owner);
            tx.hurry();
            return Err(Errno::EAGAIN);
        }
        let posted = self.post(
            owner,
            span,
            at + HEADER_SIZE,
            length,
            Route { from, to },
            tx,
        );
        self.note_sent(Some(owner.client.into()), tx);
        posted?;
        Ok(at + stride(length))
    }

    /// Copies a payload from the window into the outbox, and has it sent.
    fn post<T: TxQueue>(
        &mut self,
        owner: SocketRef,
        span: CheckedSpan,
        at: usize,
        length: usize,
        route: Route,
        tx: &mut T,
    ) -> Result<(), Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let now = self.stack.now();
        let (place, evicted) = self
            .outbox
            .enter(owner.client, frames_for(length), now)
            .ok_or(Errno::ENOBUFS)?;
        self.counters.drops_unresolved += u64::from(evicted);
        let copied = match self.outbox.buffer(place, route, length) {
            Some(buffer) => client
                .window
                .read(span.half(), span.start() + at, buffer)
                .map_err(|_| Errno::EFAULT),
            None => Err(Errno::EINVAL),
        };
        if let Err(errno) = copied {
            self.outbox.give_up(place);
            return Err(errno);
        }
        self.counters.copies_from_client += 1;
        self.counters.copied_from_client += length as u64;
        if !self.retry(place, tx) && self.outbox.is_crowded(owner.client) {
            // It waits for its next hop's address, as too many of this client already do. Nobody is told, as on any network.
            self.outbox.give_up(place);
            self.counters.drops_unresolved += 1;
        }
        Ok(())
    }

    /// `recv`.
    pub(super) fn recv_datagrams(&mut self, owner: SocketRef, span: Span) -> Reply {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let span = client.window.sizes().check_writable(span)?;
        let datagram = client.datagram_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        if let Some(errno) = datagram.error.take() {
            self.refresh(owner);
            return Err(errno.into());
        }
        let (index, read_shut) = (datagram.index, datagram.read_shut);
        let socket = self.udp.get_mut(index).socket_mut();
        let mut count = 0;
        let mut at = 0;
        while count < BATCH {
            let Some(room) = span.length().checked_sub(at + HEADER_SIZE) else {
                break;
            };
            let Ok((payload, _)) = socket.peek() else {
                break;
            };
            // Only the first may be cut off: the next call has more room for the others.
            if payload.len() > room && count > 0 {
                break;
            }
            let Ok((payload, meta)) = socket.recv() else {
                break;
            };
            let length = payload.len().min(room);
            let IpAddress::Ipv4(address) = meta.endpoint.addr;
            let peer = (address, meta.endpoint.port).into();
            let header = DatagramHeader::incoming(length as u16, payload.len() as u16, peer);
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
            }
            .into());
        }
        self.refresh(owner);
        Ok(Success::Received {
            bytes: at as u64,
            datagrams: count,
        })
    }
}
