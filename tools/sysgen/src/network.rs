// SPDX-License-Identifier: BSD-2-Clause
//! What the declaration says about the network: whether the values make sense, and their binary
//! form.

use std::net::Ipv4Addr;
use std::ops::Range;

use net_config::{
    Buffers, Destination, Interface, MAX_DESTINATIONS, MAX_NAME, MAX_PORT_RANGES, PortRange,
};
use toml::Spanned;

use crate::{
    Diagnostic, Source,
    ports::{PortEntry, parse_destination, parse_prefix},
    schema,
};

/// Smallest buffer: two full Ethernet frames' payload and their bookkeeping.
const MIN_BUFFER: u32 = 4096;
/// Largest buffer: what a window scale of 4 reaches, and more than any link here fills.
const MAX_BUFFER: u32 = 1 << 20;

/// Where mistakes go.
pub struct Report<'a> {
    pub source: &'a Source,
    pub errors: Vec<Diagnostic>,
}

impl Report<'_> {
    pub fn at<T>(
        &mut self,
        value: &Spanned<T>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.at_span(value.span(), message, help);
    }

    pub fn at_span(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.errors.push(self.source.at(span.start, message, help));
    }
}

/// What one client of the socket server may do.
pub struct Limits {
    pub stream_sockets: u16,
    pub datagram_sockets: u16,
    /// Bytes of each half of its window.
    pub window: u64,
    pub tcp_listen: Vec<PortRange>,
    pub udp_bind: Vec<PortRange>,
    pub tcp_connect: Vec<Destination>,
}

impl Limits {
    /// Sockets of both kinds.
    pub fn sockets(&self) -> usize {
        usize::from(self.stream_sockets) + usize::from(self.datagram_sockets)
    }
}

/// Who has which ports, of both protocols.
pub struct Ports<'a> {
    tcp: PortOwners<'a>,
    udp: PortOwners<'a>,
}

impl<'a> Ports<'a> {
    pub fn new() -> Self {
        Ports {
            tcp: PortOwners::new("TCP"),
            udp: PortOwners::new("UDP"),
        }
    }

    /// Checks what a client may do.
    pub fn limits(
        &mut self,
        report: &mut Report<'_>,
        name: &'a Spanned<String>,
        pd: &'a schema::Pd,
        buffers: &Buffers,
    ) -> Limits {
        check_sockets(report, name, pd);
        let streams = pd.stream_sockets.as_ref().map_or(0, |n| *n.get_ref());
        let datagrams = pd.datagram_sockets.as_ref().map_or(0, |n| *n.get_ref());
        Limits {
            stream_sockets: streams,
            datagram_sockets: datagrams,
            window: window(report, name, pd, datagrams > 0, buffers),
            tcp_listen: self.tcp.take(report, name.get_ref(), &pd.tcp_listen),
            udp_bind: self.udp.take(report, name.get_ref(), &pd.udp_bind),
            tcp_connect: destinations(report, &pd.tcp_connect),
        }
    }
}

/// Size of each half of a window that does not say.
const WINDOW: u64 = 0x4_0000;
/// Least and greatest size of each half of a window: the client library wants a page, and counts
/// in 32 bits.
const WINDOWS: std::ops::RangeInclusive<u64> = 0x1000..=0x1000_0000;

fn window(
    report: &mut Report<'_>,
    name: &Spanned<String>,
    pd: &schema::Pd,
    has_datagrams: bool,
    buffers: &Buffers,
) -> u64 {
    // The client library uses half of each half for one call, where a datagram must fit with its
    // header (socket_client::Areas).
    let longest = u64::from(buffers.datagram_send).min(socket_proto::datagram::MAX_PAYLOAD as u64);
    let datagram = longest.next_multiple_of(8) + socket_proto::datagram::HEADER_SIZE as u64;
    let needed = (2 * datagram).next_multiple_of(0x1000);
    let Some(size) = &pd.window else {
        if has_datagrams && WINDOW < needed {
            report.at(
                name,
                format!(
                    "{name} has no room in its window for a datagram of {longest} bytes",
                    name = name.get_ref()
                ),
                format!("add window = {needed:#x}, or make buffers.datagram_send smaller"),
            );
        }
        return WINDOW;
    };
    let bytes = *size.get_ref();
    if !WINDOWS.contains(&bytes) || !bytes.is_multiple_of(0x1000) {
        report.at(
            size,
            format!("a window of {bytes:#x} bytes"),
            format!(
                "use a multiple of 0x1000 from {:#x} to {:#x}",
                WINDOWS.start(),
                WINDOWS.end()
            ),
        );
    } else if has_datagrams && bytes < needed {
        report.at(
            size,
            format!("a datagram of {longest} bytes does not fit into a window of {bytes:#x} bytes"),
            format!("use at least {needed:#x}, or make buffers.datagram_send smaller"),
        );
    }
    bytes
}

