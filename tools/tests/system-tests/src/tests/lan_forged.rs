// SPDX-License-Identifier: BSD-2-Clause
//! ICMP errors that somebody made up, and packets from addresses that nobody can have.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use smoltcp::wire::{IpProtocol, Ipv4Address, TcpControl, TcpSeqNumber};

use crate::boot::{CLOSED, ECHO, HTTP};
use crate::lan::connection::{Connection, segment};
use crate::lan::packets::{Host, Packet, arp_request, icmp_error};
use crate::lan::{Lan, Station};
use crate::link::GUEST_IP;
use crate::link::frames::{Echo, describe};
use crate::suite::{Test, test_list};
use crate::world::TIMEOUT;

pub const TESTS: &[Test] = test_list![Lan:
    lan_icmp_errors_do_not_end_connections,
    lan_icmp_about_a_smaller_mtu_is_obeyed,
    lan_icmp_about_a_smaller_mtu_is_checked,
    lan_impossible_sources_get_no_answer,
];

const UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;
const SOURCE_QUENCH: u8 = 4;

/// A connection that has asked for `size` bytes over HTTP, and the packet that brings the first of
/// them, which is not acknowledged.
fn with_data_under_way<'l>(
    station: Station<'l>,
    port: u16,
    size: usize,
) -> Result<(Connection<'l>, Packet)> {
    let mut connection = Connection::open(station, port, HTTP)?;
    let request = format!("GET /bytes/{size} HTTP/1.1\r\nHost: x\r\n\r\n");
    connection.send(TcpControl::Psh, connection.next, request.as_bytes())?;
    connection.next += request.len();
    let expected = connection.expected;
    let first = connection
        .wait_for(TIMEOUT, |reply, packet| {
            // A head of its own, then data: only a full segment shows what is too large.
            let full = reply.payload.len() > 1000 && reply.seq >= expected;
            full.then(|| packet.clone())
        })
        .context("no data")?;
    Ok((connection, first))
}

/// RFC 1122 section 4.2.3.9 and RFC 5927: established connections take them as hints at most.
fn lan_icmp_errors_do_not_end_connections(world: &mut Lan) -> Result<()> {
    let station = world.station(10);
    let mut connection = Connection::open(station, 5100, ECHO)?;
    connection.echo(b"before")?;
    let quoted = last_packet(&mut connection)?;
    for code in (0..16).filter(|code| *code != FRAGMENTATION_NEEDED) {
        station.send(IpProtocol::Icmp, &icmp_error(UNREACHABLE, code, 0, &quoted))?;
    }
    for kind in [TIME_EXCEEDED, PARAMETER_PROBLEM, SOURCE_QUENCH] {
        station.send(IpProtocol::Icmp, &icmp_error(kind, 0, 0, &quoted))?;
    }
    connection.echo(b"after")?;
    connection.abort()
}

/// The packet of an echo, as the guest sent it.
fn last_packet(connection: &mut Connection<'_>) -> Result<Packet> {
    let request = connection.segment(TcpControl::Psh, connection.next, b"to be quoted");
    connection.station.send_segment(&request)?;
    let expected = connection.expected;
    let packet = connection.wait_for(TIMEOUT, |reply, packet| {
        (reply.seq == expected && !reply.payload.is_empty()).then(|| packet.clone())
    })?;
    connection.next += b"to be quoted".len();
    connection.expected += b"to be quoted".len();
    connection.send(TcpControl::None, connection.next, &[])?;
    Ok(packet)
}

/// RFC 1191 section 6: what was too large comes again in smaller segments, and later data too.
fn lan_icmp_about_a_smaller_mtu_is_obeyed(world: &mut Lan) -> Result<()> {
    const MTU: usize = 700;
    let station = world.station(11);
    let (mut connection, first) = with_data_under_way(station, 5110, 20_000)?;
    let error = icmp_error(UNREACHABLE, FRAGMENTATION_NEEDED, MTU as u32, &first);
    // Acknowledging nothing: what was under way counts as lost.
    let repeated = station.wait_for(None, Duration::from_millis(1), |_| None::<()>);
    ensure!(repeated.is_err(), "a wait that nothing ends has ended");
    station.send(IpProtocol::Icmp, &error)?;
    let mut received = 0;
    let mut small = 0;
    while received < 20_000 {
        let expected = connection.expected;
        let (len, size) = connection
            .wait_for(TIMEOUT, |reply, packet| {
                // Larger ones may have been under way before the error came.
                let fits = packet.bytes.len() <= MTU;
                (fits && reply.seq == expected && !reply.payload.is_empty())
                    .then_some((reply.payload.len(), packet.bytes.len()))
            })
            .with_context(|| format!("nothing of at most {MTU} bytes after {received} bytes"))?;
        ensure!(size <= MTU, "{size} bytes");
        small += 1;
        received += len;
        connection.expected += len;
        connection.send(TcpControl::None, connection.next, &[])?;
    }
    ensure!(small > 20_000 / MTU, "{small} segments for 20,000 bytes");
    connection.abort()
}

