// SPDX-License-Identifier: BSD-2-Clause
//! What the declaration says about the network: the interface, the memory of sockets, and what each
//! client of the server may do. These types are records of the table, in its byte order.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::layout::{MAX_DOMAIN, MAX_NAME, Text};

/// Clients that one server can have. It has a channel to each, of the 62 that a PD can have
/// (Microkit manual, "Channels"), and some others.
pub const MAX_CLIENTS: usize = 54;

/// Port ranges in each list of a client.
pub const MAX_PORT_RANGES: usize = 8;

/// Remote destinations of a client.
pub const MAX_DESTINATIONS: usize = 8;

/// Name servers of the network.
pub const MAX_NAME_SERVERS: usize = 3;

/// Connections that the server keeps beyond the clients' quotas, for those that go on closing after
/// their clients are done with them.
pub const CLOSING_STREAMS: usize = 64;

/// What the server has for all sockets together in bytes, rounded up: fragments, neighbours, ended
/// connections, packets in the making.
const SHARED: u64 = 3 << 20;

/// What it has for each client, rounded up: datagrams that wait for an Ethernet address, frames on
/// their way over loopback.
const CLIENT: u64 = 192 << 10;

/// What it has for each connection, rounded up: small buffers, smoltcp's socket, places in tables.
const CONNECTION: u64 = 9 << 10;

/// The one network interface, and the memory of sockets.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Network {
    /// Name that the host goes by.
    pub hostname: Text<MAX_NAME>,
    /// Own IPv4 address; zeros if there is none but of a DHCP server.
    pub address: [u8; 4],
    /// Next hop for everything outside the network; lies inside it.
    pub gateway: [u8; 4],
    /// Length of the network's prefix in bits, 1 to 30; 0 without an address.
    pub prefix_len: U32,
    /// Buffers of a socket.
    pub buffers: Buffers,
    /// Name servers, the first to be asked first; zeros behind them.
    pub dns: [[u8; 4]; MAX_NAME_SERVERS],
    /// Domain in which clients look for names besides; empty if there is none.
    pub domain: Text<MAX_DOMAIN>,
    /// Own IPv6 address; zeros if none is declared.
    pub address6: [u8; 16],
    /// Next hop for everything outside that network, besides routers that advertise themselves;
    /// zeros if none is declared.
    pub gateway6: [u8; 16],
    /// Length of the prefix of `address6` in bits, 1 to 128.
    pub prefix_len6: U32,
    /// 1 if routers are believed that say which IPv6 addresses to use, otherwise 0.
    pub autoconf: U32,
    /// Where the IPv4 address comes from: [`DECLARED`], [`DHCP`], [`DHCP_OR_DECLARED`] or
    /// [`DHCP_OR_LINK_LOCAL`].
    pub origin: U32,
}

/// The IPv4 address is declared.
pub const DECLARED: u32 = 0;
/// It comes from a DHCP server.
pub const DHCP: u32 = 1;
/// It comes from a DHCP server; until then that of the declaration is used.
pub const DHCP_OR_DECLARED: u32 = 2;
/// It comes from a DHCP server; until then the machine chooses one of its link (RFC 3927).
pub const DHCP_OR_LINK_LOCAL: u32 = 3;

impl Network {
    /// Returns the name servers, in the order of the declaration.
    pub fn name_servers(&self) -> impl Iterator<Item = IpAddr> {
        entries(&self.dns, is_host).map(IpAddr::from)
    }

    /// Returns the own IPv6 address and the length of its prefix, if one is declared.
    pub fn own6(&self) -> Option<(Ipv6Addr, u8)> {
        let bits = u8::try_from(self.prefix_len6.get()).ok()?;
        Some((some6(self.address6)?, bits))
    }

    /// Returns the IPv6 router, if one is declared.
    pub fn router6(&self) -> Option<Ipv6Addr> {
        some6(self.gateway6)
    }

    /// Whether a DHCP server says which address, router and name servers to use.
    pub fn asks_dhcp(&self) -> bool {
        self.origin.get() != DECLARED
    }

    fn has_possible_address(&self) -> bool {
        let prefix_len = self.prefix_len.get();
        let [address, gateway] = [self.address, self.gateway].map(u32::from_be_bytes);
        match self.origin.get() {
            DECLARED | DHCP_OR_DECLARED => {
                (1..=30).contains(&prefix_len) && (address ^ gateway) & mask(prefix_len) == 0
            }
            DHCP | DHCP_OR_LINK_LOCAL => (address, gateway, prefix_len) == (0, 0, 0),
            _ => false,
        }
    }

