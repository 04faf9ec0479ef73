// SPDX-License-Identifier: BSD-2-Clause
//! Reading a table.

use core::fmt;

use zerocopy::little_endian::U16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::layout::{
    CALL, CALLED, CHANNELS, CHILD, CLIENT, DEVICE, INTERRUPT, MAGIC, NOBODY, NOTIFY, READ,
    RawChannel, RawClient, RawHeader, RawMemory, RawPeer, WRITE,
};
use crate::network::{Limits, Network};

/// Why bytes are no wiring table. The image was put together wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WiringError {
    /// Fewer bytes than the table has.
    Short,
    /// Another magic number or version.
    Magic,
    /// An entry says what cannot be: a name is missing or no text, a number is out of its range,
    /// or there is no such peer.
    Entry {
        /// The list that it is in.
        list: &'static str,
        /// Its place there.
        index: usize,
    },
}

impl fmt::Display for WiringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wiring table: ")?;
        match self {
            WiringError::Short => write!(f, "it is cut off"),
            WiringError::Magic => write!(f, "not written by this build's sysgen"),
            WiringError::Entry { list, index } => write!(f, "{list} {index} is impossible"),
        }
    }
}

impl core::error::Error for WiringError {}

/// A table that has been checked: everything reachable from here is well formed.
#[derive(Clone, Copy, Debug)]
pub struct Wiring<'a> {
    peers: &'a [RawPeer],
    memory: &'a [RawMemory],
    channels: &'a [RawChannel],
    clients: &'a [RawClient],
    networks: &'a [Network],
}

/// A PD that this one knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer<'a> {
    /// Name of the PD.
    pub name: &'a str,
    /// What it is for.
    pub about: &'a str,
    /// Its number in the system. The supervisor knows it as a child by this id.
    pub number: usize,
    /// Its priority.
    pub priority: u8,
    /// Size of its stack in bytes.
    pub stack: usize,
    /// Whether it is a child of the PD whose table this is.
    pub is_child: bool,
    /// Whether it is a client of the socket server.
    pub is_client: bool,
}

/// Memory of this PD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory<'a> {
    /// Its number in the table.
    pub index: usize,
    /// What it is for.
    pub role: &'a str,
    /// The PD that shares it; `None` for the PD's own.
    pub peer: Option<Peer<'a>>,
    /// First address.
    pub address: usize,
    /// Size in bytes.
    pub size: usize,
    /// Whether this PD may write it.
    pub is_writable: bool,
    /// Whether it is registers of a device rather than memory.
    pub is_device: bool,
}

/// A channel of this PD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channel<'a> {
    /// What it is for.
    pub role: &'a str,
    /// The PD at the other end; `None` for an interrupt.
    pub peer: Option<Peer<'a>>,
    /// Its id, 0 to 61.
    pub id: usize,
    /// Whether this PD may notify.
    pub may_notify: bool,
    /// Whether this PD may call.
    pub may_call: bool,
    /// Whether this PD is called.
    pub is_called: bool,
}

