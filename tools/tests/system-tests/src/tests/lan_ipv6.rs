// SPDX-License-Identifier: BSD-2-Clause
//! The guest and Linux's own stack by IPv6: addresses that a router advertises, pings, echo, HTTP.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use host_peer::contents;
use smoltcp::wire::{EthernetAddress, Icmpv6Packet, Ipv6Address};
use socket2::{Domain, Protocol, Socket, Type};
use testnet::Conditions;

use super::curl::curl;
use super::echoing::echo;
use super::http_resources::get_bytes;
use super::udp::Peer;
use crate::boot::{ECHO, HTTP};
use crate::lan::Lan;
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT};

pub const TESTS: &[Test] = test_list![Lan:
    lan_ipv6_ping_by_link_local_addresses,
    lan_ipv6_a_router_gives_an_address,
    lan_ipv6_pings_of_all_sizes,
    lan_ipv6_udp_echo_of_all_sizes,
    lan_ipv6_tcp_echo_on_good_and_bad_cables,
    lan_ipv6_curl,
    lan_ipv6_download_through_a_narrow_link,
    lan_ipv6_nobody_listens,
];

/// The test's own router.
const ROUTER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 6, 1]);
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 6, 1);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// The network that it advertises, in which [`testnet::Namespace`] has an address, too.
const NETWORK: Ipv6Addr = testnet::NETWORK6;

/// The guest's address in a network of 64 bits (RFC 4291 appendix A).
fn guest_in(network: Ipv6Addr, world: &Lan) -> Ipv6Addr {
    let [a, b, c, d, e, f] = world.guest_mac.0;
    let host = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    Ipv6Addr::from_bits(network.to_bits() >> 64 << 64 | u128::from(host))
}

/// An advertisement of the network and of the router, as a frame to all hosts.
fn advertisement() -> Vec<u8> {
    let mut message = vec![134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    // The router's Ethernet address (RFC 4861 section 4.6.1).
    message.extend_from_slice(&[1, 1]);
    message.extend_from_slice(&ROUTER_MAC.0);
    // The prefix: on the link, and for addresses; for an hour (section 4.6.2).
    message.extend_from_slice(&[3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0, 14, 16, 0, 0, 0, 0]);
    message.extend_from_slice(&NETWORK.octets());
    let (from, to): (Ipv6Address, Ipv6Address) = (ROUTER, ALL_NODES);
    Icmpv6Packet::new_unchecked(&mut message[..]).fill_checksum(&from, &to);
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1];
    frame.extend_from_slice(&ROUTER_MAC.0);
    frame.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend_from_slice(&(message.len() as u16).to_be_bytes());
    frame.extend_from_slice(&[58, 255]);
    frame.extend_from_slice(&from.octets());
    frame.extend_from_slice(&to.octets());
    frame.extend_from_slice(&message);
    frame
}

/// Linux's number of the interface, and whether its addresses can be used.
fn interface() -> Result<(u32, bool)> {
    let table = std::fs::read_to_string("/proc/thread-self/net/if_inet6")?;
    let own = table
        .lines()
        .filter(|line| line.starts_with("fe80") || line.starts_with("fd"));
    let fields: Vec<Vec<&str>> = own.map(|line| line.split_whitespace().collect()).collect();
    let index = fields
        .first()
        .and_then(|fields| fields.get(1))
        .context("no IPv6 here")?;
    // 0x40: it is found out whether another host has the address.
    let ready = fields.len() >= 2 && fields.iter().all(|fields| fields.get(4) == Some(&"80"));
    Ok((u32::from_str_radix(index, 16)?, ready))
}

