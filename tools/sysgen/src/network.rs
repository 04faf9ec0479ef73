// SPDX-License-Identifier: BSD-2-Clause
//! What must hold for what the declaration says about the network: the interface, the memory of
//! sockets, and what clients may do.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use socket_proto::datagram::{HEADER_SIZE, MAX_PAYLOAD};
use wiring::{MAX_DESTINATIONS, MAX_DOMAIN, MAX_NAME, MAX_NAME_SERVERS, MAX_PORT_RANGES};

use crate::check;
use crate::declaration::{At, Declaration, Interface, Named, Pd, Service};
use crate::diagnostic::Report;
use crate::forms::{Ports, Prefix, Prefix6};
use crate::plan::PAGE;

/// Bytes of a buffer. The least is the payload of two full Ethernet frames with their bookkeeping,
/// the most what a window scale of 4 reaches, and more than any link here fills.
const BUFFERS: RangeInclusive<u32> = 4096..=1 << 20;
/// Bytes of each half of a window: the client library wants a page, and counts in 32 bits.
const WINDOWS: RangeInclusive<u64> = 0x1000..=0x1000_0000;

/// The least bytes for captured frames: some large ones.
const CAPTURE_MIN: u32 = 0x2000;

/// Checks interface, buffers, and that no port has two owners.
pub fn check(report: &mut Report<'_>, declaration: &Declaration) {
    interface(report, &declaration.interface);
    let buffers = &declaration.buffers;
    for size in [
        &buffers.stream_receive,
        &buffers.stream_send,
        &buffers.datagram_receive,
        &buffers.datagram_send,
    ] {
        if !BUFFERS.contains(size) {
            report.at(
                size,
                format!("a buffer of {size} bytes"),
                format!("use {} to {} bytes", BUFFERS.start(), BUFFERS.end()),
            );
        }
    }
    port_owners(report, declaration, "TCP", |pd| &pd.tcp_listen);
    port_owners(report, declaration, "UDP", |pd| &pd.udp_bind);
}

fn interface(report: &mut Report<'_>, interface: &Interface) {
    let hostname = &interface.hostname;
    if hostname.len() > MAX_NAME || !is_label(hostname) {
        report.at(
            hostname,
            format!("\"{hostname}\" is no host name"),
            format!("use 1 to {MAX_NAME} letters, digits and hyphens, no hyphen at either end"),
        );
    }
    names(report, interface);
    interface4(report, interface);
    interface6(report, interface);
}

/// IPv4 on the interface.
fn interface4(report: &mut Report<'_>, interface: &Interface) {
    if let Some(at) = &interface.fallback
        && !interface.asks_dhcp()
    {
        let help = "remove it, or write address = \"dhcp\"";
        return report.at(
            at,
            "a fallback, but `address` is there from the start",
            help,
        );
    }
    let Some((Prefix(address, len), at)) = interface.declared() else {
        if let Some(gateway) = &interface.gateway {
            let help = "remove it: that server names a router, too";
            report.at(
                gateway,
                "a gateway, but `address` comes from a DHCP server",
                help,
            );
        }
        return;
    };
    if !(1..=30).contains(&len) {
        return report.at(
            at,
            format!("a prefix of {len} bits leaves no network with a host and a gateway"),
            "use a prefix length from 1 to 30",
        );
    }
    let host_bits = u32::MAX >> len;
    if let Some(problem) = not_a_host(address, host_bits) {
        report.at(
            at,
            format!("{address}/{len} is {problem}"),
            "choose an address of one host in its network",
        );
    }
    let Some(gateway_at) = &interface.gateway else {
        let help = "add it, for instance gateway = \"10.0.2.2\"";
        return report.at(at, format!("{address}/{len} has no gateway"), help);
    };
    let gateway = gateway_at.0;
    let network = Ipv4Addr::from_bits(address.to_bits() & !host_bits);
    if gateway.to_bits() & !host_bits != network.to_bits() {
        report.at(
            gateway_at,
            format!("the gateway {gateway} lies outside the network {network}/{len}"),
            "name a gateway in the network of `address`, or correct the prefix length there",
        );
    } else if gateway == address {
        report.at(
            gateway_at,
            "the gateway is the interface's own address",
            "name the router's address",
        );
    } else if let Some(problem) = not_a_host(gateway, host_bits) {
        report.at(
            gateway_at,
            format!("the gateway {gateway} is {problem}"),
            "name the router's address",
        );
    }
}

