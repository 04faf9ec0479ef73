// SPDX-License-Identifier: BSD-2-Clause

//! What the server is told at the start. The numbers come from the declaration through the PD; the
//! core only sees this form.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::num::{NonZeroU32, NonZeroU64};

use socket_proto::{MAX_SOCKETS, Protocol};
use thiserror::Error;
pub use wiring::{Destination, PortRange};

use crate::ip::address::Address;
use crate::ip::link6;
use crate::ip::packet::{Endpoint, is_host};
use crate::tables::secret::Secret;

/// Most clients of one server: as many channels as Microkit gives a protection domain.
pub const MAX_CLIENTS: usize = 62;

const POOL_MAX: usize = (1 << 16) - 1;

/// Configuration of the server.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// This machine's address.
    pub address: Ipv4Addr,
    /// Bits of the network mask, 0..=32.
    pub prefix: u8,
    /// Where packets for other networks go.
    pub gateway: Option<Ipv4Addr>,
    /// Whether the address comes from a DHCP server, and what is used until one has given it.
    pub dhcp: Option<Fallback>,
    /// What DHCP servers are told as this host's name.
    pub hostname: &'static str,
    /// What clients are told of names.
    pub names: Names,
    /// An IPv6 address of this machine, and how many bits of it name its network. With this or
    /// `autoconf` there is IPv6 on the link, and a link-local address besides.
    pub address6: Option<(Ipv6Addr, u8)>,
    /// Where IPv6 packets for other networks go, besides the routers that advertise themselves.
    pub gateway6: Option<Ipv6Addr>,
    /// Whether routers are believed that say which addresses and routers to use.
    pub autoconf: bool,
    /// Secret, and another one at every start. Sequence numbers, ephemeral ports and the places in
    /// hash tables are made from it by a keyed hash; who can guess it can guess those.
    pub key: [u8; 16],
    /// Told to clients so that they see a restart: another value at every start.
    pub epoch: u32,
    /// TCP connections beyond the sum of the clients' quotas: room for those that are still
    /// closing.
    pub closing: usize,
    /// Bytes received and not yet read that a TCP connection buffers: its largest window. It has
    /// less if its client's [`ClientLimits::stream_memory`] is used up.
    pub stream_receive: usize,
    /// Bytes taken and not yet acknowledged that a TCP connection buffers, likewise.
    pub stream_send: usize,
    /// Bytes of received datagrams that one UDP socket may buffer, as far as its client's
    /// [`ClientLimits::datagram_memory`] goes.
    pub datagram_receive: usize,
    /// Longest datagram that a client may send, in bytes of payload.
    pub datagram_send: usize,
}

/// Which address is used while no DHCP server gives one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// The interface has no IPv4 address until then.
    #[default]
    None,
    /// That of the configuration, with its router.
    Declared,
    /// One of this machine's choice (RFC 3927).
    LinkLocal,
}

/// What clients are told of names. What is empty here comes from a DHCP server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names {
    /// Name servers, the first to be asked first.
    pub servers: [Option<Ipv4Addr>; 3],
    /// The domain in which names are looked for besides.
    pub domain: &'static str,
}

/// Whether an address lies in a network.
pub fn in_network(network: Ipv4Addr, prefix: u8, address: Ipv4Addr) -> bool {
    let mask = network_mask(prefix);
    network.to_bits() & mask == address.to_bits() & mask
}

/// The mask of a network whose number has so many bits.
pub fn network_mask(prefix: u8) -> u32 {
    let host = 32 - u32::from(prefix.min(32));
    u32::MAX.checked_shl(host).unwrap_or(0)
}

/// What one client may use.
#[derive(Clone, Debug, Default)]
pub struct ClientLimits {
    /// Stream sockets at once, connections that wait for `accept` included.
    pub stream_sockets: usize,
    /// Datagram sockets at once.
    pub datagram_sockets: usize,
    /// Bytes for the buffers of its connections, beyond the little that each has of its own.
    pub stream_memory: usize,
    /// Bytes for received datagrams, of all its sockets together.
    pub datagram_memory: usize,
    /// Bytes for frames that it captures; 0 if it may capture none. The first client that may is
    /// the one that does.
    pub capture: usize,
    /// TCP ports that it may listen on.
    pub tcp_ports: Vec<PortRange>,
    /// UDP ports that it may bind.
    pub udp_ports: Vec<PortRange>,
    /// Where it may connect to with TCP.
    pub tcp_destinations: Vec<Destination>,
    /// Where it may send datagrams of UDP.
    pub udp_destinations: Vec<Destination>,
    /// What it may send by the device in a second.
    pub send_rate: SendRate,
    /// Whether it may send echo requests of ICMP.
    pub icmp: bool,
    /// Whether it may join groups, and send to them.
    pub multicast: bool,
    /// Whether it may change the interface, routes and neighbours, and end sockets of others.
    pub administration: bool,
    /// Whether it may see the sockets of others.
    pub sees_sockets: bool,
    /// Its name, as those are shown it who may see its sockets.
    pub name: &'static str,
}