impl<'a> Wiring<'a> {
    /// Checks the content of the region. Bytes behind the table are ignored.
    ///
    /// # Errors
    /// See [`WiringError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WiringError> {
        let (header, mut rest) =
            RawHeader::ref_from_prefix(bytes).map_err(|_| WiringError::Short)?;
        if header.magic != MAGIC {
            return Err(WiringError::Magic);
        }
        let wiring = Wiring {
            peers: take(&mut rest, header.peers)?,
            memory: take(&mut rest, header.memory)?,
            channels: take(&mut rest, header.channels)?,
            clients: take(&mut rest, header.clients)?,
            networks: take(&mut rest, header.networks)?,
        };
        if header.size.get() as usize != bytes.len() - rest.len() {
            return Err(WiringError::Short);
        }
        wiring.check()?;
        Ok(wiring)
    }

    fn check(&self) -> Result<(), WiringError> {
        let is_known = |index: u32| (index as usize) < self.peers.len();
        let is_peer = |index: u32| index == NOBODY || is_known(index);
        if self.peers.is_empty() {
            return Err(WiringError::Entry {
                list: "peer",
                index: 0,
            });
        }
        all("peer", self.peers, |peer| {
            let has_names = peer.name.is_name() && peer.about.checked().is_some();
            has_names && peer.priority.get() <= u32::from(u8::MAX)
        })?;
        all("memory entry", self.memory, |memory| {
            let (address, size) = (memory.address.get(), memory.size.get());
            let fits = address != 0 && size != 0 && address.checked_add(size).is_some();
            fits && memory.role.is_name() && is_peer(memory.peer.get())
        })?;
        all("channel", self.channels, |channel| {
            let fits = (channel.id.get() as usize) < CHANNELS;
            // An interrupt has no peer, and a channel has one.
            let other = match channel.flags.get() & INTERRUPT {
                0 => is_known(channel.peer.get()),
                _ => channel.peer == NOBODY,
            };
            fits && other && channel.role.is_name()
        })?;
        all("client", self.clients, |client| {
            let same = self
                .clients
                .iter()
                .filter(|other| other.peer == client.peer);
            is_known(client.peer.get()) && same.count() == 1 && client.limits.is_possible()
        })?;
        all("network", self.networks, Network::is_possible)
    }

    /// Returns the PD whose table this is.
    pub fn own(&self) -> Peer<'a> {
        // `check` has seen that there is one.
        self.peers.first().map(peer).unwrap_or_default()
    }

    /// Returns all PDs that this one knows, without itself.
    pub fn peers(&self) -> impl Iterator<Item = Peer<'a>> + use<'a> {
        self.peers.iter().skip(1).map(peer)
    }

    /// Returns the first memory of a role.
    pub fn memory(&self, role: &str) -> Option<Memory<'a>> {
        self.memories(role).next()
    }

    /// Returns all memory of a role, one for each peer that shares it.
    pub fn memories<'r>(&self, role: &'r str) -> impl Iterator<Item = Memory<'a>> + use<'a, 'r> {
        self.all_memory().filter(move |memory| memory.role == role)
    }

    /// Returns the memory of a role that is shared with a peer.
    pub fn memory_with(&self, role: &str, peer: &str) -> Option<Memory<'a>> {
        self.memories(role)
            .find(|memory| memory.peer.is_some_and(|other| other.name == peer))
    }

    /// Returns the registers of the first device that the declaration gives to this PD.
    pub fn device(&self) -> Option<Memory<'a>> {
        self.all_memory().find(|memory| memory.is_device)
    }

    fn all_memory(&self) -> impl Iterator<Item = Memory<'a>> + use<'a> {
        let wiring = *self;
        self.memory
            .iter()
            .enumerate()
            .map(move |(index, raw)| Memory {
                index,
                role: raw.role.as_str(),
                peer: wiring.peer(raw.peer.get()),
                address: raw.address.get() as usize,
                size: raw.size.get() as usize,
                is_writable: raw.rights.get() & WRITE != 0 && raw.rights.get() & READ != 0,
                is_device: raw.rights.get() & DEVICE != 0,
            })
    }

    /// Returns the first channel of a role.
    pub fn channel(&self, role: &str) -> Option<Channel<'a>> {
        self.channels(role).next()
    }

    /// Returns all channels of a role, one for each peer.
    pub fn channels<'r>(&self, role: &'r str) -> impl Iterator<Item = Channel<'a>> + use<'a, 'r> {
        self.all_channels()
            .filter(move |channel| channel.role == role)
    }

    /// Returns the channel of the first interrupt that the declaration gives to this PD.
    pub fn interrupt(&self) -> Option<Channel<'a>> {
        self.all_channels().find(|channel| channel.peer.is_none())
    }

    fn all_channels(&self) -> impl Iterator<Item = Channel<'a>> + use<'a> {
        let wiring = *self;
        self.channels.iter().map(move |raw| Channel {
            role: raw.role.as_str(),
            peer: wiring.peer(raw.peer.get()),
            id: raw.id.get() as usize,
            may_notify: raw.flags.get() & NOTIFY != 0,
            may_call: raw.flags.get() & CALL != 0,
            is_called: raw.flags.get() & CALLED != 0,
        })
    }

    /// Returns what the declaration says about the network. The server of sockets and its clients
    /// have it.
    pub fn network(&self) -> Option<&'a Network> {
        self.networks.first()
    }

    /// Returns what the client of this name may do. The server knows it of all clients, a client
    /// of itself.
    pub fn limits(&self, client: &str) -> Option<&'a Limits> {
        let named = |raw: &&RawClient| {
            let peer = self.peer(raw.peer.get());
            peer.is_some_and(|peer| peer.name == client)
        };
        Some(&self.clients.iter().find(named)?.limits)
    }

    fn peer(&self, index: u32) -> Option<Peer<'a>> {
        self.peers.get(index as usize).map(peer)
    }
}

/// Takes a list from the front of what is left of a table.
fn take<'a, T: FromBytes + Immutable + KnownLayout + Unaligned>(
    rest: &mut &'a [u8],
    count: U16,
) -> Result<&'a [T], WiringError> {
    let taken = <[T]>::ref_from_prefix_with_elems(rest, count.get().into());
    let (list, behind) = taken.map_err(|_| WiringError::Short)?;
    *rest = behind;
    Ok(list)
}

/// Returns the first entry that is not possible as an error.
fn all<T>(
    list: &'static str,
    entries: &[T],
    is_possible: impl Fn(&T) -> bool,
) -> Result<(), WiringError> {
    match entries.iter().position(|entry| !is_possible(entry)) {
        Some(index) => Err(WiringError::Entry { list, index }),
        None => Ok(()),
    }
}

fn peer(raw: &RawPeer) -> Peer<'_> {
    let flags = raw.flags.get();
    Peer {
        name: raw.name.as_str(),
        about: raw.about.as_str(),
        number: raw.number.get() as usize,
        priority: raw.priority.get() as u8,
        stack: raw.stack.get() as usize,
        is_child: flags & CHILD != 0,
        is_client: flags & CLIENT != 0,
    }
}