/// IPv6 on the interface.
fn interface6(report: &mut Report<'_>, interface: &Interface) {
    if let Some(at) = &interface.address6 {
        let Prefix6(address, len) = **at;
        if !is_host6(address) || !(1..=128).contains(&len) {
            report.at(
                at,
                format!("{address}/{len} is not an address of one host in a network"),
                "choose one such as \"fd00::15/64\"; the link-local address comes by itself",
            );
        }
    }
    if let Some(at) = &interface.gateway6 {
        let gateway = at.0;
        let near = interface.address6.as_ref().is_some_and(|own| {
            let behind = 128 - u32::from(own.1.min(128));
            let network = |address: Ipv6Addr| address.to_bits().checked_shr(behind).unwrap_or(0);
            network(own.0) == network(gateway) && own.0 != gateway
        });
        if !near && !gateway.is_unicast_link_local() {
            report.at(
                at,
                format!("the gateway {gateway} is not on the link"),
                "name a link-local address, or one in the network of `address6`",
            );
        }
    }
}

/// Whether a host can have an address that is declared.
fn is_host6(address: Ipv6Addr) -> bool {
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some())
}

/// Letters, digits and hyphens inside (RFC 1123 section 2.1).
fn is_label(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let has_ends = !text.is_empty() && !text.starts_with('-') && !text.ends_with('-');
    has_ends && text.len() <= 63 && text.bytes().all(is_allowed)
}

/// Name servers and search domain.
fn names(report: &mut Report<'_>, interface: &Interface) {
    length(
        report,
        "name servers",
        &interface.dns,
        MAX_NAME_SERVERS,
        "keep the nearest",
    );
    for server in &interface.dns {
        let address = server.0;
        // Its network is unknown: all bits may be the host's.
        if let Some(problem) = not_a_host(address, u32::MAX) {
            let message = format!("the name server {address} is {problem}");
            report.at(server, message, "name the server's own address");
        }
    }
    let domain = &interface.domain;
    if domain.len() > MAX_DOMAIN || !(domain.is_empty() || domain.split('.').all(is_label)) {
        report.at(
            domain,
            format!("\"{domain}\" is no domain"),
            format!("write names with dots between, such as \"example.org\", of at most {MAX_DOMAIN} bytes"),
        );
    }
}

/// Returns why an address cannot be a host's in a network with these bits for hosts (RFC 1122
/// section 3.2.1.3, RFC 6890).
fn not_a_host(address: Ipv4Addr, host_bits: u32) -> Option<&'static str> {
    let host = address.to_bits() & host_bits;
    if address.is_loopback() {
        Some("a loopback address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else if address.octets()[0] == 0 || address.octets()[0] >= 240 {
        Some("a reserved address")
    } else if host == 0 {
        Some("the address of the network itself")
    } else if host == host_bits {
        Some("the broadcast address of its network")
    } else {
        None
    }
}

/// A port belongs to one client.
fn port_owners(
    report: &mut Report<'_>,
    declaration: &Declaration,
    protocol: &str,
    ports: fn(&Pd) -> &[At<Ports>],
) {
    let mut taken: Vec<(&At<Ports>, &Named<Pd>)> = Vec::new();
    for pd in &declaration.pds {
        for entry in ports(pd) {
            let range = entry.0;
            // Sockets of groups share ports.
            let shared = |owner: &Named<Pd>| {
                protocol == "UDP" && pd.multicast && owner.multicast && *owner.name != *pd.name
            };
            let mut others = taken.iter();
            let clash = others.find(|(other, owner)| other.0.overlaps(range) && !shared(owner));
            if let Some((other, owner)) = clash {
                let place = report.source.place((*other).into());
                let (other, name) = (other.0, &owner.name);
                report.at(
                    entry,
                    format!("{protocol} port {range} clashes with {other} of {name} ({place})"),
                    "give each port to one client, once",
                );
            }
            taken.push((entry, pd));
        }
    }
}

/// There is one tap, and what it has seen is for one client.
fn capture(report: &mut Report<'_>, declaration: &Declaration, pd: &Named<Pd>) {
    if *pd.capture == 0 {
        return;
    }
    if !declaration.uses(pd, Service::Sockets) {
        report.at(
            &pd.capture,
            format!("{} captures, but uses no server of sockets", *pd.name),
            "add uses = [\"net_server\"]",
        );
    }
    if *pd.capture < CAPTURE_MIN {
        report.at(
            &pd.capture,
            format!("a buffer of {} bytes for frames", *pd.capture),
            format!("use {CAPTURE_MIN:#x} or more"),
        );
    }
    let mut others = declaration.pds.iter().filter(|other| *other.capture > 0);
    if let Some(first) = others.next()
        && *first.name != *pd.name
    {
        report.at(
            &pd.capture,
            format!("{} captures, and so does {}", *pd.name, *first.name),
            "let one client capture",
        );
    }
}

