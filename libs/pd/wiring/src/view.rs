// SPDX-License-Identifier: BSD-2-Clause
//! Reading a table.

use core::fmt;
use core::str;

use zerocopy::FromBytes;

use crate::layout::{
    CALL, CALLED, CHILD, CLIENT, DEVICE, INTERRUPT, MAGIC, NOBODY, NOTIFY, READ, RawChannel,
    RawHeader, RawMemory, RawPeer, WRITE,
};

/// Ids of channels are below this (Microkit's tool refuses higher ones).
const CHANNELS: u32 = 62;

/// Why bytes are no wiring table. The image was put together wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WiringError {
    /// Fewer bytes than the table has.
    Short,
    /// Another magic number or version.
    Magic,
    /// A peer's name is no text, or there is no peer at all.
    Peer {
        /// Index of the peer.
        index: usize,
    },
    /// A memory entry is empty, wraps around, has no valid role or names no peer.
    Memory {
        /// Index of the entry.
        index: usize,
    },
    /// A channel has an impossible id, no valid role, or names no peer.
    Channel {
        /// Index of the channel.
        index: usize,
    },
}

impl fmt::Display for WiringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wiring table: ")?;
        match self {
            WiringError::Short => write!(f, "it is cut off"),
            WiringError::Magic => write!(f, "not written by this build's sysgen"),
            WiringError::Peer { index } => write!(f, "peer {index} is impossible"),
            WiringError::Memory { index } => write!(f, "memory entry {index} is impossible"),
            WiringError::Channel { index } => write!(f, "channel {index} is impossible"),
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
}