    pub(crate) fn is_possible(&self) -> bool {
        let buffers = &self.buffers;
        let sizes = [
            buffers.stream_receive,
            buffers.stream_send,
            buffers.datagram_receive,
            buffers.datagram_send,
        ];
        self.hostname.is_name()
            && is_list(&self.dns, is_host)
            && self.domain.checked().is_some()
            && self.has_possible_address()
            && sizes.iter().all(|size| size.get() != 0)
            && (self.own6().is_none() || (1..=128).contains(&self.prefix_len6.get()))
            && self.autoconf.get() <= 1
    }
}

/// The most that one socket buffers, in bytes, as far as its client's memory goes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Buffers {
    /// Received and not yet read, stream sockets; the largest window.
    pub stream_receive: U32,
    /// Written and not yet acknowledged, stream sockets.
    pub stream_send: U32,
    /// Received and not yet read, datagram sockets.
    pub datagram_receive: U32,
    /// Longest datagram that a socket may send. It takes no memory of its own.
    pub datagram_send: U32,
}

/// How many sockets a client may have, and what they may take.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Quota {
    /// Stream sockets that it may have at once, those in its backlogs included.
    pub stream_sockets: U16,
    /// Datagram sockets that it may have at once.
    pub datagram_sockets: U16,
    /// Bytes for the buffers of its connections, beyond the few that each has of its own.
    pub stream_memory: U32,
    /// Bytes for datagrams that wait to be read.
    pub datagram_memory: U32,
    /// Bytes for frames that it captures; 0 if it may capture none.
    pub capture: U32,
}

/// Returns the bytes that the server of sockets needs on its heap for its clients.
pub fn server_heap(clients: impl IntoIterator<Item = Quota>) -> u64 {
    let each = |quota: Quota| {
        let memory = [quota.stream_memory, quota.datagram_memory, quota.capture];
        let memory: u64 = memory.iter().map(|bytes| u64::from(bytes.get())).sum();
        CLIENT + memory + u64::from(quota.stream_sockets.get()) * CONNECTION
    };
    let clients: u64 = clients.into_iter().map(each).sum();
    let bytes = SHARED + CLOSING_STREAMS as u64 * CONNECTION + clients;
    // Tables of sockets, ports and timers, and what an allocator loses.
    bytes + bytes / 8
}

/// What one client of the server may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Limits {
    /// Its sockets and their memory.
    pub quota: Quota,
    tcp_listen: [PortRange; MAX_PORT_RANGES],
    udp_bind: [PortRange; MAX_PORT_RANGES],
    tcp_connect: [Destination; MAX_DESTINATIONS],
    udp_send: [Destination; MAX_DESTINATIONS],
    /// Packets that it may send by the device in a second; 0 if as many as it can.
    pub packets_per_second: U32,
    /// The same in bytes of Ethernet frames.
    pub bytes_per_second: U64,
    /// What else it may do: [`ADMINISTRATION`], [`SEES_SOCKETS`], [`ICMP`], [`MULTICAST`].
    pub rights: U32,
}

/// A client may change the interface, routes and neighbours, and end sockets of others.
pub const ADMINISTRATION: u32 = 1;
/// A client may see the sockets of others.
pub const SEES_SOCKETS: u32 = 1 << 1;
/// A client may send echo requests of ICMP, and hear the replies.
pub const ICMP: u32 = 1 << 2;
/// A client may join groups, and send to them.
pub const MULTICAST: u32 = 1 << 3;

impl Limits {
    /// Returns `None` if a list is longer than [`MAX_PORT_RANGES`] or [`MAX_DESTINATIONS`].
    pub fn new(
        quota: Quota,
        tcp_listen: &[PortRange],
        udp_bind: &[PortRange],
        tcp_connect: &[Destination],
        udp_send: &[Destination],
    ) -> Option<Self> {
        Some(Limits {
            quota,
            tcp_listen: list(tcp_listen)?,
            udp_bind: list(udp_bind)?,
            tcp_connect: list(tcp_connect)?,
            udp_send: list(udp_send)?,
            packets_per_second: U32::ZERO,
            bytes_per_second: U64::ZERO,
            rights: U32::ZERO,
        })
    }

