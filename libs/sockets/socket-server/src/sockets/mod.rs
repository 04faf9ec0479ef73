// SPDX-License-Identifier: BSD-2-Clause

//! The operations on sockets. A call finds its client once; from there on it works with that
//! client's account and the layers below, and cannot reach another client's.

mod datagrams;
mod groups;
mod messages;
mod naming;
pub mod options;
mod query;
pub mod socket;
mod streams;

use core::net::SocketAddr;

use socket_proto::{Errno, Family, Opened, PollBits, Protocol, Ready, SocketKind, op};

use crate::accounts::account::Account;
use crate::accounts::ports::{Families, Local, Ports};
use crate::accounts::schedule::Schedule;
use crate::counters::Counter;
use crate::ip::Network;
use crate::ip::address::Address;
use crate::ip::packet::{Endpoint, Tuple};
use crate::tables::id::{ClientId, Slot, SocketId};
use crate::time::{earliest, instant};
use crate::transport::tcp::Tcp;
use socket::{Datagram, Role, SCOPE, Socket};

/// One client's call, or the end of its sockets.
pub(crate) struct Call<'a, W> {
    pub client: ClientId,
    pub account: &'a mut Account<W>,
    pub schedule: &'a mut Schedule,
    pub ports: &'a mut Ports,
    pub tcp: &'a mut Tcp,
    pub net: &'a mut Network,
    /// Longest datagram that a client may send, in bytes of payload.
    pub datagram_send: usize,
}

impl<W> Call<'_, W> {
    pub(crate) fn id(&self, slot: Slot) -> SocketId {
        SocketId {
            client: self.client,
            slot,
        }
    }

    /// Brings a socket's word in the page up to date. The client is in the call, and looks at its
    /// page before it sleeps.
    fn refresh(&mut self, slot: Slot) {
        self.account.refresh(slot, self.tcp);
    }

    /// `socket`.
    pub(crate) fn socket(&mut self, asked: op::Socket) -> Result<Opened, Errno> {
        let (family, kind) = (asked.family, asked.kind);
        let protocol = match (kind, family, asked.protocol) {
            (SocketKind::Stream, _, Protocol::Usual | Protocol::Tcp) => Protocol::Tcp,
            (SocketKind::Datagram, _, Protocol::Usual | Protocol::Udp) => Protocol::Udp,
            (SocketKind::Datagram, Family::Inet, Protocol::Icmp)
            | (SocketKind::Datagram, Family::Inet6, Protocol::Icmpv6) => asked.protocol,
            _ => return Err(Errno::EPROTONOSUPPORT),
        };
        let echoes = matches!(protocol, Protocol::Icmp | Protocol::Icmpv6);
        if echoes && !self.account.limits.icmp {
            return Err(Errno::EACCES);
        }
        if !self.account.may_add(kind) {
            return Err(Errno::EMFILE);
        }
        let socket = match kind {
            SocketKind::Stream => Socket::new(family, Role::Idle),
            SocketKind::Datagram => Socket::new(family, Role::Datagram(Datagram::new(protocol))),
        };
        // The quotas add up to the table's size.
        let (slot, handle) = self.account.open(socket).ok_or(Errno::EMFILE)?;
        self.net.stats.add(
            Counter::DatagramSockets,
            u64::from(kind == SocketKind::Datagram),
        );
        self.refresh(slot);
        Ok(Opened { socket: handle })
    }

    /// `close`; for a client that is gone with `abort`. An index without a socket is left alone.
    pub(crate) fn close(&mut self, slot: Slot, abort: bool) {
        let Some(socket) = self.account.release(slot) else {
            return;
        };
        if let Some(local) = socket.local {
            self.ports.release(socket.protocol(), local, self.id(slot));
        }
        self.net.leave_all(self.id(slot));
        self.leave(socket.role, abort || socket.options.linger == Some(0));
    }

    /// A socket gives up its role. What still waits for `accept` is reset.
    fn leave(&mut self, role: Role, abort: bool) {
        match role {
            Role::Idle => {}
            Role::Datagram(_) => {
                let sockets = self.net.stats.count(Counter::DatagramSockets);
                sockets.set(sockets.get() - 1);
            }
            Role::Connection(id) => self.tcp.abandon(id, self.client, abort, self.net),
            Role::Listening(mut listener) => {
                while let Some(id) = listener.ready.pop_front(&mut self.tcp.links) {
                    self.account.count_waiting(false);
                    self.tcp.abandon(id, self.client, true, self.net);
                }
            }
        }
    }

    /// Takes back everything that the client has: its connections are reset, those in its backlogs
    /// too.
    pub(crate) fn close_all(&mut self) {
        for slot in self.account.slots() {
            self.close(slot, true);
        }
        self.account.deadline = None;
        self.account.refill = None;
    }

    /// `poll`: the state of a socket, and a notification at a deadline in nanoseconds.
    pub(crate) fn poll(&mut self, asked: op::Poll) -> Result<Ready, Errno> {
        let op::Poll { socket, deadline } = asked;
        let bits = match socket {
            Some(socket) => self.account.published(self.account.resolve(socket)?),
            None => PollBits::NONE,
        };
        if deadline != 0 {
            // Rounded up, so that it has passed when the notification comes.
            let at = instant(deadline.saturating_add(999));
            if at <= self.net.now() {
                self.account.notify = true;
            } else {
                self.account.deadline = earliest(&[self.account.deadline, Some(at)]);
            }
        }
        Ok(Ready { bits })
    }

    /// The attempt of a stream socket to connect has failed. `connect` will tell, unless somebody
    /// asks before.
    pub(crate) fn attempt_failed(&mut self, slot: Slot, errno: Errno) {
        if let Ok(socket) = self.account.socket_mut(slot) {
            socket.error = Some(errno);
            socket.read_shut = true;
            socket.write_shut = true;
            if let Some(id) = socket.connection() {
                socket.role = Role::Idle;
                self.tcp.release(id, self.net);
            }
        }
        self.release_chosen_port(slot);
    }

    /// Gives a socket an ephemeral port. One to `remote` must not be in use by a connection that is
    /// still closing.
    fn bind_ephemeral(
        &mut self,
        slot: Slot,
        address: Option<Address>,
        families: Families,
        remote: Option<Endpoint>,
    ) -> Result<Local, Errno> {
        let id = self.id(slot);
        let socket = self.account.socket_mut(slot)?;
        let (tcp, net) = (&*self.tcp, &*self.net);
        let usable = |port| {
            remote.is_none_or(|remote| {
                let local = (address.unwrap_or(net.source_for(remote.0)), port);
                // Nor shall a socket meet itself.
                local != remote && !tcp.is_taken(&Tuple { local, remote })
            })
        };
        let place = Local {
            address,
            families,
            port: 0,
        };
        let local = self
            .ports
            .bind_ephemeral(socket.protocol(), id, place, remote, usable)
            .ok_or(Errno::EADDRNOTAVAIL)?;
        socket.bind(local, true);
        Ok(local)
    }

    /// Takes back a port that the server has chosen for a socket which has no use for it any more.
    fn release_chosen_port(&mut self, slot: Slot) {
        let id = self.id(slot);
        if let Ok(socket) = self.account.socket_mut(slot)
            && core::mem::take(&mut socket.autobound)
            && let Some(local) = socket.local.take()
        {
            self.ports.release(socket.protocol(), local, id);
        }
    }
}

