// SPDX-License-Identifier: BSD-2-Clause
//! Writing a table.

use std::fmt;

use zerocopy::{FromZeros, IntoBytes};

use crate::layout::{
    CALL, CALLED, CHILD, CLIENT, DEVICE, INTERRUPT, MAGIC, NOBODY, NOTIFY, READ, RawChannel,
    RawHeader, RawMemory, RawPeer, WRITE,
};

/// What does not fit into the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// A name or description that is too long for its field.
    Name(String),
    /// An entry names a peer that is not in the list.
    Peer(String),
    /// More entries than a table can count.
    TooMany,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Name(name) => write!(f, "\"{name}\" is too long for a wiring table"),
            BuildError::Peer(name) => write!(f, "\"{name}\" is no peer of this table"),
            BuildError::TooMany => write!(f, "too many entries for a wiring table"),
        }
    }
}

impl std::error::Error for BuildError {}

/// A table to be written. The first peer is the PD itself.
#[derive(Clone, Debug, Default)]
pub struct TableSpec {
    /// The PD, and all that its table names.
    pub peers: Vec<PeerSpec>,
    /// Its memory.
    pub memory: Vec<MemorySpec>,
    /// Its channels and interrupts.
    pub channels: Vec<ChannelSpec>,
}

/// A PD.
#[derive(Clone, Debug, Default)]
pub struct PeerSpec {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// Its number in the system.
    pub number: u32,
    /// Its priority.
    pub priority: u8,
    /// Size of its stack in bytes.
    pub stack: u64,
    /// Whether it is a child of the PD whose table this is.
    pub is_child: bool,
    /// Whether it is a client of the socket server.
    pub is_client: bool,
}

/// A memory entry.
#[derive(Clone, Debug, Default)]
pub struct MemorySpec {
    /// What it is for.
    pub role: String,
    /// Name of the PD that shares it.
    pub peer: Option<String>,
    /// First address.
    pub address: u64,
    /// Size in bytes.
    pub size: u64,
    /// Whether the PD may write it.
    pub is_writable: bool,
    /// Whether it is registers of a device.
    pub is_device: bool,
}

/// A channel, or an interrupt if it has no peer.
#[derive(Clone, Debug, Default)]
pub struct ChannelSpec {
    /// What it is for.
    pub role: String,
    /// Name of the PD at the other end.
    pub peer: Option<String>,
    /// Id in the PD whose table this is.
    pub id: u32,
    /// Whether that PD may notify.
    pub may_notify: bool,
    /// Whether it may call.
    pub may_call: bool,
    /// Whether it is called.
    pub is_called: bool,
}

impl TableSpec {
    /// The table's bytes.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn encode(&self) -> Result<Vec<u8>, BuildError> {
        let count = |len: usize| u16::try_from(len).map_err(|_| BuildError::TooMany);
        let mut header = RawHeader::new_zeroed();
        header.magic = MAGIC;
        header.peers = count(self.peers.len())?.into();
        header.memory = count(self.memory.len())?.into();
        header.channels = count(self.channels.len())?.into();
        let size = size_of::<RawHeader>()
            + size_of::<RawPeer>() * self.peers.len()
            + size_of::<RawMemory>() * self.memory.len()
            + size_of::<RawChannel>() * self.channels.len();
        // Less than 2^16 entries of each kind.
        header.size = (size as u32).into();
        let mut bytes = header.as_bytes().to_vec();
        for peer in &self.peers {
            bytes.extend_from_slice(self.peer(peer)?.as_bytes());
        }
        for memory in &self.memory {
            bytes.extend_from_slice(self.memory(memory)?.as_bytes());
        }
        for channel in &self.channels {
            bytes.extend_from_slice(self.channel(channel)?.as_bytes());
        }
        Ok(bytes)
    }

    fn peer(&self, spec: &PeerSpec) -> Result<RawPeer, BuildError> {
        Ok(RawPeer {
            name: text(&spec.name)?,
            about: text(&spec.about)?,
            number: spec.number.into(),
            priority: u32::from(spec.priority).into(),
            stack: spec.stack.into(),
            flags: (flag(spec.is_child, CHILD) | flag(spec.is_client, CLIENT)).into(),
            reserved: 0.into(),
        })
    }

    fn memory(&self, spec: &MemorySpec) -> Result<RawMemory, BuildError> {
        let write = if spec.is_writable { WRITE } else { 0 };
        let device = if spec.is_device { DEVICE } else { 0 };
        Ok(RawMemory {
            role: text(&spec.role)?,
            address: spec.address.into(),
            size: spec.size.into(),
            peer: self.index(spec.peer.as_deref())?.into(),
            rights: (READ | write | device).into(),
            reserved: 0.into(),
        })
    }

    fn channel(&self, spec: &ChannelSpec) -> Result<RawChannel, BuildError> {
        let flags = [
            (spec.may_notify, NOTIFY),
            (spec.may_call, CALL),
            (spec.is_called, CALLED),
            (spec.peer.is_none(), INTERRUPT),
        ];
        let flags = flags.iter().filter(|(set, _)| *set).map(|(_, bit)| bit);
        Ok(RawChannel {
            role: text(&spec.role)?,
            id: spec.id.into(),
            peer: self.index(spec.peer.as_deref())?.into(),
            flags: flags.sum::<u32>().into(),
            reserved: 0.into(),
        })
    }

    fn index(&self, name: Option<&str>) -> Result<u32, BuildError> {
        let Some(name) = name else {
            return Ok(NOBODY);
        };
        let index = self.peers.iter().position(|peer| peer.name == name);
        // Counted above: less than 2^16.
        index
            .map(|index| index as u32)
            .ok_or_else(|| BuildError::Peer(name.to_string()))
    }
}

fn flag(set: bool, bit: u64) -> u64 {
    if set { bit } else { 0 }
}

fn text<const N: usize>(text: &str) -> Result<[u8; N], BuildError> {
    let mut bytes = [0; N];
    match bytes.get_mut(..text.len()) {
        Some(to) => to.copy_from_slice(text.as_bytes()),
        None => return Err(BuildError::Name(text.to_string())),
    }
    Ok(bytes)
}