/// Waits until Linux's own addresses can be used. Returns the number of the interface.
fn await_interface() -> Result<u32> {
    let deadline = Instant::now() + TIMEOUT;
    while Instant::now() < deadline {
        if let (index, true) = interface()? {
            return Ok(index);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("Linux has no address of IPv6")
}

/// The guest's services by its address in the network that the router advertises.
fn sockets(world: &Lan) -> Result<Sockets> {
    await_interface()?;
    world.raw.send(&advertisement())?;
    let ip = guest_in(NETWORK, world);
    let at = |port| SocketAddr::from((ip, port));
    let sockets = Sockets {
        echo: at(ECHO),
        http: at(HTTP),
        closed: at(crate::boot::CLOSED),
        hostile: at(crate::boot::HOSTILE),
        lookup: at(crate::boot::LOOKUP),
        c_echo: at(crate::boot::C_ECHO),
        c_get: at(crate::boot::C_GET),
        guest: None,
    };
    ping(SocketAddrV6::new(ip, 0, 0, 0), 1, 0).context("the address that a router gives")?;
    Ok(sockets)
}

/// Sends a ping with so many bytes, again each second, until its answer comes.
fn ping(guest: SocketAddrV6, sequence: u8, size: usize) -> Result<()> {
    let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let socket: UdpSocket = socket.into();
    // Linux writes the checksum.
    let mut request = vec![128, 0, 0, 0, 0x4c, 0x4e, 0, sequence];
    request.extend(contents::random(sequence.into(), size));
    let deadline = Instant::now() + TIMEOUT;
    let mut buffer = vec![0; 65536];
    while Instant::now() < deadline {
        // There may be no way there yet.
        let _ = socket.send_to(&request, guest);
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            let answer = buffer.get(..n).unwrap_or_default();
            let same = answer.get(4..8) == request.get(4..8);
            if from.ip() == *guest.ip() && answer.first() == Some(&129) && same {
                contents::compare(&request[4..], &answer[4..])?;
                return Ok(());
            }
        }
    }
    bail!("no answer to a ping with {size} bytes")
}

fn lan_ipv6_ping_by_link_local_addresses(world: &mut Lan) -> Result<()> {
    let scope = await_interface()?;
    let guest = guest_in(ROUTER, world);
    for (sequence, size) in (1..).zip([0, 56, 1452]) {
        ping(SocketAddrV6::new(guest, 0, 0, scope), sequence, size)?;
    }
    Ok(())
}

/// The guest asks whether it is alone with its address, reports its group, and uses it.
fn lan_ipv6_a_router_gives_an_address(world: &mut Lan) -> Result<()> {
    sockets(world)?;
    // It has answered; nobody else may have that address now.
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.connect((guest_in(NETWORK, world), ECHO))?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.send(b"who is there?")?;
    let mut buffer = [0; 64];
    let n = socket.recv(&mut buffer)?;
    ensure!(&buffer[..n] == b"who is there?", "{n} other bytes");
    Ok(())
}

fn lan_ipv6_pings_of_all_sizes(world: &mut Lan) -> Result<()> {
    sockets(world)?;
    let guest = SocketAddrV6::new(guest_in(NETWORK, world), 0, 0, 0);
    // The largest needs 42 fragments.
    for (sequence, size) in (1..).zip([1, 1452, 1453, 8000, 60_000]) {
        ping(guest, sequence, size)?;
    }
    Ok(())
}

fn lan_ipv6_udp_echo_of_all_sizes(world: &mut Lan) -> Result<()> {
    let mut peer = Peer::new(sockets(world)?.echo)?;
    for size in [1, 64, 1000, 1452, 1453, 3000, 20_000, 60_000] {
        peer.exchange(&[contents::random(size as u64, size)])
            .with_context(|| format!("{size} bytes"))?;
    }
    Ok(())
}

fn lan_ipv6_tcp_echo_on_good_and_bad_cables(world: &mut Lan) -> Result<()> {
    let sockets = sockets(world)?;
    echo(&sockets.connect_echo()?, &contents::random(6, 4 << 20))?;
    world.switch.under(super::lan_traffic::bad(6), || {
        echo(&sockets.connect_echo()?, &contents::random(7, 1 << 20))
    })
}

fn lan_ipv6_curl(world: &mut Lan) -> Result<()> {
    let sockets = sockets(world)?;
    let page = curl(
        &sockets,
        &["--fail", "-6", "--globoff"],
        &["/", "/bytes/100000"],
    )?;
    ensure!(page.len() > 100_000, "{} bytes", page.len());
    Ok(())
}

fn lan_ipv6_download_through_a_narrow_link(world: &mut Lan) -> Result<()> {
    let sockets = sockets(world)?;
    for mtu in [1400, 1280] {
        let before = world.switch.counts().too_big;
        let narrow = Conditions {
            mtu: Some(mtu),
            ..Conditions::default()
        };
        let download = || get_bytes(&mut sockets.connect_http()?, 200_000);
        let downloaded = world.switch.under(narrow, download);
        downloaded.with_context(|| format!("MTU {mtu}"))?;
        let dropped = world.switch.counts().too_big - before;
        ensure!(
            dropped > 0 && dropped < 100,
            "{dropped} packets were too large for {mtu} bytes"
        );
    }
    Ok(())
}

fn lan_ipv6_nobody_listens(world: &mut Lan) -> Result<()> {
    let sockets = sockets(world)?;
    let refused = std::net::TcpStream::connect_timeout(&sockets.closed, TIMEOUT);
    let kind = refused.err().map(|error| error.kind());
    ensure!(
        kind == Some(std::io::ErrorKind::ConnectionRefused),
        "TCP: {kind:?}"
    );
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.connect(sockets.closed)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.send(b"?")?;
    let kind = socket.recv(&mut [0; 8]).err().map(|error| error.kind());
    ensure!(
        kind == Some(std::io::ErrorKind::ConnectionRefused),
        "UDP: {kind:?}"
    );
    Ok(())
}