/// An error that quotes what was never sent, or says a size that cannot be, changes nothing.
fn lan_icmp_about_a_smaller_mtu_is_checked(world: &mut Lan) -> Result<()> {
    let station = world.station(12);
    let (mut connection, first) = with_data_under_way(station, 5120, 60_000)?;
    let mut never_sent = first.clone();
    // The sequence number, the second word of the TCP header.
    let seq = never_sent.bytes.len() - never_sent.payload.len() + 4;
    if let Some(field) = never_sent.bytes.get_mut(seq..seq + 4) {
        let far = TcpSeqNumber(connection.initial.0.wrapping_sub(1_000_000_000));
        field.copy_from_slice(&far.0.to_be_bytes());
    }
    for mtu in [296, 576, 1000] {
        let error = icmp_error(UNREACHABLE, FRAGMENTATION_NEEDED, mtu, &never_sent);
        station.send(IpProtocol::Icmp, &error)?;
    }
    for mtu in [1500, 9000, 65_535] {
        let error = icmp_error(UNREACHABLE, FRAGMENTATION_NEEDED, mtu, &first);
        station.send(IpProtocol::Icmp, &error)?;
    }
    let mut received = 0;
    let mut full = 0;
    while received < 50_000 {
        let expected = connection.expected;
        let (len, size) = connection.wait_for(TIMEOUT, |reply, packet| {
            (reply.seq == expected && !reply.payload.is_empty())
                .then_some((reply.payload.len(), packet.bytes.len()))
        })?;
        received += len;
        full += usize::from(size > 1400);
        connection.expected += len;
        connection.send(TcpControl::None, connection.next, &[])?;
    }
    ensure!(full > 10, "only {full} full segments in 50,000 bytes");
    connection.abort()
}

/// RFC 1122 section 3.2.1.3: such a source address is never right.
fn lan_impossible_sources_get_no_answer(world: &mut Lan) -> Result<()> {
    let mut wrong = Vec::new();
    // Answers for addresses of other networks would go to the gateway, which is Linux.
    world
        .switch
        .mirrored(|| send_from_impossible_sources(world, &mut wrong))?;
    ensure!(wrong.is_empty(), "answers for forged sources: {wrong:#?}");
    Ok(())
}

/// Sends packets that would be answered if their sources were right; what goes to those sources.
fn send_from_impossible_sources(world: &Lan, wrong: &mut Vec<String>) -> Result<()> {
    let honest = world.station(13);
    let sources = [
        Ipv4Address::new(127, 0, 0, 1),
        Ipv4Address::new(127, 1, 2, 3),
        Ipv4Address::new(224, 0, 0, 1),
        Ipv4Address::new(239, 255, 1, 1),
        Ipv4Address::new(255, 255, 255, 255),
        Ipv4Address::new(10, 0, 255, 255),
        Ipv4Address::new(0, 0, 0, 0),
        GUEST_IP,
    ];
    for (sequence, ip) in (1..).zip(sources) {
        let forged = Host { ip, ..honest.host };
        let guest = world.guest_mac;
        let echo = Echo {
            ident: 1,
            sequence,
            data: vec![0; 8],
        };
        let seq = TcpSeqNumber(1000);
        for frame in [
            forged.ping(guest, &echo),
            forged.udp(guest, (4000, ECHO), b"forged"),
            forged.udp(guest, (4000, CLOSED), b"forged"),
            forged.tcp(
                guest,
                &segment((4000, ECHO), TcpControl::Syn, seq, None, &[]),
            ),
            forged.tcp(
                guest,
                &segment((4000, CLOSED), TcpControl::Syn, seq, None, &[]),
            ),
        ] {
            honest.send_frame(&frame)?;
        }
        honest.ping(sequence, |frame| {
            let answers = Packet::read(frame).is_some_and(|packet| packet.to.ip == ip);
            let asks = arp_request(frame).is_some_and(|(_, target)| target == ip);
            if answers || asks {
                wrong.push(describe(frame));
            }
        })?;
    }
    Ok(())
}
