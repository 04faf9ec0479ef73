// SPDX-License-Identifier: BSD-2-Clause
//! The values that both the tool and the server speak of.

use core::{fmt, net::Ipv4Addr};

use crate::layout::{RawBuffers, RawDestination, RawPorts};

/// The one network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface<'a> {
    /// Name that the host goes by.
    pub hostname: &'a str,
    /// Own address.
    pub address: Ipv4Addr,
    /// Length of the network's prefix, 1 to 30.
    pub prefix_len: u8,
    /// Next hop for everything outside the network; lies inside it.
    pub gateway: Ipv4Addr,
}

/// Connections that the server keeps beyond the clients' quotas, for those that go on closing after
/// their clients are done with them.
pub const CLOSING_STREAMS: usize = 64;

/// Bytes of a datagram socket's buffer for each datagram that can wait in it: a guess at their mean
/// size.
pub const BYTES_A_DATAGRAM: usize = 256;

/// What the server notes of a datagram that waits, in bytes, rounded up.
const PACKET_RECORD: u64 = 64;

/// What the server has for all sockets together, rounded up: datagrams that wait for an Ethernet
/// address (110 KiB a client), fragments (1 MiB), packets in the making, neighbours.
const SHARED: u64 = 3 << 20;

/// Buffer memory of each socket in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// Received and not yet read, stream sockets; the largest window.
    pub stream_receive: u32,
    /// Written and not yet acknowledged, stream sockets.
    pub stream_send: u32,
    /// Received and not yet read, datagram sockets.
    pub datagram_receive: u32,
    /// Longest datagram that a socket may send. It takes no memory of its own.
    pub datagram_send: u32,
}

impl Buffers {
    /// Memory in bytes that the server needs for the buffers of this many sockets, and for those
    /// that it has besides.
    pub fn total(&self, streams: u64, datagrams: u64) -> u64 {
        let stream = u64::from(self.stream_receive) + u64::from(self.stream_send);
        let packets = u64::from(self.datagram_receive) / BYTES_A_DATAGRAM as u64;
        let datagram = u64::from(self.datagram_receive) + packets * PACKET_RECORD;
        (streams + CLOSING_STREAMS as u64) * stream + datagrams * datagram + SHARED
    }

    pub(crate) fn decode(raw: &RawBuffers) -> Self {
        Self {
            stream_receive: raw.stream_receive.get(),
            stream_send: raw.stream_send.get(),
            datagram_receive: raw.datagram_receive.get(),
            datagram_send: raw.datagram_send.get(),
        }
    }
}

/// Ports from `first` to `last`, both included; never empty, never port 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// All ports.
    pub const ALL: Self = Self {
        first: 1,
        last: u16::MAX,
    };

    /// `None` if `first` is 0 or greater than `last`.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first == 0 || first > last {
            return None;
        }
        Some(Self { first, last })
    }

    /// Lowest port.
    pub fn first(self) -> u16 {
        self.first
    }

    /// Highest port.
    pub fn last(self) -> u16 {
        self.last
    }

    /// Whether a port lies in the range.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// Whether two ranges share a port.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    pub(crate) fn decode(raw: &RawPorts) -> Option<Self> {
        Self::new(raw.first.get(), raw.last.get())
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// Remote hosts and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    network: Ipv4Addr,
    prefix_len: u8,
    ports: PortRange,
}

impl Destination {
    /// `None` if the prefix is longer than 32 bits or `network` has bits set behind it.
    pub fn new(network: Ipv4Addr, prefix_len: u8, ports: PortRange) -> Option<Self> {
        (prefix_len <= 32 && network.to_bits() & !mask(prefix_len) == 0).then_some(Self {
            network,
            prefix_len,
            ports,
        })
    }

    /// Network address.
    pub fn network(self) -> Ipv4Addr {
        self.network
    }

    /// Length of the network's prefix in bits.
    pub fn prefix_len(self) -> u8 {
        self.prefix_len
    }

    /// The range of ports, both ends included.
    pub fn ports(self) -> PortRange {
        self.ports
    }

    /// Whether an address and port lie in it.
    pub fn contains(self, address: Ipv4Addr, port: u16) -> bool {
        address.to_bits() & mask(self.prefix_len) == self.network.to_bits()
            && self.ports.contains(port)
    }

    pub(crate) fn decode(raw: &RawDestination) -> Option<Self> {
        Self::new(
            raw.network.into(),
            raw.prefix_len,
            PortRange::decode(&raw.ports)?,
        )
    }
}

/// The network mask of a prefix of at most 32 bits.
pub(crate) fn mask(prefix_len: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(prefix_len.min(32)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let near = Destination::new([10, 0, 2, 0].into(), 24, web).unwrap();
        assert!(near.contains([10, 0, 2, 77].into(), 80));
        assert!(!near.contains([10, 0, 2, 77].into(), 81));
        assert!(!near.contains([10, 0, 3, 77].into(), 80));
        let all = Destination::new([0; 4].into(), 0, PortRange::ALL).unwrap();
        assert!(all.contains([255; 4].into(), 1));
        assert_eq!(Destination::new([10, 0, 2, 1].into(), 24, web), None);
        assert_eq!(Destination::new([0; 4].into(), 33, web), None);
        let one = Destination::new([1, 2, 3, 4].into(), 32, web).unwrap();
        assert!(one.contains([1, 2, 3, 4].into(), 80) && !one.contains([1, 2, 3, 5].into(), 80));
    }
}
