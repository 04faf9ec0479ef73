// SPDX-License-Identifier: BSD-2-Clause

//! What the server knows of one client: its window, its quota, its table of sockets.

use alloc::vec::Vec;
use core::num::NonZeroU16;

use socket_proto::{Errno, Handle, PollBits, Protocol, ReadinessWriter, SocketKind, layouts};

use super::meter::Meter;
use crate::config::{ClientLimits, Destination};
use crate::ip::packet::Endpoint;
use crate::sockets::socket::{Listener, Role, Socket};
use crate::tables::id::{Id, Slot};
use crate::time::Instant;
use crate::transport::mail::{Inbox, Mail};
use crate::transport::tcp::Tcp;

/// How a client is connected to the server.
pub struct ClientPort<W> {
    /// Payload memory.
    pub window: W,
    /// The client's readiness region.
    pub ready: ReadinessWriter<'static>,
    /// What it may use.
    pub limits: ClientLimits,
}

/// An index of a client's table.
struct Entry {
    generation: NonZeroU16,
    /// What stands in the readiness page.
    published: PollBits,
    socket: Option<Socket>,
}

/// One client.
pub(crate) struct Account<W> {
    pub window: W,
    pub ready: ReadinessWriter<'static>,
    pub limits: ClientLimits,
    /// It may send datagrams everywhere: the list need not be looked through for each.
    anywhere: bool,
    pub attached: bool,
    entries: Vec<Entry>,
    free: Vec<u16>,
    /// Stream sockets, connections that wait for `accept` included.
    streams: usize,
    datagrams: usize,
    /// What its datagram sockets have received.
    pub mail: Mail,
    /// What its calls have cost.
    pub meter: Meter,
    /// When calls that were refused are worth trying again.
    pub refill: Option<Instant>,
    /// When it has asked to be notified.
    pub deadline: Option<Instant>,
    /// Something became ready since the last notification.
    pub notify: bool,
}

impl<W> Account<W> {
    /// A datagram socket of it may hold so many bytes.
    pub(crate) fn new(port: ClientPort<W>, datagram_receive: usize) -> Self {
        // What the region has no room for cannot be had, whatever the quotas say.
        let quota = port.limits.stream_sockets + port.limits.datagram_sockets;
        let count = quota.min(port.ready.sockets());
        let entry = || Entry {
            generation: NonZeroU16::MIN,
            published: PollBits::NONE,
            socket: None,
        };
        let mail = Mail::new(port.limits.datagram_memory, datagram_receive);
        Account {
            mail,
            window: port.window,
            ready: port.ready,
            anywhere: port
                .limits
                .udp_destinations
                .contains(&Destination::ANYWHERE),
            limits: port.limits,
            attached: false,
            entries: core::iter::repeat_with(entry).take(count).collect(),
            // Low indices first. A closed index goes to the end of the line only by generation,
            // which is enough.
            free: (0..count as u16).rev().collect(),
            streams: 0,
            datagrams: 0,
            meter: Meter::default(),
            refill: None,
            deadline: None,
            notify: false,
        }
    }

