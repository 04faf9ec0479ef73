// SPDX-License-Identifier: BSD-2-Clause

//! Hosts on the link: finding them, not being misled about them, and many of them at once.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use socket_proto::{Errno, Handle, PollBits, Received, SocketKind, Span, op};
use stats::NetServer as Counter;
use test_world::{
    C2S, Faults, PEER_IP, PEER_MAC, SERVER_IP, SERVER_MAC, World, config, frames, limits,
};

const SECOND: u64 = 1_000_000_000;
const ALL: [u8; 6] = [0xff; 6];

fn host(number: u16) -> ([u8; 6], Ipv4Addr) {
    let [high, low] = number.to_be_bytes();
    ([0x02, 1, 0, 0, high, low], Ipv4Addr::new(10, 0, high, low))
}

/// A network with room for many hosts.
fn wide() -> World {
    let mut config = config();
    config.prefix = 16;
    World::new(config, vec![limits(64, 4), limits(8, 4)], Faults::none())
}

fn reply(from: ([u8; 6], Ipv4Addr)) -> Vec<u8> {
    let packet = frames::arp(2, from, (SERVER_MAC, SERVER_IP));
    frames::ethernet(from.0, SERVER_MAC, 0x0806, &packet)
}

fn request(from: ([u8; 6], Ipv4Addr)) -> Vec<u8> {
    let packet = frames::arp(1, from, ([0; 6], SERVER_IP));
    frames::ethernet(from.0, ALL, 0x0806, &packet)
}

fn datagram(from: ([u8; 6], Ipv4Addr), port: u16, payload: &[u8]) -> Vec<u8> {
    let packet = frames::udp((from.1, 9), (SERVER_IP, port), payload);
    frames::ethernet(from.0, SERVER_MAC, 0x0800, &packet)
}

/// Where the datagrams went that the server sent since it was last looked.
fn destinations(world: &mut World) -> Vec<([u8; 6], Ipv4Addr)> {
    world.run_for(SECOND / 1000);
    let sent = world.medium.take_tap();
    world.medium.start_tap();
    let datagrams = sent.iter().filter_map(|frame| frames::payload(frame, 17));
    datagrams.map(|(mac, to, _)| (mac, to)).collect()
}

/// Who was asked for since it was last looked.
fn asked(world: &mut World) -> Vec<(Ipv4Addr, [u8; 6])> {
    let sent = world.medium.take_tap();
    world.medium.start_tap();
    sent.iter()
        .filter_map(|frame| frames::asked(frame))
        .collect()
}

fn send(world: &mut World, socket: Handle, to: Ipv4Addr, payload: &[u8]) {
    let to = format!("{to}:9");
    assert_eq!(world.send_datagrams(socket, &[(Some(&to), payload)]), Ok(1));
}

/// Sends back what has come.
fn echo(world: &mut World, socket: Handle) {
    loop {
        let span = Span {
            offset: C2S.into(),
            length: 100_000,
        };
        let Ok(Received { bytes, .. }) = world.ask(op::Recv::new(socket, span)) else {
            break;
        };
        let span = Span {
            length: bytes,
            ..span
        };
        world.ask(op::Send::new(socket, span)).unwrap();
    }
}

#[test]
fn a_thousand_hosts_with_a_datagram_a_second_each_are_answered() {
    // Hosts that answer ARP, and hosts that do not.
    for answers_arp in [true, false] {
        let mut world = wide();
        let socket = world.socket(SocketKind::Datagram);
        world.bind(socket, "0.0.0.0:7").unwrap();
        world.medium.start_tap();
        let mut answered: HashMap<Ipv4Addr, u32> = HashMap::new();
        let mut requests = 0;
        for round in 0..3000u16 {
            let from = host(0x1000 + round % 1000);
            world
                .medium
                .inject(test_world::SERVER, datagram(from, 7, b"anyone?"));
            world.run_for(SECOND / 1000);
            echo(&mut world, socket);
            for frame in world.medium.take_tap() {
                if let Some((target, to)) = frames::asked(&frame) {
                    requests += 1;
                    let number = u16::from_be_bytes([target.octets()[2], target.octets()[3]]);
                    if answers_arp && target != PEER_IP {
                        assert_eq!(to, host(number).0, "a probe goes to its host alone");
                        world.medium.inject(test_world::SERVER, reply(host(number)));
                    }
                } else if let Some((mac, to, _)) = frames::payload(&frame, 17) {
                    let number = u16::from_be_bytes([to.octets()[2], to.octets()[3]]);
                    assert_eq!(mac, host(number).0);
                    *answered.entry(to).or_default() += 1;
                }
            }
            world.medium.start_tap();
        }
        assert_eq!(answered.len(), 1000);
        let total: u32 = answered.values().sum();
        assert!(total >= 2970, "{total} of 3000");
        assert!(requests <= 1000, "{requests} requests");
    }
}