/// A PD that this one knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory<'a> {
    /// Its number in the table.
    pub index: usize,
    /// What it is for.
    pub role: &'a str,
    /// Who else has it; nobody for the PD's own.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel<'a> {
    /// What it is for.
    pub role: &'a str,
    /// Who is at the other end; nobody if it is an interrupt.
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
        let (header, rest) = RawHeader::ref_from_prefix(bytes).map_err(|_| WiringError::Short)?;
        if header.magic != MAGIC {
            return Err(WiringError::Magic);
        }
        let short = |_| WiringError::Short;
        let (peers, rest) =
            <[RawPeer]>::ref_from_prefix_with_elems(rest, header.peers.get().into())
                .map_err(|_| WiringError::Short)?;
        let (memory, rest) =
            <[RawMemory]>::ref_from_prefix_with_elems(rest, header.memory.get().into())
                .map_err(|_| WiringError::Short)?;
        let (channels, rest) =
            <[RawChannel]>::ref_from_prefix_with_elems(rest, header.channels.get().into())
                .map_err(|_| WiringError::Short)?;
        let size = u32::try_from(bytes.len() - rest.len()).map_err(short)?;
        if header.size.get() != size {
            return Err(WiringError::Short);
        }
        let wiring = Wiring {
            peers,
            memory,
            channels,
        };
        wiring.check()?;
        Ok(wiring)
    }

    fn check(&self) -> Result<(), WiringError> {
        let is_peer = |index: u32| index == NOBODY || (index as usize) < self.peers.len();
        let is_name = |bytes| text(bytes).is_some_and(|name| !name.is_empty());
        if self.peers.is_empty() {
            return Err(WiringError::Peer { index: 0 });
        }
        for (index, peer) in self.peers.iter().enumerate() {
            let possible = is_name(&peer.name) && text(&peer.about).is_some();
            if !possible || peer.priority.get() > u32::from(u8::MAX) {
                return Err(WiringError::Peer { index });
            }
        }
        for (index, memory) in self.memory.iter().enumerate() {
            let (address, size) = (memory.address.get(), memory.size.get());
            let fits = address != 0 && size != 0 && address.checked_add(size).is_some();
            if !fits || !is_name(&memory.role) || !is_peer(memory.peer.get()) {
                return Err(WiringError::Memory { index });
            }
        }
        for (index, channel) in self.channels.iter().enumerate() {
            let possible = channel.id.get() < CHANNELS && is_name(&channel.role);
            if !possible || !is_peer(channel.peer.get()) {
                return Err(WiringError::Channel { index });
            }
        }
        Ok(())
    }

    /// The PD whose table this is.
    pub fn own(&self) -> Peer<'a> {
        // `check` has seen that there is one.
        self.peers.first().map_or(UNKNOWN, peer)
    }

    /// All PDs that this one knows, without itself.
    pub fn peers(&self) -> impl Iterator<Item = Peer<'a>> + use<'a> {
        self.peers.iter().skip(1).map(peer)
    }

    /// The first memory of a role.
    pub fn memory(&self, role: &str) -> Option<Memory<'a>> {
        self.memories(role).next()
    }

    /// All memory of a role, one for each peer that shares it.
    pub fn memories<'r>(&self, role: &'r str) -> impl Iterator<Item = Memory<'a>> + use<'a, 'r> {
        self.all_memory().filter(move |memory| memory.role == role)
    }

    /// The memory of a role that is shared with a peer.
    pub fn memory_with(&self, role: &str, peer: &str) -> Option<Memory<'a>> {
        self.memories(role)
            .find(|memory| memory.peer.is_some_and(|other| other.name == peer))
    }

    /// The registers of a device: the first that the declaration gives to this PD.
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
                role: text(&raw.role).unwrap_or_default(),
                peer: wiring.peer(raw.peer.get()),
                address: raw.address.get() as usize,
                size: raw.size.get() as usize,
                is_writable: raw.rights.get() & WRITE != 0 && raw.rights.get() & READ != 0,
                is_device: raw.rights.get() & DEVICE != 0,
            })
    }

    /// The first channel of a role.
    pub fn channel(&self, role: &str) -> Option<Channel<'a>> {
        self.channels(role).next()
    }

    /// All channels of a role, one for each peer.
    pub fn channels<'r>(&self, role: &'r str) -> impl Iterator<Item = Channel<'a>> + use<'a, 'r> {
        self.all_channels()
            .filter(move |(_, channel)| channel.role == role)
            .map(|(_, channel)| channel)
    }

    /// The channel of an interrupt: the first that the declaration gives to this PD.
    pub fn interrupt(&self) -> Option<Channel<'a>> {
        self.all_channels()
            .find(|(flags, _)| flags & INTERRUPT != 0)
            .map(|(_, channel)| channel)
    }

    fn all_channels(&self) -> impl Iterator<Item = (u32, Channel<'a>)> + use<'a> {
        let wiring = *self;
        self.channels.iter().map(move |raw| {
            let flags = raw.flags.get();
            let channel = Channel {
                role: text(&raw.role).unwrap_or_default(),
                peer: wiring.peer(raw.peer.get()),
                id: raw.id.get() as usize,
                may_notify: flags & NOTIFY != 0,
                may_call: flags & CALL != 0,
                is_called: flags & CALLED != 0,
            };
            (flags, channel)
        })
    }

    fn peer(&self, index: u32) -> Option<Peer<'a>> {
        self.peers.get(index as usize).map(peer)
    }
}

const UNKNOWN: Peer<'static> = Peer {
    name: "",
    about: "",
    number: 0,
    priority: 0,
    stack: 0,
    is_child: false,
    is_client: false,
};

fn peer(raw: &RawPeer) -> Peer<'_> {
    let flags = raw.flags.get();
    Peer {
        name: text(&raw.name).unwrap_or_default(),
        about: text(&raw.about).unwrap_or_default(),
        number: raw.number.get() as usize,
        priority: raw.priority.get() as u8,
        stack: raw.stack.get() as usize,
        is_child: flags & CHILD != 0,
        is_client: flags & CLIENT != 0,
    }
}

/// A name, if it is UTF-8 and only zeros follow it.
fn text(bytes: &[u8]) -> Option<&str> {
    let len = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    let (name, rest) = bytes.split_at_checked(len)?;
    rest.iter().all(|&b| b == 0).then_some(())?;
    str::from_utf8(name).ok()
}