pub fn interface<'a>(report: &mut Report<'_>, raw: &'a schema::Interface) -> Option<Interface<'a>> {
    let before = report.errors.len();
    let hostname = raw.hostname.get_ref();
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if hostname.is_empty()
        || hostname.len() > MAX_NAME
        || !hostname.bytes().all(letters)
        || hostname.starts_with('-')
        || hostname.ends_with('-')
    {
        report.at(
            &raw.hostname,
            format!("\"{hostname}\" is no host name"),
            format!("use 1 to {MAX_NAME} letters, digits and hyphens, no hyphen at either end"),
        );
    }

    let Some((address, prefix_len)) = parse_prefix(raw.address.get_ref()) else {
        report.at(
            &raw.address,
            format!(
                "\"{}\" is no IPv4 address with a prefix",
                raw.address.get_ref()
            ),
            "write address/prefix length, for instance \"10.0.2.15/24\"",
        );
        return None;
    };
    if !(1..=30).contains(&prefix_len) {
        report.at(
            &raw.address,
            format!("a prefix of {prefix_len} bits leaves no network with a host and a gateway"),
            "use a prefix length from 1 to 30",
        );
        return None;
    }
    if let Some(problem) = not_a_host(address, prefix_len) {
        report.at(
            &raw.address,
            format!("{address}/{prefix_len} is {problem}"),
            "choose an address of one host in its network",
        );
    }

    let Ok(gateway) = raw.gateway.get_ref().parse::<Ipv4Addr>() else {
        report.at(
            &raw.gateway,
            format!("\"{}\" is no IPv4 address", raw.gateway.get_ref()),
            "write four numbers, for instance \"10.0.2.2\"",
        );
        return None;
    };
    let network = Ipv4Addr::from_bits(address.to_bits() & !host_bits(prefix_len));
    if (gateway.to_bits() ^ address.to_bits()) & !host_bits(prefix_len) != 0 {
        report.at(
            &raw.gateway,
            format!("the gateway {gateway} lies outside the network {network}/{prefix_len}"),
            "name a gateway in the network of `address`, or correct the prefix length there",
        );
    } else if gateway == address {
        report.at(
            &raw.gateway,
            "the gateway is the interface's own address",
            "name the router's address",
        );
    } else if let Some(problem) = not_a_host(gateway, prefix_len) {
        report.at(
            &raw.gateway,
            format!("the gateway {gateway} is {problem}"),
            "name the router's address",
        );
    }
    (report.errors.len() == before).then_some(Interface {
        hostname,
        address,
        prefix_len,
        gateway,
    })
}

fn host_bits(prefix_len: u8) -> u32 {
    u32::MAX >> prefix_len
}

/// Why an address cannot be a host's in a network of this prefix (RFC 1122 section 3.2.1.3, RFC
/// 6890).
fn not_a_host(address: Ipv4Addr, prefix_len: u8) -> Option<&'static str> {
    let host = address.to_bits() & host_bits(prefix_len);
    if address.is_loopback() {
        Some("a loopback address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else if address.octets()[0] == 0 || address.octets()[0] >= 240 {
        Some("a reserved address")
    } else if host == 0 {
        Some("the address of the network itself")
    } else if host == host_bits(prefix_len) {
        Some("the broadcast address of its network")
    } else {
        None
    }
}