#[test]
fn a_host_is_asked_for_once_a_second_and_given_up_after_three_times() {
    let mut world = wide();
    let (_, to) = host(0x0900);
    let datagram = world.socket(SocketKind::Datagram);
    world.connect(datagram, &format!("{to}:9")).unwrap();
    let stream = world.socket(SocketKind::Stream);
    world.medium.start_tap();
    assert_eq!(
        world.connect(stream, &format!("{to}:9")),
        Err(Errno::EINPROGRESS)
    );
    let start = world.now;
    while !world.bits(datagram).contains(PollBits::ERR) && world.now < start + 10 * SECOND {
        // As often as it is sent to.
        let _ = world.send_datagrams(datagram, &[(None, b"there?")]);
        world.run_for(SECOND / 100);
    }
    let took = world.now - start;
    assert!(
        (29..=32).contains(&(took / (SECOND / 10))),
        "after {took} ns"
    );
    assert_eq!(asked(&mut world), [(to, ALL); 3]);
    assert_eq!(world.so_error(datagram), Some(Errno::EHOSTUNREACH));
    assert_eq!(world.so_error(stream), Some(Errno::EHOSTUNREACH));
    assert!(world.count(Counter::DropsUnresolved) > 100);
}

#[test]
fn the_newest_datagram_for_a_host_waits_for_it() {
    let mut world = wide();
    let first = world.socket(SocketKind::Datagram);
    world.medium.start_tap();
    let hosts = [host(0x0900), host(0x0901)];
    for payload in [b"old", b"new"] {
        for (_, to) in hosts {
            send(&mut world, first, to, payload);
        }
    }
    world.run_for(SECOND / 10);
    world.inject(reply(hosts[1]));
    world.inject(reply(hosts[0]));
    let sent = world.medium.take_tap();
    let datagrams: Vec<_> = sent
        .iter()
        .filter_map(|frame| frames::payload(frame, 17))
        .collect();
    let payloads: Vec<_> = datagrams
        .iter()
        .map(|(mac, _, bytes)| (*mac, &bytes[8..]))
        .collect();
    assert_eq!(
        payloads,
        [(hosts[1].0, &b"new"[..]), (hosts[0].0, &b"new"[..])]
    );
    assert_eq!(world.count(Counter::DropsUnresolved), 2);
}

#[test]
fn nobody_else_can_say_where_a_host_is() {
    let mut world = wide();
    let socket = world.socket(SocketKind::Datagram);
    let (right, to) = host(0x0900);
    let wrong = [0x02, 0xbb, 0, 0, 0, 1];
    world.medium.start_tap();
    send(&mut world, socket, to, b"x");
    world.inject(reply((right, to)));
    world.run_for(SECOND / 10);
    // A known address is neither changed by answers to nobody, nor by requests, nor by packets; the
    // gateway's neither.
    for address in [to, PEER_IP] {
        world.inject(reply((wrong, address)));
        world.inject(request((wrong, address)));
        world.inject(datagram((wrong, address), 7, b"it is me"));
    }
    destinations(&mut world);
    send(&mut world, socket, to, b"y");
    send(&mut world, socket, PEER_IP, b"z");
    assert_eq!(destinations(&mut world), [(right, to), (PEER_MAC, PEER_IP)]);
    // When it is no longer fresh, the host itself is asked, and nobody else can answer.
    world.run_for(40 * SECOND);
    asked(&mut world);
    send(&mut world, socket, to, b"w");
    assert_eq!(asked(&mut world).last(), Some(&(to, right)));
    world.inject(reply((wrong, to)));
    send(&mut world, socket, to, b"v");
    assert_eq!(destinations(&mut world), [(right, to)]);
    // Nobody answers: then all are asked.
    for _ in 0..4 {
        world.run_for(SECOND);
        send(&mut world, socket, to, b"u");
    }
    assert_eq!(asked(&mut world).last(), Some(&(to, ALL)));
    world.inject(reply((wrong, to)));
    send(&mut world, socket, to, b"t");
    assert_eq!(destinations(&mut world).last(), Some(&(wrong, to)));
}

#[test]
fn what_the_gateway_forwards_says_nothing_about_neighbours() {
    let mut world = wide();
    let socket = world.socket(SocketKind::Datagram);
    let (_, to) = host(0x0900);
    world.medium.start_tap();
    world.inject(datagram((PEER_MAC, to), 7, b"forged, from outside"));
    send(&mut world, socket, to, b"x");
    assert_eq!(asked(&mut world), [(to, ALL)]);
}