    /// All indices of its table.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<W> {
        (0..self.entries.len()).map(Slot::new)
    }

    /// Whether one more socket of this kind is within the quota.
    pub(crate) fn may_add(&self, kind: SocketKind) -> bool {
        match kind {
            SocketKind::Stream => self.streams < self.limits.stream_sockets,
            SocketKind::Datagram => self.datagrams < self.limits.datagram_sockets,
        }
    }

    /// Checks that its sockets of this protocol may send to an address.
    ///
    /// # Errors
    /// `EACCES`: they may not.
    #[inline]
    pub(crate) fn check_reach(&self, protocol: Protocol, to: Endpoint) -> Result<(), Errno> {
        let anywhere = self.anywhere && protocol == Protocol::Udp;
        match anywhere || self.limits.may_reach(protocol, to) {
            true => Ok(()),
            false => Err(Errno::EACCES),
        }
    }

    /// What it has and may have.
    pub(crate) fn state(&self) -> layouts::Account {
        layouts::Account {
            stream_sockets: self.streams as u32,
            stream_quota: self.limits.stream_sockets as u32,
            datagram_sockets: self.datagrams as u32,
            datagram_quota: self.limits.datagram_sockets as u32,
        }
    }

    /// A connection begins to wait for `accept`, or waits no longer and has got no socket.
    pub(crate) fn count_waiting(&mut self, begins: bool) {
        if begins {
            self.streams += 1;
        } else {
            self.streams -= 1;
        }
    }

    /// Takes an index for a new socket, which the quota has room for. A connection that has waited
    /// for `accept` has been counted.
    pub(crate) fn open(&mut self, socket: Socket) -> Option<(Slot, Handle)> {
        let index = self.free.pop()?;
        match socket.role {
            Role::Datagram(_) => self.datagrams += 1,
            // A connection was counted when it began to wait.
            Role::Connection(_) => {}
            Role::Idle | Role::Listening(_) => self.streams += 1,
        }
        let entry = &mut self.entries[usize::from(index)];
        entry.socket = Some(socket);
        entry.published = PollBits::NONE;
        Some((
            Slot::new(index.into()),
            Handle::new(index, entry.generation),
        ))
    }

    /// Gives an index back. From now on its handles are stale.
    pub(crate) fn release(&mut self, slot: Slot) -> Option<Socket> {
        let entry = &mut self.entries[slot.index()];
        let mut socket = entry.socket.take()?;
        match &mut socket.role {
            Role::Datagram(datagram) => {
                self.datagrams -= 1;
                self.mail.clear(&mut datagram.inbox);
            }
            _ => self.streams -= 1,
        }
        entry.generation = Handle::next_generation(entry.generation);
        entry.published = PollBits::NONE;
        // There was room for every index at the start.
        self.free.push(slot.index() as u16);
        self.ready.clear(slot.index());
        Some(socket)
    }

    /// The index that a handle names.
    pub(crate) fn resolve(&self, handle: Handle) -> Result<Slot, Errno> {
        match self.entries.get(handle.index()) {
            Some(entry) if entry.generation == handle.generation() && entry.socket.is_some() => {
                Ok(Slot::new(handle.index()))
            }
            _ => Err(Errno::EBADF),
        }
    }

    /// The socket at an index.
    pub(crate) fn socket(&self, slot: Slot) -> Option<&Socket> {
        self.entries.get(slot.index())?.socket.as_ref()
    }

    /// The socket at an index.
    ///
    /// # Errors
    /// `EBADF`: there is none.
    pub(crate) fn socket_mut(&mut self, slot: Slot) -> Result<&mut Socket, Errno> {
        let entry = self.entries.get_mut(slot.index());
        entry
            .and_then(|entry| entry.socket.as_mut())
            .ok_or(Errno::EBADF)
    }

    /// A datagram has come for a socket. Returns whether there was room for it.
    pub(crate) fn receive(&mut self, slot: Slot, from: Endpoint, payload: &[u8]) -> bool {
        self.mailbox(slot)
            .is_ok_and(|(inbox, mail, _)| mail.push(inbox, from, payload))
    }

    /// What is needed to read what a datagram socket has received.
    ///
    /// # Errors
    /// `EBADF`: there is no such socket.
    pub(crate) fn mailbox(&mut self, slot: Slot) -> Result<(&mut Inbox, &mut Mail, &mut W), Errno> {
        let entry = self.entries.get_mut(slot.index());
        match entry.and_then(|entry| entry.socket.as_mut()) {
            Some(Socket {
                role: Role::Datagram(datagram),
                ..
            }) => Ok((&mut datagram.inbox, &mut self.mail, &mut self.window)),
            _ => Err(Errno::EBADF),
        }
    }

    /// The listener at an index.
    pub(crate) fn listener_mut(&mut self, slot: Slot) -> Option<&mut Listener> {
        match &mut self.socket_mut(slot).ok()?.role {
            Role::Listening(listener) => Some(listener),
            _ => None,
        }
    }

    /// The handle of the socket at an index, now or when it had one last.
    pub(crate) fn handle(&self, slot: Slot) -> Handle {
        let generation = self.entries[slot.index()].generation;
        Handle::new(slot.index() as u16, generation)
    }

    /// Number of indices without a socket.
    #[cfg(feature = "audit")]
    pub(crate) fn free(&self) -> usize {
        self.free.len()
    }

    /// The bits that the page shows of a socket.
    pub(crate) fn published(&self, slot: Slot) -> PollBits {
        self.entries[slot.index()].published
    }

    /// Brings a socket's word in the page up to date. Returns whether something became ready.
    pub(crate) fn refresh(&mut self, slot: Slot, tcp: &mut Tcp) -> bool {
        let Some(entry) = self.entries.get_mut(slot.index()) else {
            return false;
        };
        let Some(socket) = &entry.socket else {
            return false;
        };
        let bits = socket.bits(tcp);
        if let Some(id) = socket.connection() {
            tcp.connections[id].published = Some(bits);
        }
        if bits == entry.published {
            return false;
        }
        let rising = !(bits & !entry.published).is_empty();
        entry.published = bits;
        let handle = Handle::new(slot.index() as u16, entry.generation);
        self.ready.set(handle, bits, rising);
        rising
    }
}
