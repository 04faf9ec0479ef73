// SPDX-License-Identifier: BSD-2-Clause
//! Reading the binary form.

use core::{fmt, net::Ipv4Addr, str};

use zerocopy::FromBytes;

use crate::{
    Buffers, Destination, ENCODED_SIZE, Interface, PortRange,
    layout::{MAGIC, RawClient, RawConfig, RawName, RawPorts},
    rules::mask,
};

/// Why the bytes are no configuration. A PD that meets one can only say so and stop: the image was
/// put together wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// Fewer bytes than the layout has.
    Short {
        /// Bytes that are there.
        found: usize,
        /// Bytes that the layout has.
        expected: usize,
    },
    /// The magic number or version is another: the region was not filled by this build's
    /// `config-tool`.
    Magic,
    /// The interface's address, prefix, gateway or hostname is not possible.
    Interface,
    /// A socket buffer has no bytes.
    Buffers,
    /// The entry in this slot is not well formed or its name occurs twice.
    Client {
        /// Number of the slot.
        slot: usize,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Short { found, expected } => {
                write!(f, "net_config: {found} bytes, expected {expected}")
            }
            ConfigError::Magic => write!(f, "net_config: not written by this build's config-tool"),
            ConfigError::Interface => write!(f, "net_config: impossible interface"),
            ConfigError::Buffers => write!(f, "net_config: a socket buffer of size 0"),
            ConfigError::Client { slot } => {
                write!(f, "net_config: impossible client in slot {slot}")
            }
        }
    }
}

impl core::error::Error for ConfigError {}

/// A configuration that has been checked: everything reachable from here is well formed.
#[derive(Clone, Copy)]
pub struct NetConfig<'a> {
    raw: &'a RawConfig,
    interface: Interface<'a>,
}

impl<'a> NetConfig<'a> {
    /// Checks the content of the region; bytes behind the layout are ignored.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ConfigError> {
        let (raw, _) = RawConfig::ref_from_prefix(bytes).map_err(|_| ConfigError::Short {
            found: bytes.len(),
            expected: ENCODED_SIZE,
        })?;
        if raw.magic != MAGIC || raw.size.get() as usize != ENCODED_SIZE {
            return Err(ConfigError::Magic);
        }
        let interface = decode_interface(raw).ok_or(ConfigError::Interface)?;
        let buffers = Buffers::decode(&raw.buffers);
        let sizes = [
            buffers.stream_receive,
            buffers.stream_send,
            buffers.datagram_receive,
            buffers.datagram_send,
        ];
        if sizes.contains(&0) {
            return Err(ConfigError::Buffers);
        }
        for (slot, client) in raw.clients.iter().enumerate() {
            let twice = client.name.len != 0
                && raw.clients[..slot]
                    .iter()
                    .any(|other| decode_name(&other.name) == decode_name(&client.name));
            if twice || !is_well_formed(client) {
                return Err(ConfigError::Client { slot });
            }
        }
        Ok(Self { raw, interface })
    }

    /// The network interface.
    pub fn interface(&self) -> Interface<'a> {
        self.interface
    }

    /// Buffer memory of each socket.
    pub fn buffers(&self) -> Buffers {
        Buffers::decode(&self.raw.buffers)
    }

    /// The client in a slot, if there is one.
    pub fn client(&self, slot: usize) -> Option<Client<'a>> {
        let raw = self.raw.clients.get(slot)?;
        let name = decode_name(&raw.name).filter(|name| !name.is_empty())?;
        Some(Client { slot, name, raw })
    }

    /// All clients in the order of their slots.
    pub fn clients(&self) -> impl Iterator<Item = Client<'a>> + use<'a> {
        let config = *self;
        (0..self.raw.clients.len()).filter_map(move |slot| config.client(slot))
    }

    /// The client whose PD has this name.
    pub fn client_named(&self, name: &str) -> Option<Client<'a>> {
        self.clients().find(|client| client.name == name)
    }
}

/// What one client may do.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    slot: usize,
    name: &'a str,
    raw: &'a RawClient,
}

impl<'a> Client<'a> {
    /// Number of its slot at the server.
    pub fn slot(&self) -> usize {
        self.slot
    }

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

    /// TCP ports that it may listen on, in the order of net.toml.
    pub fn tcp_listen(&self) -> impl Iterator<Item = PortRange> + use<'a> {
        ports(&self.raw.tcp_listen)
    }

    /// UDP ports that it may bind, in the order of net.toml.
    pub fn udp_bind(&self) -> impl Iterator<Item = PortRange> + use<'a> {
        ports(&self.raw.udp_bind)
    }

    /// Where it may connect to with TCP, in the order of net.toml.
    pub fn tcp_connect(&self) -> impl Iterator<Item = Destination> + use<'a> {
        self.raw.tcp_connect.iter().map_while(Destination::decode)
    }

    /// Whether it may listen on a TCP port.
    pub fn may_listen_tcp(&self, port: u16) -> bool {
        self.tcp_listen().any(|range| range.contains(port))
    }

    /// Whether it may bind a UDP port.
    pub fn may_bind_udp(&self, port: u16) -> bool {
        self.udp_bind().any(|range| range.contains(port))
    }

    /// Whether it may connect to a remote TCP port.
    pub fn may_connect_tcp(&self, address: Ipv4Addr, port: u16) -> bool {
        self.tcp_connect().any(|to| to.contains(address, port))
    }
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {} in slot {}", self.name, self.slot)
    }
}

fn decode_name(raw: &RawName) -> Option<&str> {
    let (name, rest) = raw.bytes.split_at_checked(usize::from(raw.len))?;
    if rest.iter().any(|&b| b != 0) {
        return None;
    }
    str::from_utf8(name).ok()
}

fn decode_interface(raw: &RawConfig) -> Option<Interface<'_>> {
    let raw = &raw.interface;
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

/// A slot is empty, or has a name, and its lists are ranges followed by zeros.
fn is_well_formed(raw: &RawClient) -> bool {
    if decode_name(&raw.name).is_none() {
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