#[test]
fn a_flood_of_addresses_pushes_out_no_known_host() {
    let mut world = wide();
    let socket = world.socket(SocketKind::Datagram);
    let known: Vec<_> = (0..20).map(|n| host(0x0900 + n)).collect();
    for &host in &known {
        send(&mut world, socket, host.1, b"x");
        world.inject(reply(host));
    }
    for n in 0..5000 {
        world.inject(datagram(host(0x1000 + n), 7, b"flood"));
    }
    world.medium.start_tap();
    for &(_, to) in &known {
        send(&mut world, socket, to, b"y");
    }
    send(&mut world, socket, PEER_IP, b"y");
    let mut expected = known.clone();
    expected.push((PEER_MAC, PEER_IP));
    assert_eq!(destinations(&mut world), expected);
}

#[test]
fn who_waits_for_one_host_is_not_woken_by_others() {
    let mut world = wide();
    for n in 0..30 {
        let stream = world.socket(SocketKind::Stream);
        let to = host(0x0900 + n).1;
        assert_eq!(
            world.connect(stream, &format!("{to}:9")),
            Err(Errno::EINPROGRESS)
        );
    }
    world.run_for(SECOND / 10);
    let before = world.count(Counter::SocketVisits);
    for n in 0..100 {
        world.inject(request(host(0x1000 + n)));
        world.inject(reply(host(0x1000 + n)));
    }
    assert_eq!(world.count(Counter::SocketVisits), before);
    world.inject(reply(host(0x0900)));
    let visits = world.count(Counter::SocketVisits) - before;
    assert!((1..=2).contains(&visits), "{visits}");
}

#[test]
fn whoever_asks_for_this_machine_is_answered_within_limits() {
    let mut world = wide();
    world.medium.start_tap();
    let replies = |world: &mut World| {
        let sent = world.medium.take_tap();
        world.medium.start_tap();
        sent.iter()
            .filter(|frame| frame[12..14] == [8, 6] && frame[21] == 2)
            .count()
    };
    world.inject(request(host(0x0900)));
    // A host that looks whether its address is taken has none yet (RFC 5227).
    world.inject(request((host(0x0901).0, Ipv4Addr::UNSPECIFIED)));
    assert_eq!(replies(&mut world), 2);
    for _ in 0..1000 {
        world.inject(request(host(0x0900)));
    }
    assert!((1..30).contains(&replies(&mut world)));
    assert!(world.count(Counter::RepliesLimited) > 900);
    world.inject(request(host(0x0902)));
    assert_eq!(replies(&mut world), 1, "others are not affected");
    // This machine's own address, and no address that a neighbour can have.
    let before = world.count(Counter::DropsSource);
    for address in [
        SERVER_IP,
        Ipv4Addr::new(192, 0, 2, 1),
        Ipv4Addr::new(10, 0, 255, 255),
    ] {
        world.inject(request((host(0x0903).0, address)));
    }
    assert_eq!(world.count(Counter::DropsSource) - before, 3);
    assert_eq!(replies(&mut world), 0);
}

#[test]
fn a_reset_that_cannot_leave_does_not_keep_the_server_busy() {
    use smoltcp::wire::{IpAddress, Ipv4Packet, TcpPacket};
    let mut world = World::simple();
    let listener = world.listen(7, 4);
    let (socket, _) = world.connected(listener, 7);
    world.medium.start_recording();
    world.close(socket);
    world.run_for(SECOND / 10);
    // The peer's acknowledgement of the FIN, with data for a socket that is closed.
    let received = world.medium.take_recording();
    let mut frame = received.last().expect("an acknowledgement").clone();
    frame.extend_from_slice(b"late");
    let length = frame.len() as u16 - 14;
    let mut packet = Ipv4Packet::new_unchecked(&mut frame[14..]);
    packet.set_total_len(length);
    packet.fill_checksum();
    let mut tcp = TcpPacket::new_unchecked(packet.payload_mut());
    tcp.fill_checksum(&IpAddress::Ipv4(PEER_IP), &IpAddress::Ipv4(SERVER_IP));
    // It comes when the gateway's address is not known any longer.
    world.medium.set_faults(Faults {
        lost: 1000,
        ..Faults::none()
    });
    world.run_for(45 * SECOND);
    let counted =
        |world: &World| [Counter::TcpReset, Counter::SocketVisits].map(|of| world.count(of));
    let [resets, visits] = counted(&world);
    world.inject(frame);
    world.run_for(SECOND / 10);
    let after = counted(&world);
    assert_eq!(after[0] - resets, 1);
    let visits = after[1] - visits;
    assert!((1..10).contains(&visits), "{visits} visits");
}