/// The most that a client may send in a second; `None` sets no limit. Bytes are those of Ethernet
/// frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendRate {
    /// Packets a second.
    pub packets: Option<NonZeroU32>,
    /// Bytes a second.
    pub bytes: Option<NonZeroU64>,
}

impl ClientLimits {
    /// The ports that it may listen on or bind.
    pub(crate) fn bindable(&self, protocol: Protocol) -> &[PortRange] {
        match protocol {
            Protocol::Tcp => &self.tcp_ports,
            Protocol::Udp => &self.udp_ports,
            // Who may send echoes may number them.
            _ => &[PortRange::ALL],
        }
    }

    /// Its name, with zeros behind it.
    pub(crate) fn owner(&self) -> [u8; 32] {
        let mut owner = [0; 32];
        let name = self.name.as_bytes().iter();
        owner
            .iter_mut()
            .zip(name)
            .for_each(|(to, from)| *to = *from);
        owner
    }

    pub(crate) fn may_bind(&self, protocol: Protocol, port: u16) -> bool {
        self.bindable(protocol)
            .iter()
            .any(|range| range.contains(port))
    }

    pub(crate) fn may_reach(&self, protocol: Protocol, (address, port): Endpoint) -> bool {
        let destinations = match protocol {
            Protocol::Tcp => &self.tcp_destinations,
            Protocol::Udp => &self.udp_destinations,
            // Who may send echoes may send them to everyone.
            _ => return true,
        };
        let host = address.to_v6();
        destinations
            .iter()
            .any(|destination| destination.contains(host, port))
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The Ethernet address is a group address or zero.
    #[error("the Ethernet address is no unicast address")]
    Mac,
    /// The address is not one that a host can have.
    #[error("the IPv4 address is not one that a host can have")]
    Address,
    /// An IPv6 address is not one that a host can have, or its prefix is empty or too long.
    #[error("an IPv6 address is not one that a host can have")]
    Address6,
    /// The mask has more than 32 bits.
    #[error("the network mask has more than 32 bits")]
    Prefix,
    /// The gateway is not on this machine's network, or is this machine.
    #[error("the gateway is not on this machine's network")]
    Gateway,
    /// A pool would have more sockets than an index can count.
    #[error("a pool of sockets is too large")]
    Pool,
    /// A buffer is empty or larger than 1 GiB.
    #[error("a socket buffer is empty or too large")]
    Buffer,
    /// There are more clients than [`MAX_CLIENTS`], or one has more sockets than its readiness page
    /// has room for ([`MAX_SOCKETS`]).
    #[error("too many clients, or too many sockets for one")]
    Client,
}

const BUFFER_MAX: usize = 1 << 30;

impl Config {
    /// A number for one purpose. It tells nothing of the key or of the numbers for other purposes.
    pub(crate) fn seed(&self, purpose: u64) -> u64 {
        Secret::new(&self.key, purpose).hash([])
    }

    /// Where packets for other networks go at the start.
    pub(crate) fn first_gateway(&self) -> Option<Ipv4Addr> {
        self.gateway.filter(|_| self.dhcp.is_none())
    }

    /// Whether its address of IPv4 is used.
    fn has_address(&self) -> bool {
        matches!(self.dhcp, None | Some(Fallback::Declared))
    }

    /// Checks what constructors further down would otherwise panic about.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.prefix > 32 {
            return Err(ConfigError::Prefix);
        }
        if self.has_address() && !is_host(self.address) {
            return Err(ConfigError::Address);
        }
        if let Some(gateway) = self.gateway
            && self.has_address()
            && (!is_host(gateway)
                || gateway == self.address
                || !in_network(self.address, self.prefix, gateway))
        {
            return Err(ConfigError::Gateway);
        }
        let address6 = self.address6.map(|(address, _)| address);
        let bits = self.address6.map_or(64, |(_, bits)| bits);
        let hosts6 = address6.into_iter().chain(self.gateway6).map(Address::v6);
        if !hosts6.into_iter().all(link6::is_host) || !(1..=128).contains(&bits) {
            return Err(ConfigError::Address6);
        }
        let buffers = [self.stream_receive, self.stream_send, self.datagram_receive];
        if buffers.iter().any(|&size| size == 0 || size > BUFFER_MAX) {
            return Err(ConfigError::Buffer);
        }
        Ok(())
    }
}

/// Sizes of the two pools for these clients.
pub(crate) fn pool_sizes(
    config: &Config,
    clients: &[ClientLimits],
) -> Result<(usize, usize), ConfigError> {
    let (mut streams, mut datagrams) = (config.closing, 0);
    for limits in clients {
        let own = limits.stream_sockets.checked_add(limits.datagram_sockets);
        if own.is_none_or(|sockets| sockets > MAX_SOCKETS) {
            return Err(ConfigError::Client);
        }
        streams = limits.stream_sockets.saturating_add(streams);
        datagrams += limits.datagram_sockets;
    }
    if clients.len() > MAX_CLIENTS {
        return Err(ConfigError::Client);
    }
    if streams > POOL_MAX {
        return Err(ConfigError::Pool);
    }
    Ok((streams, datagrams))
}
