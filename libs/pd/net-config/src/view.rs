// SPDX-License-Identifier: BSD-2-Clause
//! Reading the binary form.

use core::{fmt, str};

use zerocopy::FromBytes;

use crate::{
    Buffers, Destination, Interface, PortRange,
    layout::{MAGIC, RawClient, RawHeader, RawInterface, RawName, RawPorts},
    rules::mask,
};

/// Why the bytes are no configuration. A PD that meets one can only say so and stop: the image was
/// put together wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// Fewer bytes than the configuration says that it has.
    Short,
    /// The magic number or version is another: the region was not filled by this build's `sysgen`.
    Magic,
    /// The interface's address, prefix, gateway or hostname is not possible.
    Interface,
    /// A socket buffer has no bytes.
    Buffers,
    /// A client's entry is not well formed or its name occurs twice.
    Client {
        /// Its place in the list.
        index: usize,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Short => write!(f, "configuration: it is cut off"),
            ConfigError::Magic => write!(f, "configuration: not written by this build's sysgen"),
            ConfigError::Interface => write!(f, "configuration: impossible interface"),
            ConfigError::Buffers => write!(f, "configuration: a socket buffer of size 0"),
            ConfigError::Client { index } => {
                write!(f, "configuration: client {index} is impossible")
            }
        }
    }
}

impl core::error::Error for ConfigError {}

/// A configuration that has been checked: everything reachable from here is well formed.
#[derive(Clone, Copy)]
pub struct NetConfig<'a> {
    header: &'a RawHeader,
    clients: &'a [RawClient],
    interface: Interface<'a>,
}

impl<'a> NetConfig<'a> {
    /// Checks the content of the region; bytes behind the configuration are ignored.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ConfigError> {
        let (header, rest) = RawHeader::ref_from_prefix(bytes).map_err(|_| ConfigError::Short)?;
        if header.magic != MAGIC {
            return Err(ConfigError::Magic);
        }
        let (clients, rest) =
            <[RawClient]>::ref_from_prefix_with_elems(rest, header.clients.get().into())
                .map_err(|_| ConfigError::Short)?;
        if header.size.get() as usize != bytes.len() - rest.len() {
            return Err(ConfigError::Short);
        }
        let interface = decode_interface(&header.interface).ok_or(ConfigError::Interface)?;
        let buffers = Buffers::decode(&header.buffers);
        let sizes = [
            buffers.stream_receive,
            buffers.stream_send,
            buffers.datagram_receive,
            buffers.datagram_send,
        ];
        if sizes.contains(&0) {
            return Err(ConfigError::Buffers);
        }
        for (index, client) in clients.iter().enumerate() {
            let twice = clients[..index]
                .iter()
                .any(|other| decode_name(&other.name) == decode_name(&client.name));
            if twice || !is_well_formed(client) {
                return Err(ConfigError::Client { index });
            }
        }
        Ok(Self {
            header,
            clients,
            interface,
        })
    }

    /// The network interface.
    pub fn interface(&self) -> Interface<'a> {
        self.interface
    }

    /// Buffer memory of each socket.
    pub fn buffers(&self) -> Buffers {
        Buffers::decode(&self.header.buffers)
    }

    /// All clients, in the order of the declaration.
    pub fn clients(&self) -> impl Iterator<Item = ClientConfig<'a>> + use<'a> {
        self.clients.iter().map(|raw| ClientConfig {
            // `parse` has seen that it is text.
            name: decode_name(&raw.name).unwrap_or_default(),
            raw,
        })
    }

    /// The client whose PD has this name.
    pub fn client_named(&self, name: &str) -> Option<ClientConfig<'a>> {
        self.clients().find(|client| client.name == name)
    }
}

/// What one client may do.
#[derive(Clone, Copy)]
pub struct ClientConfig<'a> {
    name: &'a str,
    raw: &'a RawClient,
}

impl<'a> ClientConfig<'a> {
    /// Name of its PD.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Stream sockets that it may have at once, those in its backlogs included.
    pub fn stream_sockets(&self) -> usize {
        usize::from(self.raw.stream_sockets.get())
    }

    /// Datagram sockets that it may have at once.
    pub fn datagram_sockets(&self) -> usize {
        usize::from(self.raw.datagram_sockets.get())
    }

    /// TCP ports that it may listen on, in the order of the declaration.
    pub fn tcp_listen(&self) -> impl Iterator<Item = PortRange> + use<'a> {
        ports(&self.raw.tcp_listen)
    }

    /// UDP ports that it may bind, in the order of the declaration.
    pub fn udp_bind(&self) -> impl Iterator<Item = PortRange> + use<'a> {
        ports(&self.raw.udp_bind)
    }

    /// Where it may connect to with TCP, in the order of the declaration.
    pub fn tcp_connect(&self) -> impl Iterator<Item = Destination> + use<'a> {
        self.raw.tcp_connect.iter().map_while(Destination::decode)
    }
}

impl fmt::Debug for ClientConfig<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.name)
    }
}

fn decode_name(raw: &RawName) -> Option<&str> {
    let (name, rest) = raw.bytes.split_at_checked(usize::from(raw.len))?;
    if rest.iter().any(|&b| b != 0) {
        return None;
    }
    str::from_utf8(name).ok()
}

fn decode_interface(raw: &RawInterface) -> Option<Interface<'_>> {
    let interface = Interface {
        hostname: decode_name(&raw.hostname).filter(|name| !name.is_empty())?,
        address: raw.address.into(),
        prefix_len: raw.prefix_len,
        gateway: raw.gateway.into(),
    };
    let inside = (interface.address.to_bits() ^ interface.gateway.to_bits())
        & mask(interface.prefix_len)
        == 0;
    (inside && (1..=30).contains(&interface.prefix_len)).then_some(interface)
}

fn ports(raw: &[RawPorts]) -> impl Iterator<Item = PortRange> {
    raw.iter().map_while(PortRange::decode)
}

/// A client has a name, and its lists are ranges followed by zeros.
fn is_well_formed(raw: &RawClient) -> bool {
    if decode_name(&raw.name).is_none_or(str::is_empty) {
        return false;
    }
    let list = |raw: &[RawPorts]| {
        let used = raw.iter().map_while(PortRange::decode).count();
        raw[used..]
            .iter()
            .all(|rest| rest.first.get() == 0 && rest.last.get() == 0)
    };
    let destinations = raw
        .tcp_connect
        .iter()
        .map_while(Destination::decode)
        .count();
    list(&raw.tcp_listen)
        && list(&raw.udp_bind)
        && raw.tcp_connect[destinations..]
            .iter()
            .all(|rest| rest.ports.first.get() == 0 && rest.ports.last.get() == 0)
}
