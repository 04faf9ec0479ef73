// SPDX-License-Identifier: BSD-2-Clause

//! Operations that make, name and end sockets.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use socket_proto::{
    Errno, Family, Name, Opened, OptionValue, Protocol, SocketKind, SocketOption, op,
};

use crate::accounts::client::{Datagram, Kind, Listener, Phase, Role, Stream};
use crate::accounts::ports::{EPHEMERAL_FIRST, Local, SocketRef};
use crate::protocol::requests::client_in;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::tables::list::List;

/// Most connections that may wait at one listening socket, whatever the client asks for.
const BACKLOG_MAX: u64 = 1024;

impl<W: Window> Server<W> {
    /// `socket`.
    pub(crate) fn socket(&mut self, number: usize, asked: op::Socket) -> Result<Opened, Errno> {
        let (Family::Inet, kind) = (asked.family, asked.kind);
        match (kind, asked.protocol) {
            (_, Protocol::Usual)
            | (SocketKind::Stream, Protocol::Tcp)
            | (SocketKind::Datagram, Protocol::Udp) => {}
            _ => return Err(Errno::EPROTONOSUPPORT),
        }
        let client = client_in(&mut self.clients, number)?;
        let kind = match kind {
            SocketKind::Stream => {
                if !client.may_add_stream() {
                    return Err(Errno::EMFILE);
                }
                Kind::Stream(Stream::new(Role::Idle))
            }
            SocketKind::Datagram => {
                if !client.may_add_datagram() {
                    return Err(Errno::EMFILE);
                }
                let index = self.udp.take().ok_or(Errno::ENFILE)?;
                Kind::Datagram(Datagram {
                    index,
                    local: None,
                    autobound: false,
                    remote: None,
                    error: None,
                    read_shut: false,
                    write_shut: false,
                    blocked: false,
                })
            }
        };
        let stream = matches!(kind, Kind::Stream(_));
        // The quotas add up to the table's size.
        let (slot, handle) = client.open(kind).ok_or(Errno::EMFILE)?;
        client.streams += usize::from(stream);
        self.refresh(SocketRef {
            client: number as u8,
            slot,
        });
        Ok(Opened { socket: handle })
    }

    /// `bind`.
    pub(crate) fn bind(&mut self, owner: SocketRef, addr: SocketAddr) -> Result<(), Errno> {
        let SocketAddr::V4(addr) = addr else {
            return Err(Errno::EAFNOSUPPORT);
        };
        let address = match *addr.ip() {
            any if any.is_unspecified() => None,
            own if own == self.stack.address() => Some(own),
            _ => return Err(Errno::EADDRNOTAVAIL),
        };
        let client = self.client_mut(owner.client.into())?;
        let slot = usize::from(owner.slot);
        let (kind, fresh) = match &client.slots[slot].kind {
            Kind::Stream(stream) => {
                let idle = matches!(stream.role, Role::Idle);
                (SocketKind::Stream, stream.local.is_none() && idle)
            }
            Kind::Datagram(datagram) => (SocketKind::Datagram, datagram.local.is_none()),
            Kind::Free => return Err(Errno::EBADF),
        };
        if !fresh {
            return Err(Errno::EINVAL);
        }
        let port = addr.port();
        if port == 0 {
            self.bind_ephemeral(owner, address, None)?;
        } else {
            if !client.limits.may_bind(kind, port) {
                return Err(Errno::EACCES);
            }
            self.ports
                .bind(kind, port, owner)
                .map_err(|_| Errno::EADDRINUSE)?;
            let local = Some(Local { address, port });
            match &mut self.client_mut(owner.client.into())?.slots[slot].kind {
                Kind::Stream(stream) => {
                    stream.local = local;
                    stream.name = None;
                }
                Kind::Datagram(datagram) => datagram.local = local,
                Kind::Free => {}
            }
        }
        Ok(())
    }

    /// `listen`.
    pub(crate) fn listen(&mut self, owner: SocketRef, backlog: u64) -> Result<(), Errno> {
        let backlog = backlog.clamp(1, BACKLOG_MAX) as usize;
        let client = self.client_mut(owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        match (&mut stream.role, stream.phase) {
            (Role::Listening(listener), _) => {
                listener.backlog = backlog;
                return Ok(());
            }
            (Role::Idle, Phase::Unconnected) => {}
            _ => return Err(Errno::EINVAL),
        }
        // A port of the server's choice counts too: what a client may offer to the network stands
        // in the configuration.
        let local = stream.local;
        match local {
            Some(local) if client.limits.may_bind(SocketKind::Stream, local.port) => {}
            Some(_) => return Err(Errno::EACCES),
            None => self.bind_to_listen(owner)?,
        }
        if let Some(stream) = self
            .client_mut(owner.client.into())?
            .stream_mut(owner.slot.into())
        {
            stream.name = None;
            stream.role = Role::Listening(Listener {
                backlog,
                ready: List::default(),
            });
        }
        self.refresh(owner);
        Ok(())
    }

    /// Gives a socket that shall listen a port of the server's choice, among those that the client
    /// may listen on.
    fn bind_to_listen(&mut self, owner: SocketRef) -> Result<(), Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let limits = &client.limits;
        if !limits
            .bindable(SocketKind::Stream)
            .iter()
            .any(|range| range.last >= EPHEMERAL_FIRST)
        {
            return Err(Errno::EACCES);
        }
        let usable = |port| limits.may_bind(SocketKind::Stream, port);
        let port = self
            .ports
            .bind_ephemeral(SocketKind::Stream, owner, None, usable)
            .ok_or(Errno::EADDRINUSE)?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        let address = None;
        stream.local = Some(Local { address, port });
        stream.autobound = true;
        Ok(())
    }

