// SPDX-License-Identifier: BSD-2-Clause

//! Operations that name sockets, and ask for their names.

use core::net::SocketAddr;

use socket_proto::{Errno, Family, Name, Protocol};

use super::Call;
use super::socket::{Listener, Phase, Role, SCOPE, Socket};
use crate::accounts::ports::{EPHEMERAL_FIRST, Families, Local};
use crate::ip::Network;
use crate::ip::address::Address;
use crate::tables::id::Slot;
use crate::tables::list::List;

/// What a client wants to bind a socket to: one of this machine's addresses, or any of some
/// families.
fn place(
    socket: &Socket,
    addr: SocketAddr,
    net: &Network,
) -> Result<(Option<Address>, Families), Errno> {
    let address = match (socket.family, addr) {
        (Family::Inet, SocketAddr::V4(v4)) => Address::v4(*v4.ip()),
        (Family::Inet, SocketAddr::V6(_)) => return Err(Errno::EAFNOSUPPORT),
        // It is shorter than an address of IPv6.
        (Family::Inet6, SocketAddr::V4(_)) => return Err(Errno::EINVAL),
        (Family::Inet6, SocketAddr::V6(v6)) => {
            let address = Address::v6(*v6.ip());
            if address.is_v4() && socket.options.only_v6 {
                return Err(Errno::EINVAL);
            }
            match v6.scope_id() {
                0 if address.is_link_local() => return Err(Errno::EINVAL),
                0 | SCOPE => {}
                _ if address.is_link_local() => return Err(Errno::ENODEV),
                _ => {}
            }
            address
        }
    };
    match address {
        Address::ANY4 => Ok((None, Families::V4)),
        Address::ANY6 => Ok((None, socket.families())),
        own if net.is_own(own) => Ok((Some(own), socket.families())),
        group if group.is_multicast() && socket.protocol() == Protocol::Udp => {
            Ok((Some(group), socket.families()))
        }
        _ => Err(Errno::EADDRNOTAVAIL),
    }
}

/// Most connections that may wait at one listening socket, whatever the client asks for.
const BACKLOG_MAX: u64 = 1024;

impl<W> Call<'_, W> {
    /// `bind`.
    pub(crate) fn bind(&mut self, slot: Slot, addr: SocketAddr) -> Result<(), Errno> {
        let (id, port) = (self.id(slot), addr.port());
        let socket = self.account.socket_mut(slot)?;
        let (address, families) = place(socket, addr, self.net)?;
        let idle = matches!(socket.role, Role::Idle | Role::Datagram(_));
        if socket.local.is_some() || !idle {
            return Err(Errno::EINVAL);
        }
        if port == 0 {
            self.bind_ephemeral(slot, address, families, None)?;
            return Ok(());
        }
        let protocol = socket.protocol();
        let local = Local {
            address,
            families,
            port,
        };
        if !self.account.limits.may_bind(protocol, port) {
            return Err(Errno::EACCES);
        }
        if address.is_some_and(Address::is_multicast) && !self.account.limits.multicast {
            return Err(Errno::EACCES);
        }
        let shares = protocol == Protocol::Udp && self.account.socket_mut(slot)?.options.reuses();
        let bound = match shares {
            true => self.ports.share(local, id),
            false => self.ports.bind(protocol, local, id),
        };
        bound.map_err(|_| Errno::EADDRINUSE)?;
        self.account.socket_mut(slot)?.bind(local, false);
        Ok(())
    }

    /// `listen`.
    pub(crate) fn listen(&mut self, slot: Slot, backlog: u64) -> Result<(), Errno> {
        let backlog = backlog.clamp(1, BACKLOG_MAX) as usize;
        let socket = self.account.socket_mut(slot)?;
        match (&mut socket.role, socket.phase) {
            (Role::Listening(listener), _) => {
                listener.backlog = backlog;
                return Ok(());
            }
            (Role::Idle, Phase::Unconnected) => {}
            _ => return Err(Errno::EINVAL),
        }
        let local = socket.local;
        // A port of the server's choice counts too: what a client may offer to the network stands
        // in the configuration.
        let limits = &self.account.limits;
        match local {
            Some(local) if limits.may_bind(Protocol::Tcp, local.port) => {}
            Some(_) => return Err(Errno::EACCES),
            None => self.bind_to_listen(slot)?,
        }
        let socket = self.account.socket_mut(slot)?;
        socket.name = None;
        socket.role = Role::Listening(Listener {
            backlog,
            ready: List::default(),
        });
        self.refresh(slot);
        Ok(())
    }

    /// Gives a socket that shall listen a port of the server's choice, among those that the client
    /// may listen on.
    fn bind_to_listen(&mut self, slot: Slot) -> Result<(), Errno> {
        let (protocol, id) = (Protocol::Tcp, self.id(slot));
        let limits = &self.account.limits;
        let mut ranges = limits.bindable(protocol).iter();
        if !ranges.any(|range| range.last() >= EPHEMERAL_FIRST) {
            return Err(Errno::EACCES);
        }
        let usable = |port| limits.may_bind(protocol, port);
        let place = Local {
            address: None,
            families: self.account.socket(slot).ok_or(Errno::EBADF)?.families(),
            port: 0,
        };
        let bound = self.ports.bind_ephemeral(protocol, id, place, None, usable);
        let local = bound.ok_or(Errno::EADDRINUSE)?;
        self.account.socket_mut(slot)?.bind(local, true);
        Ok(())
    }

    /// `getsockname`.
    pub(crate) fn sock_name(&self, slot: Slot) -> Result<Name, Errno> {
        let socket = self.account.socket(slot).ok_or(Errno::EBADF)?;
        let tuple = socket
            .connection()
            .and_then(|id| self.tcp.connections[id].tuple);
        if let Some(tuple) = tuple {
            let address = socket.show(tuple.local);
            return Ok(Name { address });
        }
        let local = socket.name.or(socket.local);
        // Linux shows the address that a connected socket sends from.
        let address = match &socket.role {
            Role::Datagram(datagram) => datagram.source,
            _ => None,
        };
        let address = local.and_then(|local| local.address).or(address);
        let nowhere = match socket.family {
            Family::Inet => Address::ANY4,
            Family::Inet6 => Address::ANY6,
        };
        let address = address.unwrap_or(local.map_or(nowhere, Local::shown));
        let port = local.map_or(0, |local| local.port);
        let address = socket.show((address, port));
        Ok(Name { address })
    }

    /// `getpeername`.
    pub(crate) fn peer_name(&self, slot: Slot) -> Result<Name, Errno> {
        let socket = self.account.socket(slot).ok_or(Errno::EBADF)?;
        let peer = match &socket.role {
            Role::Idle | Role::Listening(_) => None,
            Role::Connection(id) => {
                let connection = &self.tcp.connections[*id];
                let open = !connection.is_connecting() && !connection.is_closed();
                connection.tuple.filter(|_| open).map(|tuple| tuple.remote)
            }
            // Without a port it is none, as on Linux.
            Role::Datagram(datagram) => datagram.remote.filter(|remote| remote.1 != 0),
        };
        let address = socket.show(peer.ok_or(Errno::ENOTCONN)?);
        Ok(Name { address })
    }
}
