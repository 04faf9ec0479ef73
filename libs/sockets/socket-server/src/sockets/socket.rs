// SPDX-License-Identifier: BSD-2-Clause

//! A socket of a client: what it is, and what its client can see of it.

use core::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use socket_proto::{Errno, Family, PollBits, Protocol, SocketKind, addr};

use super::options::Options;
use crate::accounts::ports::{Families, Local};
use crate::ip::address::Address;
use crate::ip::packet::{Endpoint, Tuple};
use crate::tables::id::ConnectionId;
use crate::tables::list::List;
use crate::transport::mail::Inbox;
use crate::transport::tcp::Tcp;

/// A socket that is not closed.
#[derive(Debug)]
pub(crate) struct Socket {
    /// How its client writes addresses.
    pub family: Family,
    /// Where it is bound. The port is its own.
    pub local: Option<Local>,
    /// The server has chosen the port: it may choose another one next time.
    pub autobound: bool,
    /// What has gone wrong. Of a stream: why the last connection or attempt ended.
    pub error: Option<Errno>,
    /// Of a stream: shut down while there was no connection, or with the one that is over. The next
    /// one takes it over.
    pub read_shut: bool,
    pub write_shut: bool,
    pub options: Options,
    /// Of a stream: what `getsockname` shows without a connection, if that is not where the socket
    /// is bound: where the last one was.
    pub name: Option<Local>,
    /// Of a stream.
    pub phase: Phase,
    pub role: Role,
}

/// How far `connect` has come, as Linux's `socket_state` says: it outlives the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// `connect` and `listen` are possible.
    Unconnected,
    /// An attempt has been started, and `connect` has not been told its end.
    Connecting,
    /// Connected, as the client has been told.
    Connected,
    /// Shut down after an attempt that had failed.
    Disconnecting,
}

/// What a socket does.
#[derive(Debug)]
pub(crate) enum Role {
    /// A stream that does nothing yet.
    Idle,
    /// A stream that waits for connections.
    Listening(Listener),
    /// A stream that has a connection, or is trying to get one.
    Connection(ConnectionId),
    /// It sends and receives datagrams.
    Datagram(Datagram),
}

/// The number of the interface in addresses that mean something on its link only: the first.
pub(crate) const SCOPE: u32 = 1;

/// An address as the header of a datagram shows it to a client of this family.
#[inline]
pub(crate) fn words(family: Family, end: Endpoint) -> [u64; 3] {
    let (address, port) = (end.0, u64::from(end.1) << 16);
    let [high, low] = address.words();
    if family == Family::Inet {
        return [u64::from(addr::AF_INET) | port, 0, low & 0xffff_ffff];
    }
    let scope = if address.is_link_local() { SCOPE } else { 0 };
    let head = u64::from(addr::AF_INET6) | port | u64::from(scope) << 32;
    [head, high, low]
}

/// An address as a client of this family is shown it.
pub(crate) fn show(family: Family, (address, port): Endpoint) -> SocketAddr {
    match (family, address.to_v4()) {
        (Family::Inet, Some(v4)) => SocketAddrV4::new(v4, port).into(),
        _ => {
            let scope = if address.is_link_local() { SCOPE } else { 0 };
            SocketAddrV6::new(address.to_v6(), port, 0, scope).into()
        }
    }
}

/// The state of a listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Most connections that may wait.
    pub backlog: usize,
    /// Those that do, oldest first.
    pub ready: List<ConnectionId>,
}

/// A datagram socket.
#[derive(Debug)]
pub(crate) struct Datagram {
    /// UDP, or ICMP of one family.
    pub protocol: Protocol,
    pub inbox: Inbox,
    /// The only peer that it hears.
    pub remote: Option<Endpoint>,
    /// Where it has sent from since it was connected, and hears what comes.
    pub source: Option<Address>,
    /// `send` has answered `EAGAIN` and there are still no transmit buffers.
    pub blocked: bool,
}