/// Where an address leads from a socket, which may be bound. As on Linux the unspecified address
/// means this machine.
fn destination(socket: &Socket, to: &SocketAddr) -> Result<Endpoint, Errno> {
    let (datagram, protocol) = (socket.kind() == SocketKind::Datagram, socket.protocol());
    let only_v6 = socket.options.only_v6;
    let to = match (socket.family, to) {
        (Family::Inet, SocketAddr::V6(_)) => return Err(Errno::EAFNOSUPPORT),
        // It is shorter than an address of IPv6.
        (Family::Inet6, SocketAddr::V4(_)) if !datagram => return Err(Errno::EINVAL),
        (_, SocketAddr::V4(v4)) => (Address::v4(*v4.ip()), v4.port()),
        (_, SocketAddr::V6(v6)) => {
            let address = Address::v6(*v6.ip());
            let bound = socket.local.and_then(|local| local.address);
            if address.is_link_local() && !bound.is_some_and(Address::is_link_local) {
                match v6.scope_id() {
                    SCOPE => {}
                    0 => return Err(Errno::EINVAL),
                    _ => return Err(Errno::ENETUNREACH),
                }
            }
            (address, v6.port())
        }
    };
    if only_v6 && to.0.is_v4() {
        return Err(Errno::ENETUNREACH);
    }
    let possible = match protocol {
        Protocol::Icmp => true,
        Protocol::Icmpv6 => !to.0.is_v4(),
        _ => to.1 != 0,
    };
    if !possible {
        return Err(Errno::EINVAL);
    }
    if !to.0.is_unspecified() {
        return Ok(to);
    }
    let own = socket.local.and_then(|local| local.address);
    let usual = match to.0.is_v4() {
        true => Address::LOCALHOST4,
        false => Address::LOCALHOST6,
    };
    Ok((own.unwrap_or(usual), to.1))
}