pub fn buffers(report: &mut Report<'_>, raw: &schema::Buffers) -> Buffers {
    for size in [
        &raw.stream_receive,
        &raw.stream_send,
        &raw.datagram_receive,
        &raw.datagram_send,
    ] {
        if !(MIN_BUFFER..=MAX_BUFFER).contains(size.get_ref()) {
            report.at(
                size,
                format!("a buffer of {} bytes", size.get_ref()),
                format!("use {MIN_BUFFER} to {MAX_BUFFER} bytes"),
            );
        }
    }
    Buffers {
        stream_receive: *raw.stream_receive.get_ref(),
        stream_send: *raw.stream_send.get_ref(),
        datagram_receive: *raw.datagram_receive.get_ref(),
        datagram_send: *raw.datagram_send.get_ref(),
    }
}

fn check_sockets(report: &mut Report<'_>, name: &Spanned<String>, pd: &schema::Pd) {
    let number = |count: &Option<Spanned<u16>>| count.as_ref().map_or(0, |n| *n.get_ref());
    let (streams, datagrams) = (number(&pd.stream_sockets), number(&pd.datagram_sockets));
    let at = |count: &Option<Spanned<u16>>| count.as_ref().map_or(name.span(), Spanned::span);
    let most = socket_proto::MAX_SOCKETS;
    if usize::from(streams) + usize::from(datagrams) > most {
        report.at_span(
            at(&pd.stream_sockets),
            format!("{streams} stream and {datagrams} datagram sockets"),
            format!("a client has at most {most} sockets"),
        );
    }
    if streams == 0 && !(pd.tcp_listen.is_empty() && pd.tcp_connect.is_empty()) {
        report.at_span(
            at(&pd.stream_sockets),
            "no stream sockets, but TCP ports or destinations",
            "allow some (stream_sockets = 16), or remove tcp_listen and tcp_connect",
        );
    }
    if datagrams == 0 && !pd.udp_bind.is_empty() {
        report.at_span(
            at(&pd.datagram_sockets),
            "no datagram sockets, but UDP ports",
            "allow some (datagram_sockets = 4), or remove udp_bind",
        );
    }
}

fn destinations(report: &mut Report<'_>, entries: &[Spanned<String>]) -> Vec<Destination> {
    let mut list = Vec::new();
    for entry in entries {
        if list.len() == MAX_DESTINATIONS {
            report.at(
                entry,
                "too many destinations",
                format!("a list holds at most {MAX_DESTINATIONS}: use a shorter prefix or a range of ports"),
            );
            break;
        }
        match parse_destination(entry.get_ref()) {
            Some(destination) => list.push(destination),
            None => report.at(
                entry,
                format!("\"{}\" is no destination", entry.get_ref()),
                "write hosts:ports, for instance \"10.0.2.2:80\", \"10.0.2.0/24:8000-8010\" (no bits behind the prefix), \"*:443\"",
            ),
        }
    }
    list
}

/// Who has which ports of one protocol.
struct PortOwners<'a> {
    protocol: &'static str,
    taken: Vec<(PortRange, &'a str, usize)>,
}

impl<'a> PortOwners<'a> {
    fn new(protocol: &'static str) -> Self {
        Self {
            protocol,
            taken: Vec::new(),
        }
    }

    fn take(
        &mut self,
        report: &mut Report<'_>,
        name: &'a str,
        entries: &[Spanned<PortEntry>],
    ) -> Vec<PortRange> {
        let mut list = Vec::new();
        for entry in entries {
            if list.len() == MAX_PORT_RANGES {
                report.at(
                    entry,
                    "too many ports",
                    format!("a list holds at most {MAX_PORT_RANGES} ports or ranges: join them to ranges such as \"8000-8010\""),
                );
                break;
            }
            let PortEntry(range) = *entry.get_ref();
            if let Some((other, owner, offset)) =
                self.taken.iter().find(|taken| taken.0.overlaps(range))
            {
                let place = report.source.place(*offset);
                report.at(
                    entry,
                    format!(
                        "{} port {range} clashes with {other} of {owner} ({place})",
                        self.protocol
                    ),
                    "give each port to one client, once",
                );
            }
            self.taken.push((range, name, entry.span().start));
            list.push(range);
        }
        list
    }
}