    /// Gives further rights.
    #[must_use]
    pub fn with(self, rights: u32) -> Self {
        let rights = (self.rights.get() | rights).into();
        Limits { rights, ..self }
    }

    /// Whether it has a right.
    pub fn has(&self, right: u32) -> bool {
        self.rights.get() & right != 0
    }

    /// Returns the TCP ports that it may listen on, in the order of the declaration.
    pub fn tcp_listen(&self) -> impl Iterator<Item = PortRange> {
        entries(&self.tcp_listen, PortRange::is_possible)
    }

    /// Returns the UDP ports that it may bind, in the order of the declaration.
    pub fn udp_bind(&self) -> impl Iterator<Item = PortRange> {
        entries(&self.udp_bind, PortRange::is_possible)
    }

    /// Returns where it may connect to with TCP, in the order of the declaration.
    pub fn tcp_connect(&self) -> impl Iterator<Item = Destination> {
        entries(&self.tcp_connect, Destination::is_possible)
    }

    /// Returns where it may send datagrams of UDP, in the order of the declaration.
    pub fn udp_send(&self) -> impl Iterator<Item = Destination> {
        entries(&self.udp_send, Destination::is_possible)
    }

    pub(crate) fn is_possible(&self) -> bool {
        is_list(&self.tcp_listen, PortRange::is_possible)
            && is_list(&self.udp_bind, PortRange::is_possible)
            && is_list(&self.tcp_connect, Destination::is_possible)
            && is_list(&self.udp_send, Destination::is_possible)
            && self.rights.get() & !(ADMINISTRATION | SEES_SOCKETS | ICMP | MULTICAST) == 0
    }
}

/// Whether this is the address of one host.
fn is_host(address: &[u8; 4]) -> bool {
    *address != [0; 4]
}

/// A list in the table's form: entries, then zeros.
fn list<T: Copy + FromZeros, const N: usize>(entries: &[T]) -> Option<[T; N]> {
    let mut list = [T::new_zeroed(); N];
    list.get_mut(..entries.len())?.copy_from_slice(entries);
    Some(list)
}

fn entries<T: Copy>(list: &[T], is_possible: fn(&T) -> bool) -> impl Iterator<Item = T> {
    list.iter()
        .take_while(move |entry| is_possible(entry))
        .copied()
}

/// Whether only zeros follow the entries.
fn is_list<T: IntoBytes + Immutable>(list: &[T], is_possible: fn(&T) -> bool) -> bool {
    let mut rest = list.iter().skip_while(|entry| is_possible(entry));
    rest.all(|entry| entry.as_bytes().iter().all(|&b| b == 0))
}

/// Ports from a first to a last, both included; never empty, never port 0.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct PortRange {
    first: U16,
    last: U16,
}

impl PortRange {
    /// All ports.
    pub const ALL: Self = Self {
        first: U16::new(1),
        last: U16::MAX_VALUE,
    };

    /// Returns `None` if `first` is 0 or greater than `last`.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first == 0 || first > last {
            return None;
        }
        let (first, last) = (U16::new(first), U16::new(last));
        Some(Self { first, last })
    }

    /// Returns the lowest port.
    pub fn first(self) -> u16 {
        self.first.get()
    }

    /// Returns the highest port.
    pub fn last(self) -> u16 {
        self.last.get()
    }

    /// Whether a port lies in the range.
    pub fn contains(self, port: u16) -> bool {
        (self.first()..=self.last()).contains(&port)
    }

    /// Whether two ranges share a port.
    pub fn overlaps(self, other: Self) -> bool {
        self.first() <= other.last() && other.first() <= self.last()
    }

    fn is_possible(&self) -> bool {
        Self::new(self.first(), self.last()).is_some()
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.first != self.last {
            write!(f, "-{}", self.last)?;
        }
        Ok(())
    }
}

/// Remote hosts and ports.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Destination {
    network: [u8; 16],
    ports: PortRange,
    prefix_len: U32,
}

impl Destination {
    /// All hosts and all ports.
    pub const ANYWHERE: Self = Self {
        network: [0; 16],
        ports: PortRange::ALL,
        prefix_len: U32::ZERO,
    };

