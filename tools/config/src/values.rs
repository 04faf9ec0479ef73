// SPDX-License-Identifier: BSD-2-Clause
//! Whether the values of net.toml make sense by themselves.

use std::{collections::BTreeMap, net::Ipv4Addr};

use net_config::{
    Buffers, BuildError, Builder, ClientSpec, Destination, Interface, MAX_CLIENTS,
    MAX_DESTINATIONS, MAX_NAME, MAX_PORT_RANGES, PortRange,
};
use toml::Spanned;

use crate::{
    Diagnostic, Source,
    ports::{PortEntry, parse_destination, parse_prefix},
    schema::{self, File},
};

/// Smallest buffer: two full Ethernet frames' payload and their bookkeeping.
const MIN_BUFFER: u32 = 4096;
/// Largest buffer: what a window scale of 4 reaches, and more than any link here fills.
const MAX_BUFFER: u32 = 1 << 20;

/// The configuration with every value in its own type.
pub struct Checked<'a> {
    interface: Interface<'a>,
    buffers: Buffers,
    clients: Vec<CheckedClient<'a>>,
}

struct CheckedClient<'a> {
    name: &'a str,
    slot: usize,
    stream_sockets: u16,
    datagram_sockets: u16,
    tcp_listen: Vec<PortRange>,
    udp_bind: Vec<PortRange>,
    tcp_connect: Vec<Destination>,
}

impl Checked<'_> {
    /// The binary form.
    pub fn encode(&self) -> Result<Vec<u8>, BuildError> {
        let mut builder = Builder::new(&self.interface, &self.buffers)?;
        for client in &self.clients {
            let spec = ClientSpec {
                name: client.name,
                stream_sockets: client.stream_sockets,
                datagram_sockets: client.datagram_sockets,
                tcp_listen: &client.tcp_listen,
                udp_bind: &client.udp_bind,
                tcp_connect: &client.tcp_connect,
            };
            builder.client(client.slot, &spec)?;
        }
        Ok(builder.finish().to_vec())
    }
}

/// Checks all values; `None` only if some mistake was reported.
pub fn check<'a>(
    source: &Source,
    file: &'a File,
    errors: &mut Vec<Diagnostic>,
) -> Option<Checked<'a>> {
    let mut report = Report { source, errors };
    let interface = interface(&mut report, &file.interface);
    let buffers = buffers(&mut report, &file.buffers);
    let mut clients = Vec::new();
    let mut slots = BTreeMap::new();
    let mut tcp_ports = PortOwners::new("TCP");
    let mut udp_ports = PortOwners::new("UDP");
    for (name, client) in file.clients_in_order() {
        check_name(&mut report, name);
        check_slot(&mut report, name.get_ref(), client, &mut slots);
        check_sockets(&mut report, client);
        clients.push(CheckedClient {
            name: name.get_ref(),
            slot: usize::from(*client.slot.get_ref()),
            stream_sockets: *client.stream_sockets.get_ref(),
            datagram_sockets: *client.datagram_sockets.get_ref(),
            tcp_listen: tcp_ports.take(&mut report, name.get_ref(), &client.tcp_listen),
            udp_bind: udp_ports.take(&mut report, name.get_ref(), &client.udp_bind),
            tcp_connect: destinations(&mut report, client),
        });
    }
    Some(Checked {
        interface: interface?,
        buffers,
        clients,
    })
}

struct Report<'a> {
    source: &'a Source,
    errors: &'a mut Vec<Diagnostic>,
}

impl Report<'_> {
    fn at<T>(&mut self, value: &Spanned<T>, message: impl Into<String>, help: impl Into<String>) {
        self.errors
            .push(self.source.at(value.span().start, message, help));
    }
}

fn interface<'a>(report: &mut Report<'_>, raw: &'a schema::Interface) -> Option<Interface<'a>> {
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

fn buffers(report: &mut Report<'_>, raw: &schema::Buffers) -> Buffers {
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

fn check_name(report: &mut Report<'_>, name: &Spanned<String>) {
    if name.get_ref().is_empty() || name.get_ref().len() > MAX_NAME {
        report.at(
            name,
            format!("the client's name has {} bytes", name.get_ref().len()),
            format!("a client's name is the name of its PD, 1 to {MAX_NAME} bytes"),
        );
    }
}

fn check_slot<'a>(
    report: &mut Report<'_>,
    name: &'a str,
    client: &schema::Client,
    slots: &mut BTreeMap<u16, (&'a str, usize)>,
) {
    let slot = *client.slot.get_ref();
    if usize::from(slot) >= MAX_CLIENTS {
        report.at(
            &client.slot,
            format!("slot {slot}: net_server has slots 0 to {}", MAX_CLIENTS - 1),
            "choose one of those that no other client has",
        );
    }
    if let Some((other, offset)) = slots.get(&slot) {
        let line = report.source.line(*offset);
        report.at(
            &client.slot,
            format!("slot {slot} is taken by {other} in line {line}"),
            "give each client its own slot",
        );
    } else {
        slots.insert(slot, (name, client.slot.span().start));
    }
}

fn check_sockets(report: &mut Report<'_>, client: &schema::Client) {
    let (streams, datagrams) = (
        *client.stream_sockets.get_ref(),
        *client.datagram_sockets.get_ref(),
    );
    let most = socket_proto::ready::capacity(socket_proto::ready::region_size(0));
    if usize::from(streams) + usize::from(datagrams) > most {
        report.at(
            &client.stream_sockets,
            format!("{streams} stream and {datagrams} datagram sockets"),
            format!("a client has at most {most} sockets: its readiness page has no more words"),
        );
    }
    let uses_tcp = !client.tcp_listen.is_empty() || !client.tcp_connect.is_empty();
    if streams == 0 && uses_tcp {
        report.at(
            &client.stream_sockets,
            "no stream sockets, but TCP ports or destinations",
            "allow stream sockets, or remove tcp_listen and tcp_connect",
        );
    }
    if datagrams == 0 && !client.udp_bind.is_empty() {
        report.at(
            &client.datagram_sockets,
            "no datagram sockets, but UDP ports",
            "allow datagram sockets, or remove udp_bind",
        );
    }
}

fn destinations(report: &mut Report<'_>, client: &schema::Client) -> Vec<Destination> {
    let mut list = Vec::new();
    for entry in &client.tcp_connect {
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
                let line = report.source.line(*offset);
                report.at(
                    entry,
                    format!(
                        "{} port {range} clashes with {other} of {owner} in line {line}",
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
