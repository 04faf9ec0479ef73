// SPDX-License-Identifier: BSD-2-Clause

//! What the server knows of one client: its window, its quota, its table of sockets.

use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::num::NonZeroU16;

use smoltcp::time::Instant;
use socket_proto::{Errno, Handle, PollBits, ReadinessWriter, SocketKind};

use crate::accounts::meter::Meter;
use crate::accounts::ports::Local;
use crate::config::ClientLimits;
use crate::tables::list::List;

/// How a client is connected to the server.
pub struct ClientPort<W> {
    /// Payload memory.
    pub window: W,
    /// The client's readiness page.
    pub ready: ReadinessWriter<'static>,
    /// What it may use.
    pub limits: ClientLimits,
}

/// A stream socket that is not closed.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Where it is bound. The port is its own.
    pub local: Option<Local>,
    /// The server has chosen the port: it may choose another one next time.
    pub autobound: bool,
    /// What `getsockname` shows without a connection, if that is not `local`: where the last one
    /// was.
    pub name: Option<Local>,
    /// Why the last connection or attempt ended.
    pub error: Option<Errno>,
    /// Shut down while there was no connection, or with the one that is over. The next one takes
    /// it over.
    pub read_shut: bool,
    pub write_shut: bool,
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

impl Stream {
    /// A socket with this role.
    pub(crate) fn new(role: Role) -> Self {
        let phase = match role {
            Role::Connection(_) => Phase::Connected,
            Role::Idle | Role::Listening(_) => Phase::Unconnected,
        };
        Stream {
            local: None,
            autobound: false,
            name: None,
            error: None,
            read_shut: false,
            write_shut: false,
            phase,
            role,
        }
    }

    /// An attempt to connect has failed. `connect` will tell, unless somebody asks before.
    pub(crate) fn fail(&mut self, errno: Errno) {
        self.error = Some(errno);
        self.read_shut = true;
        self.write_shut = true;
        self.role = Role::Idle;
    }
}

/// What a stream socket does.
#[derive(Debug)]
pub(crate) enum Role {
    /// Nothing yet.
    Idle,
    /// It waits for connections.
    Listening(Listener),
    /// It has a connection of the pool, or is trying to get one.
    Connection(usize),
}

/// The state of a listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Most connections that may wait.
    pub backlog: usize,
    /// Those that do, oldest first.
    pub ready: List,
}

/// A datagram socket that is not closed.
#[derive(Debug)]
pub(crate) struct Datagram {
    /// Socket of the pool.
    pub index: usize,
    pub local: Option<Local>,
    /// The server has chosen the port.
    pub autobound: bool,
    pub remote: Option<(Ipv4Addr, u16)>,
    pub error: Option<Errno>,
    pub read_shut: bool,
    pub write_shut: bool,
    /// `send` has answered `EAGAIN` and there are still no transmit buffers.
    pub blocked: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Free,
    Stream(Stream),
    Datagram(Datagram),
}

/// An index of a client's table.
#[derive(Debug)]
pub(crate) struct Slot {
    pub generation: NonZeroU16,
    /// What stands in the readiness page.
    pub published: PollBits,
    pub kind: Kind,
}

/// One client.
pub(crate) struct Client<W> {
    pub window: W,
    pub ready: ReadinessWriter<'static>,
    pub limits: ClientLimits,
    pub attached: bool,
    pub slots: Vec<Slot>,
    free: Vec<u16>,
    /// Stream sockets, connections that wait for `accept` included.
    pub streams: usize,
    datagrams: usize,
    /// Connections that go on sending after their handle was closed, oldest first.
    pub closing: List,
    /// Those whose peers have got all bytes, oldest first.
    pub drained: List,
    /// What its calls have cost.
    pub meter: Meter,
    /// Until then it counts as one who wants the server's time; in nanoseconds.
    pub present_until: u64,
    /// When calls that were refused are worth trying again.
    pub refill: Option<Instant>,
    /// When it has asked to be notified.
    pub deadline: Option<Instant>,
    /// A datagram socket of it waits for transmit buffers.
    pub blocked: bool,
    /// Until then its share of the buffers is kept, because it has been told that there are some.
    pub invited: Instant,
    /// Something became ready since the last notification.
    pub notify: bool,
    /// The page has changed since its serial number was raised.
    pub changed: bool,
}