    /// A network of either family. Returns `None` if the prefix is longer than its addresses, or
    /// `network` has bits set behind it.
    pub fn new(network: IpAddr, prefix_len: u8, ports: PortRange) -> Option<Self> {
        let (network, before) = match network {
            IpAddr::V4(v4) if prefix_len <= 32 => (v4.to_ipv6_mapped(), 96),
            IpAddr::V4(_) => return None,
            IpAddr::V6(v6) => (v6, 0),
        };
        let destination = Self {
            network: network.octets(),
            ports,
            prefix_len: (before + u32::from(prefix_len)).into(),
        };
        Some(destination).filter(Self::is_possible)
    }

    /// Returns its first address with its first port: the host itself if it is one.
    pub fn first(self) -> SocketAddr {
        let address = Ipv6Addr::from(self.network).to_canonical();
        (address, self.ports.first()).into()
    }

    /// Whether an address and port lie in it. Addresses of IPv4 are mapped (RFC 4291 section
    /// 2.5.5.2).
    pub fn contains(self, address: Ipv6Addr, port: u16) -> bool {
        address.to_bits() & mask6(self.prefix_len.get()) == u128::from_be_bytes(self.network)
            && self.ports.contains(port)
    }

    fn is_possible(&self) -> bool {
        let prefix_len = self.prefix_len.get();
        self.ports.is_possible()
            && prefix_len <= 128
            && u128::from_be_bytes(self.network) & !mask6(prefix_len) == 0
    }
}

/// An IPv6 address, if it is one.
fn some6(octets: [u8; 16]) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(octets)).filter(|address| !address.is_unspecified())
}

/// The network mask of a prefix of at most 32 bits.
fn mask(prefix_len: u32) -> u32 {
    u32::MAX
        .checked_shl(32 - prefix_len.min(32))
        .unwrap_or_default()
}

/// The network mask of a prefix of at most 128 bits.
fn mask6(prefix_len: u32) -> u128 {
    u128::MAX
        .checked_shl(128 - prefix_len.min(128))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn port_ranges() {
        assert_eq!(PortRange::new(0, 5), None);
        assert_eq!(PortRange::new(6, 5), None);
        let range = PortRange::new(80, 90).unwrap();
        assert!(range.contains(80) && range.contains(90));
        assert!(!range.contains(79) && !range.contains(91));
        assert!(range.overlaps(PortRange::new(90, 100).unwrap()));
        assert!(!range.overlaps(PortRange::new(91, 100).unwrap()));
        assert_eq!(range.to_string(), "80-90");
        assert_eq!(PortRange::new(7, 7).unwrap().to_string(), "7");
    }

    #[test]
    fn destinations() {
        let web = PortRange::new(80, 80).unwrap();
        let host = |octets: [u8; 4]| Ipv4Addr::from(octets).to_ipv6_mapped();
        let near = Destination::new([10, 0, 2, 0].into(), 24, web).unwrap();
        assert!(near.contains(host([10, 0, 2, 77]), 80));
        assert!(!near.contains(host([10, 0, 2, 77]), 81));
        assert!(!near.contains(host([10, 0, 3, 77]), 80));
        let all = Destination::new([0; 16].into(), 0, PortRange::ALL).unwrap();
        assert_eq!(all, Destination::ANYWHERE);
        assert!(all.contains(host([255; 4]), 1) && all.contains(Ipv6Addr::LOCALHOST, 1));
        let all4 = Destination::new([0; 4].into(), 0, PortRange::ALL).unwrap();
        assert!(all4.contains(host([255; 4]), 1) && !all4.contains(Ipv6Addr::LOCALHOST, 1));
        let documents: Ipv6Addr = "2001:db8::".parse().unwrap();
        let far = Destination::new(documents.into(), 32, web).unwrap();
        assert!(far.contains("2001:db8:1::1".parse().unwrap(), 80));
        assert!(!far.contains("2001:db9::1".parse().unwrap(), 80));
        assert_eq!(Destination::new(documents.into(), 16, web), None);
        assert_eq!(Destination::new(documents.into(), 129, web), None);
        assert_eq!(Destination::new([10, 0, 2, 1].into(), 24, web), None);
        assert_eq!(Destination::new([0; 4].into(), 33, web), None);
        let one = Destination::new([1, 2, 3, 4].into(), 32, web).unwrap();
        assert!(one.contains(host([1, 2, 3, 4]), 80) && !one.contains(host([1, 2, 3, 5]), 80));
    }
}