    /// Takes back a port that the server has chosen for a socket which has no use for it any more.
    pub(crate) fn release_chosen_port(&mut self, owner: SocketRef) {
        let Ok(client) = client_in(&mut self.clients, owner.client.into()) else {
            return;
        };
        let (kind, local) = match &mut client.slots[usize::from(owner.slot)].kind {
            Kind::Stream(stream) if stream.autobound => {
                stream.autobound = false;
                (SocketKind::Stream, stream.local.take())
            }
            Kind::Datagram(datagram) if datagram.autobound => {
                datagram.autobound = false;
                (SocketKind::Datagram, datagram.local.take())
            }
            _ => return,
        };
        if let Some(local) = local {
            self.ports.release(kind, local.port, owner);
        }
    }

    /// `close`; of `attach` with `abort`. An index without a socket is left alone.
    pub(crate) fn close(&mut self, owner: SocketRef, abort: bool) {
        let number = usize::from(owner.client);
        let Some(Some(client)) = self.clients.get_mut(number) else {
            return;
        };
        match client.release(owner.slot.into()) {
            Kind::Free => {}
            Kind::Datagram(datagram) => {
                if let Some(local) = datagram.local {
                    self.ports.release(SocketKind::Datagram, local.port, owner);
                }
                self.udp.put_back(datagram.index);
            }
            Kind::Stream(stream) => {
                if let Some(local) = stream.local {
                    self.ports.release(SocketKind::Stream, local.port, owner);
                }
                match stream.role {
                    Role::Idle => {}
                    Role::Connection(index) => self.abandon(index, number, abort),
                    Role::Listening(listener) => self.stop_listening(owner, listener),
                }
            }
        }
    }

    /// `connect` with `AF_UNSPEC`: the socket hears everyone again.
    pub(crate) fn dissolve_datagram(&mut self, owner: SocketRef) -> Result<(), Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let datagram = client.datagram_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        datagram.remote = None;
        self.release_chosen_port(owner);
        self.refresh(owner);
        Ok(())
    }

    /// Nobody will accept what still waits: it is reset.
    pub(crate) fn stop_listening(&mut self, owner: SocketRef, mut listener: Listener) {
        let client = usize::from(owner.client);
        while let Some(index) = listener.ready.pop_front(&mut self.tcp.links) {
            self.unqueue(index, client);
        }
    }

    fn unqueue(&mut self, index: usize, client: usize) {
        if let Some(client) = &mut self.clients[client] {
            client.streams -= 1;
        }
        self.abandon(index, client, true);
    }

    /// `getsockname`.
    pub(crate) fn sock_name(&mut self, owner: SocketRef) -> Result<Name, Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let (local, connection) = match &client.slots[usize::from(owner.slot)].kind {
            Kind::Stream(stream) => {
                let local = stream.name.or(stream.local);
                match stream.role {
                    Role::Connection(index) => (local, Some(index)),
                    _ => (local, None),
                }
            }
            Kind::Datagram(datagram) => {
                // Linux shows the address that a connected socket sends from.
                let connected = datagram.remote.map(|_| self.stack.address());
                let address = datagram.local.and_then(|local| local.address);
                let port = datagram.local.map_or(0, |local| local.port);
                return Ok(Name {
                    address: name(address.or(connected), port),
                });
            }
            Kind::Free => return Err(Errno::EBADF),
        };
        if let Some(index) = connection
            && let Some(tuple) = self.tcp.get(index).tuple
        {
            return Ok(Name {
                address: tuple.local.into(),
            });
        }
        let port = local.map_or(0, |local| local.port);
        let address = local.and_then(|local| local.address);
        Ok(Name {
            address: name(address, port),
        })
    }

    /// `getpeername`.
    pub(crate) fn peer_name(&mut self, owner: SocketRef) -> Result<Name, Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let peer = match &client.slots[usize::from(owner.slot)].kind {
            Kind::Stream(stream) => match stream.role {
                Role::Connection(index) => {
                    let connection = self.tcp.get(index);
                    let open = !connection.connecting && !connection.is_closed();
                    connection.tuple.filter(|_| open).map(|tuple| tuple.remote)
                }
                _ => None,
            },
            Kind::Datagram(datagram) => datagram.remote,
            Kind::Free => return Err(Errno::EBADF),
        };
        let peer = peer.ok_or(Errno::ENOTCONN)?;
        Ok(Name {
            address: peer.into(),
        })
    }

    /// `getsockopt`.
    pub(crate) fn get_option(
        &mut self,
        owner: SocketRef,
        option: SocketOption,
    ) -> Result<OptionValue, Errno> {
        let client = self.client_mut(owner.client.into())?;
        let slot = usize::from(owner.slot);
        let kind = client.kind_of(slot).ok_or(Errno::EBADF)?;
        let value = match option {
            SocketOption::Type => kind.raw(),
            SocketOption::Error => {
                let error = match &mut client.slots[slot].kind {
                    Kind::Stream(stream) => match stream.role {
                        Role::Connection(index) => self.tcp.get_mut(index).error.take(),
                        _ => stream.error.take(),
                    },
                    Kind::Datagram(datagram) => datagram.error.take(),
                    Kind::Free => None,
                };
                self.refresh(owner);
                error.map_or(0, |errno| errno.raw().into())
            }
        };
        Ok(OptionValue { value, second: 0 })
    }
}

fn name(address: Option<Ipv4Addr>, port: u16) -> SocketAddr {
    SocketAddrV4::new(address.unwrap_or(Ipv4Addr::UNSPECIFIED), port).into()
}
