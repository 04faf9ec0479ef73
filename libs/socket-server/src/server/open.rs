// SPDX-License-Identifier: BSD-2-Clause

//! How connections begin: a peer's SYN to a listening socket, a client's `connect`.

use core::net::{Ipv4Addr, SocketAddr};

use smoltcp::socket::tcp::State;
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint};
use socket_proto::{Errno, Reply, SocketKind, Success};

use super::Server;
use super::requests::client_in;
use crate::client::{Phase, Role};
use crate::frame::Tuple;
use crate::link::TxQueue;
use crate::ports::{Local, SocketRef};
use crate::tcp::Owner;
use crate::window::Window;

impl<W: Window> Server<W> {
    /// A SYN for a connection that does not exist yet.
    pub(super) fn request_to_open<T: TxQueue>(&mut self, frame: &[u8], tuple: Tuple, tx: &mut T) {
        let (address, port) = tuple.local;
        let Some((listener, room)) = self.listener_for(address, port) else {
            self.counters.drops_no_socket += 1;
            self.give_nobody(frame, tx);
            return;
        };
        let pending = Owner::Pending {
            listener,
            queued: false,
        };
        let taken = room.then(|| self.take_connection(pending)).flatten();
        let Some(index) = taken else {
            // No answer: the peer asks again, and by then `accept` may have made room.
            self.counters.drops_backlog += 1;
            return;
        };
        let connection = self.tcp.get_mut(index);
        let endpoint = IpListenEndpoint {
            addr: Some(IpAddress::Ipv4(address)),
            port,
        };
        let listening = connection.socket_mut().listen(endpoint).is_ok();
        let set = Some(&mut connection.set);
        let sent = self.stack.ingress(frame, tx, set, &mut self.counters);
        connection.reached |= sent.packets > 0;
        let accepted = connection.socket().state() == State::SynReceived;
        // A wrong checksum, say: smoltcp knows better than a glance at the header.
        if !listening || !accepted || self.tuples.insert(tuple, index as u32).is_err() {
            self.counters.drops_malformed += 1;
            self.tcp.put_back(index);
            return;
        }
        connection.tuple = Some(tuple);
        connection.seen = State::SynReceived;
        if let Some(client) = &mut self.clients[usize::from(listener.client)] {
            client.streams += 1;
            if let Some(listening) = client.listener_mut(usize::from(listener.slot)) {
                listening.pending += 1;
            }
        }
        self.dirty.push(index);
    }

    /// Who listens there, and whether one more connection may wait.
    fn listener_for(&mut self, address: Ipv4Addr, port: u16) -> Option<(SocketRef, bool)> {
        let owner = self.ports.get(SocketKind::Stream, port)?;
        let client = self.clients.get_mut(usize::from(owner.client))?.as_mut()?;
        let within_quota = client.may_add_stream();
        let stream = client.stream_mut(usize::from(owner.slot))?;
        let addressed = stream.local?.address.is_none_or(|bound| bound == address);
        match &stream.role {
            Role::Listening(listener) if addressed => {
                Some((owner, within_quota && listener.pending < listener.backlog))
            }
            _ => None,
        }
    }

    /// `connect` on a stream socket.
    pub(super) fn connect_stream(&mut self, owner: SocketRef, to: SocketAddr) -> Reply {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        match (stream.phase, &stream.role) {
            (Phase::Unconnected, Role::Idle) => {}
            (Phase::Unconnected | Phase::Connected, _) => return Err(Errno::EISCONN.into()),
            (Phase::Disconnecting, _) => return Err(Errno::EINVAL.into()),
            (Phase::Connecting, _) => return self.connect_again(owner),
        }
        let remote = self.destination(to)?;
        let client = client_in(&mut self.clients, owner.client.into())?;
        let permitted = client.limits.may_reach(remote.0, remote.1);
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        if !permitted {
            return Err(Errno::EACCES.into());
        }
        let local = stream.local;
        if !self.stack.can_reach(remote.0) {
            return Err(Errno::ENETUNREACH.into());
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
        if let Some(old) = self.tuples.get(&tuple) {
            if self.tcp.get(old as usize).owner != Owner::TimeWait {
                return Err(Errno::EADDRNOTAVAIL.into());
            }
            self.retire(old as usize);
        }
        self.start_attempt(owner, tuple)?;
        Err(Errno::EINPROGRESS.into())
    }

    /// `connect` on a socket that has started an attempt before: tells its end, once.
    fn connect_again(&mut self, owner: SocketRef) -> Reply {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        let error = match stream.role {
            Role::Connection(index) => {
                let connection = self.tcp.get_mut(index);
                if connection.connecting {
                    return Err(Errno::EALREADY.into());
                }
                if !connection.is_closed() {
                    stream.phase = Phase::Connected;
                    return Ok(Success::Done);
                }
                connection.error.take()
            }
            _ => stream.error.take(),
        };
        self.dissolve_stream(owner)?;
        Err(error.unwrap_or(Errno::ECONNABORTED).into())
    }

    fn start_attempt(&mut self, owner: SocketRef, tuple: Tuple) -> Result<(), Errno> {
        let index = self
            .take_connection(Owner::Client(owner))
            .ok_or(Errno::ENFILE)?;
        let connection = self.tcp.get_mut(index);
        let remote = IpEndpoint::new(IpAddress::Ipv4(tuple.remote.0), tuple.remote.1);
        let local = IpListenEndpoint {
            addr: Some(IpAddress::Ipv4(tuple.local.0)),
            port: tuple.local.1,
        };
        let context = self.stack.context();
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
    pub(super) fn destination(&self, to: SocketAddr) -> Result<(Ipv4Addr, u16), Errno> {
        match to {
            SocketAddr::V4(to) if to.port() != 0 => Ok((*to.ip(), to.port())),
            SocketAddr::V4(_) => Err(Errno::EINVAL),
            SocketAddr::V6(_) => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// Gives a socket an ephemeral port. One to `remote` must not be in use by a connection that is still closing.
    pub(super) fn bind_ephemeral(
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
        let tuples = &self.tuples;
        let usable = |port| {
            remote.is_none_or(|remote| {
                let local = (own, port);
                tuples.get(&Tuple { local, remote }).is_none()
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
    pub(super) fn accept(&mut self, owner: SocketRef) -> Reply {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let Some(listener) = client.listener_mut(owner.slot.into()) else {
            return Err(Errno::EINVAL.into());
        };
        let Some(index) = listener.ready.front() else {
            return Err(Errno::EAGAIN.into());
        };
        let Some(tuple) = self.tcp.get(index).tuple else {
            return Err(Errno::EAGAIN.into());
        };
        let stream = crate::client::Stream::new(Role::Connection(index));
        // It was counted when it came into the backlog, so there is an index.
        let Some((slot, handle)) = client.open(crate::client::Kind::Stream(stream)) else {
            return Err(Errno::EMFILE.into());
        };
        if let Some(listener) = client.listener_mut(owner.slot.into()) {
            listener.ready.remove(&mut self.tcp.links, index);
            listener.pending -= 1;
        }
        let accepted = SocketRef {
            client: owner.client,
            slot,
        };
        self.tcp.get_mut(index).owner = Owner::Client(accepted);
        self.counters.tcp_accepted += 1;
        self.refresh(owner);
        self.refresh(accepted);
        Ok(Success::Accepted {
            socket: handle,
            peer: tuple.remote.into(),
        })
    }
}