impl<W> Client<W> {
    pub(crate) fn new(port: ClientPort<W>) -> Self {
        let count = port.limits.stream_sockets + port.limits.datagram_sockets;
        let slot = || Slot {
            generation: NonZeroU16::MIN,
            published: PollBits::NONE,
            kind: Kind::Free,
        };
        Client {
            window: port.window,
            ready: port.ready,
            limits: port.limits,
            attached: false,
            slots: (0..count).map(|_| slot()).collect(),
            // Low indices first. A closed index goes to the end of the line only by generation,
            // which is enough.
            free: (0..count as u16).rev().collect(),
            streams: 0,
            datagrams: 0,
            closing: List::default(),
            drained: List::default(),
            meter: Meter::default(),
            present_until: 0,
            refill: None,
            deadline: None,
            blocked: false,
            invited: Instant::ZERO,
            notify: false,
            changed: false,
        }
    }

    /// Whether one more stream socket is within the quota.
    pub(crate) fn may_add_stream(&self) -> bool {
        self.streams < self.limits.stream_sockets
    }

    /// Whether one more datagram socket is within the quota.
    pub(crate) fn may_add_datagram(&self) -> bool {
        self.datagrams < self.limits.datagram_sockets
    }

    /// Takes an index for a new socket. Counting it against the quota is done here for datagram
    /// sockets, and for stream sockets where they come from, because those in a backlog count
    /// before they have an index.
    pub(crate) fn open(&mut self, kind: Kind) -> Option<(u16, Handle)> {
        let index = self.free.pop()?;
        if let Kind::Datagram(_) = kind {
            self.datagrams += 1;
        }
        let slot = &mut self.slots[usize::from(index)];
        slot.kind = kind;
        slot.published = PollBits::NONE;
        Some((index, Handle::new(index, slot.generation)))
    }

    /// Gives an index back. From now on its handles are stale.
    pub(crate) fn release(&mut self, index: usize) -> Kind {
        let slot = &mut self.slots[index];
        let kind = core::mem::replace(&mut slot.kind, Kind::Free);
        match kind {
            Kind::Free => return kind,
            Kind::Stream(_) => self.streams -= 1,
            Kind::Datagram(_) => self.datagrams -= 1,
        }
        slot.generation = Handle::next_generation(slot.generation);
        slot.published = PollBits::NONE;
        // There was room for every index at the start.
        self.free.push(index as u16);
        self.ready.clear(index);
        self.changed = true;
        kind
    }

    /// The index that a handle names.
    pub(crate) fn resolve(&self, handle: Handle) -> Result<usize, Errno> {
        match self.slots.get(handle.index()) {
            Some(slot)
                if slot.generation == handle.generation() && !matches!(slot.kind, Kind::Free) =>
            {
                Ok(handle.index())
            }
            _ => Err(Errno::EBADF),
        }
    }

    pub(crate) fn kind_of(&self, index: usize) -> Option<SocketKind> {
        match self.slots.get(index)?.kind {
            Kind::Free => None,
            Kind::Stream(_) => Some(SocketKind::Stream),
            Kind::Datagram(_) => Some(SocketKind::Datagram),
        }
    }

    pub(crate) fn stream_mut(&mut self, index: usize) -> Option<&mut Stream> {
        match &mut self.slots.get_mut(index)?.kind {
            Kind::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    pub(crate) fn listener_mut(&mut self, index: usize) -> Option<&mut Listener> {
        match &mut self.stream_mut(index)?.role {
            Role::Listening(listener) => Some(listener),
            _ => None,
        }
    }

    pub(crate) fn datagram_mut(&mut self, index: usize) -> Option<&mut Datagram> {
        match &mut self.slots.get_mut(index)?.kind {
            Kind::Datagram(datagram) => Some(datagram),
            _ => None,
        }
    }

    /// Writes a socket's state to the page. Answers whether something became ready.
    pub(crate) fn publish(&mut self, index: usize, bits: PollBits) -> bool {
        let slot = &mut self.slots[index];
        let rising = !(bits & !slot.published).is_empty();
        slot.published = bits;
        self.ready
            .set(Handle::new(index as u16, slot.generation), bits);
        self.changed = true;
        rising
    }
}
