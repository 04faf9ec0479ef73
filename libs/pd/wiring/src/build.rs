// SPDX-License-Identifier: BSD-2-Clause
//! Writing a table.

use std::fmt;

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromZeros, Immutable, IntoBytes};

use crate::layout::{
    CALL, CALLED, CHILD, CLIENT, DEVICE, INTERRUPT, MAGIC, NOBODY, NOTIFY, READ, RawChannel,
    RawClient, RawHeader, RawMemory, RawPeer, Text, WRITE,
};
use crate::{Channel, Limits, Memory, Network, Peer};

/// A name, peer or list that does not fit into the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit(pub String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" does not fit into a wiring table", self.0)
    }
}

impl std::error::Error for Misfit {}

/// A table to be written.
#[derive(Clone, Debug, Default)]
pub struct Table<'a> {
    /// The PD itself first, then all that the other lists name.
    pub peers: Vec<Peer<'a>>,
    /// Its memory.
    pub memory: Vec<Memory<'a>>,
    /// Its channels, and its interrupts: those without a peer.
    pub channels: Vec<Channel<'a>>,
    /// Clients of the server of sockets by name, and what each may do.
    pub clients: Vec<(&'a str, Limits)>,
    /// The network, for that server and its clients.
    pub network: Option<Network>,
}

impl Table<'_> {
    /// Returns the table's bytes.
    ///
    /// # Errors
    /// A name is too long, an entry names a peer that is not in the list, or a list is too long.
    pub fn encode(&self) -> Result<Vec<u8>, Misfit> {
        let mut header = RawHeader::new_zeroed();
        header.magic = MAGIC;
        let mut bytes = header.as_bytes().to_vec();
        header.peers = add(&mut bytes, &self.peers, |peer| self.peer(peer))?;
        header.memory = add(&mut bytes, &self.memory, |memory| self.memory(memory))?;
        header.channels = add(&mut bytes, &self.channels, |channel| self.channel(channel))?;
        header.clients = add(&mut bytes, &self.clients, |(name, limits)| {
            let peer = self.index(Some(name))?;
            Ok(RawClient {
                peer,
                limits: *limits,
            })
        })?;
        header.networks = add(&mut bytes, self.network.as_slice(), |network| Ok(*network))?;
        // Fewer than 2^16 entries of each kind.
        header.size = (bytes.len() as u32).into();
        bytes[..size_of::<RawHeader>()].copy_from_slice(header.as_bytes());
        Ok(bytes)
    }

    fn peer(&self, peer: &Peer<'_>) -> Result<RawPeer, Misfit> {
        Ok(RawPeer {
            name: text(peer.name)?,
            about: text(peer.about)?,
            number: (peer.number as u32).into(),
            priority: u32::from(peer.priority).into(),
            stack: (peer.stack as u64).into(),
            flags: bits(&[(peer.is_child, CHILD), (peer.is_client, CLIENT)]),
            reserved: [U32::ZERO; 3],
        })
    }

    fn memory(&self, memory: &Memory<'_>) -> Result<RawMemory, Misfit> {
        Ok(RawMemory {
            role: text(memory.role)?,
            address: (memory.address as u64).into(),
            size: (memory.size as u64).into(),
            peer: self.index(memory.peer.map(|peer| peer.name))?,
            rights: bits(&[
                (true, READ),
                (memory.is_writable, WRITE),
                (memory.is_device, DEVICE),
            ]),
            reserved: 0.into(),
        })
    }

    fn channel(&self, channel: &Channel<'_>) -> Result<RawChannel, Misfit> {
        Ok(RawChannel {
            role: text(channel.role)?,
            id: (channel.id as u32).into(),
            peer: self.index(channel.peer.map(|peer| peer.name))?,
            flags: bits(&[
                (channel.may_notify, NOTIFY),
                (channel.may_call, CALL),
                (channel.is_called, CALLED),
                (channel.peer.is_none(), INTERRUPT),
            ]),
            reserved: 0.into(),
        })
    }

    fn index(&self, name: Option<&str>) -> Result<U32, Misfit> {
        let Some(name) = name else {
            return Ok(NOBODY.into());
        };
        let index = self.peers.iter().position(|peer| peer.name == name);
        let index = index.ok_or_else(|| Misfit(name.to_string()))?;
        Ok((index as u32).into())
    }
}

/// Adds a list, and returns its length.
fn add<T, R: IntoBytes + Immutable>(
    bytes: &mut Vec<u8>,
    entries: &[T],
    encode: impl Fn(&T) -> Result<R, Misfit>,
) -> Result<U16, Misfit> {
    for entry in entries {
        bytes.extend_from_slice(encode(entry)?.as_bytes());
    }
    let count = u16::try_from(entries.len());
    let count = count.map_err(|_| Misfit(format!("{} entries", entries.len())))?;
    Ok(count.into())
}

fn bits(flags: &[(bool, u32)]) -> U32 {
    let set = flags.iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, bit)| bit).sum::<u32>().into()
}

fn text<const N: usize>(text: &str) -> Result<Text<N>, Misfit> {
    Text::new(text).ok_or_else(|| Misfit(text.to_string()))
}