impl Datagram {
    pub(crate) fn new(protocol: Protocol) -> Self {
        Datagram {
            protocol,
            inbox: Inbox::default(),
            remote: None,
            source: None,
            blocked: false,
        }
    }

    /// Whether it hears a datagram that has come to its port: a connected socket hears its own peer
    /// only, and by the address that it sends from.
    pub(crate) fn hears(&self, tuple: Tuple) -> bool {
        self.remote.is_none_or(|remote| remote == tuple.remote)
            && self.source.is_none_or(|source| source == tuple.local.0)
    }
}

impl Socket {
    /// A new socket with this role.
    pub(crate) fn new(family: Family, role: Role) -> Self {
        let mut options = Options::default();
        // Nobody is asked, as Linux shows it.
        options.settings.keep_alive = !matches!(role, Role::Datagram(_));
        Socket {
            family,
            local: None,
            autobound: false,
            error: None,
            read_shut: false,
            write_shut: false,
            options,
            name: None,
            phase: match role {
                Role::Connection(_) => Phase::Connected,
                _ => Phase::Unconnected,
            },
            role,
        }
    }

    /// The families of the addresses that it may have.
    pub(crate) fn families(&self) -> Families {
        match self.family {
            Family::Inet => Families::V4,
            Family::Inet6 if self.options.only_v6 => Families::V6,
            Family::Inet6 if self.protocol() == Protocol::Icmpv6 => Families::V6,
            Family::Inet6 => Families::Both,
        }
    }

    /// An address as its client is shown it.
    pub(crate) fn show(&self, end: Endpoint) -> SocketAddr {
        show(self.family, end)
    }

    /// It has been bound; by the server's choice if `auto`.
    pub(crate) fn bind(&mut self, local: Local, auto: bool) {
        self.local = Some(local);
        self.autobound = auto;
        self.name = None;
    }

    /// Whether it hears what has come to a group at its port.
    pub(crate) fn is_at(&self, tuple: Tuple) -> bool {
        let Role::Datagram(datagram) = &self.role else {
            return false;
        };
        let at = |local: Local| {
            local.port == tuple.local.1 && local.address.is_none_or(|at| at == tuple.local.0)
        };
        datagram.protocol == Protocol::Udp && self.local.is_some_and(at) && datagram.hears(tuple)
    }

    /// Its connection, or the one that it is trying to get.
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match self.role {
            Role::Connection(id) => Some(id),
            _ => None,
        }
    }

    /// What the protocol calls it.
    pub(crate) fn kind(&self) -> SocketKind {
        match self.role {
            Role::Idle | Role::Listening(_) | Role::Connection(_) => SocketKind::Stream,
            Role::Datagram(_) => SocketKind::Datagram,
        }
    }

    /// What its packets carry.
    pub(crate) fn protocol(&self) -> Protocol {
        match &self.role {
            Role::Idle | Role::Listening(_) | Role::Connection(_) => Protocol::Tcp,
            Role::Datagram(datagram) => datagram.protocol,
        }
    }

    /// Its poll bits as they are now.
    pub(crate) fn bits(&self, tcp: &Tcp) -> PollBits {
        match &self.role {
            // As Linux shows a socket that is not connected.
            Role::Idle => (PollBits::OUT | PollBits::HUP)
                .with(PollBits::IN | PollBits::RDHUP, self.read_shut)
                .with(PollBits::ERR, self.error.is_some()),
            Role::Listening(listener) => {
                PollBits::NONE.with(PollBits::IN, !listener.ready.is_empty())
            }
            Role::Connection(id) => tcp.connections[*id].bits(),
            Role::Datagram(datagram) => {
                let readable = datagram.inbox.can_recv() || self.read_shut;
                PollBits::NONE
                    .with(PollBits::IN, readable)
                    .with(PollBits::OUT, !datagram.blocked)
                    .with(PollBits::ERR, self.error.is_some())
                    .with(PollBits::RDHUP, self.read_shut)
                    .with(PollBits::HUP, self.read_shut && self.write_shut)
            }
        }
    }
}