/// Checks what a PD may do as a client of the server of sockets.
pub fn client(report: &mut Report<'_>, declaration: &Declaration, pd: &Named<Pd>) {
    let name = &pd.name;
    let has_server = declaration.uses(pd, Service::Sockets);
    if pd.sockets() > 0 && !has_server {
        let at = match *pd.stream_sockets {
            0 => &pd.datagram_sockets,
            _ => &pd.stream_sockets,
        };
        report.at(
            at,
            format!("{name} has sockets, but uses no server of sockets"),
            "add uses = [\"net_server\"]",
        );
    }
    if pd.administration && !has_server {
        report.at(
            name,
            format!("{name} has administration, but uses no server of sockets"),
            "add uses = [\"net_server\"]",
        );
    }
    if pd.sockets() == 0 && has_server {
        report.at(
            name,
            format!("{name} uses the server of sockets, but may have none"),
            "add stream_sockets = 16, or datagram_sockets = 4",
        );
    }
    let (streams, datagrams) = (*pd.stream_sockets, *pd.datagram_sockets);
    let most = socket_proto::MAX_SOCKETS;
    if pd.sockets() > most {
        report.at(
            pd.stream_sockets.or(name),
            format!("{streams} stream and {datagrams} datagram sockets"),
            format!("a client has at most {most} sockets"),
        );
    }
    let asks_dhcp = declaration.interface.asks_dhcp();
    let dhcp = pd.udp_bind.iter().find(|ports| ports.0.contains(68));
    if let Some(at) = dhcp.filter(|_| asks_dhcp) {
        let message = "UDP port 68 is where DHCP servers answer, and `address` comes from one";
        report.at(at, message, "leave it out");
    }
    if streams == 0 && !(pd.tcp_listen.is_empty() && pd.tcp_connect.is_empty()) {
        report.at(
            pd.stream_sockets.or(name),
            "no stream sockets, but TCP ports or destinations",
            "allow some (stream_sockets = 16), or remove tcp_listen and tcp_connect",
        );
    }
    if datagrams == 0 && !(pd.udp_bind.is_empty() && pd.udp_send.is_empty()) {
        report.at(
            pd.datagram_sockets.or(name),
            "no datagram sockets, but UDP ports or destinations",
            "allow some (datagram_sockets = 4), or remove udp_bind and udp_send",
        );
    }
    for (key, has) in [("icmp", pd.icmp), ("multicast", pd.multicast)] {
        if datagrams == 0 && has {
            report.at(
                pd.datagram_sockets.or(name),
                format!("no datagram sockets, but {key}"),
                format!("allow some (datagram_sockets = 4), or remove {key}"),
            );
        }
    }
    let join = "join them to ranges such as \"8000-8010\"";
    length(report, "ports", &pd.tcp_listen, MAX_PORT_RANGES, join);
    length(report, "ports", &pd.udp_bind, MAX_PORT_RANGES, join);
    let shorten = "use a shorter prefix or a range of ports";
    for list in [&pd.tcp_connect, &pd.udp_send] {
        length(report, "destinations", list, MAX_DESTINATIONS, shorten);
    }
    memory(report, declaration, pd);
    capture(report, declaration, pd);
    window(report, declaration, pd);
}

/// A socket must be able to receive what may be sent to it.
fn memory(report: &mut Report<'_>, declaration: &Declaration, pd: &Named<Pd>) {
    let longest = *declaration.buffers.datagram_receive;
    if let Some(memory) = &pd.datagram_memory
        && *pd.datagram_sockets > 0
        && **memory < longest
    {
        report.at(
            memory,
            format!(
                "{} bytes for datagrams, and one socket may buffer {longest}",
                **memory
            ),
            format!("use {longest} or more, or make buffers.datagram_receive smaller"),
        );
    }
}

fn length<T>(report: &mut Report<'_>, what: &str, list: &[At<T>], most: usize, help: &str) {
    if let Some(entry) = list.get(most) {
        report.at(
            entry,
            format!("too many {what}"),
            format!("a list holds at most {most}: {help}"),
        );
    }
}

fn window(report: &mut Report<'_>, declaration: &Declaration, pd: &Named<Pd>) {
    let before = report.errors.len();
    check::size(report, "window", &pd.window, WINDOWS, PAGE);
    // The client library uses half of each half for one call, where a datagram must fit with its
    // header (socket_client::Areas).
    let longest = u64::from(*declaration.buffers.datagram_send).min(MAX_PAYLOAD as u64);
    let datagram = longest.next_multiple_of(8) + HEADER_SIZE as u64;
    let needed = (2 * datagram).next_multiple_of(PAGE);
    let has_room = *pd.datagram_sockets == 0 || *pd.window >= needed;
    if report.errors.len() == before && !has_room {
        let size = *pd.window;
        report.at(
            pd.window.or(&pd.name),
            format!("a datagram of {longest} bytes does not fit into a window of {size:#x} bytes"),
            format!("use window = {needed:#x} or more, or make buffers.datagram_send smaller"),
        );
    }
}
