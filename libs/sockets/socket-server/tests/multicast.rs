// SPDX-License-Identifier: BSD-2-Clause

//! Groups: who hears what comes to them, what is sent to them, and what routers are told.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use socket_proto::{Errno, Handle, SocketKind, SocketOption, op};
use stats::NetServer as Counter;
use test_world::{
    Faults, PEER_IP, PEER_IP6, PEER_MAC, SERVER_IP, SERVER_MAC, World, config, config6, frames,
    limits,
};

const SECOND: u64 = 1_000_000_000;
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 200, 3);
const GROUP_MAC: [u8; 6] = [0x01, 0, 0x5e, 1, 200, 3];
const GROUP6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0x77, 0x1234);
const GROUP6_MAC: [u8; 6] = [0x33, 0x33, 0, 0x77, 0x12, 0x34];
const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
const PORT: u16 = 5000;

fn world(config: socket_server::Config) -> World {
    World::new(config, vec![limits(4, 30), limits(4, 30)], Faults::none())
}

fn member(world: &mut World, at: &str, group: Option<IpAddr>) -> Handle {
    let socket = match at.starts_with('[') {
        true => world.socket6(SocketKind::Datagram),
        false => world.socket(SocketKind::Datagram),
    };
    set(world, socket, SocketOption::ReuseAddress, 1).unwrap();
    world.bind(socket, at).unwrap();
    if let Some(group) = group {
        join(world, socket, group).unwrap();
    }
    socket
}

fn set(world: &mut World, socket: Handle, option: SocketOption, value: u64) -> Result<(), Errno> {
    world.ask(op::SetOption {
        socket,
        option,
        value,
        second: 0,
    })
}

fn join(world: &mut World, socket: Handle, group: IpAddr) -> Result<(), Errno> {
    let group = (group, 0).into();
    world.ask(op::Join { socket, group })
}

fn leave(world: &mut World, socket: Handle, group: IpAddr) -> Result<(), Errno> {
    let group = (group, 0).into();
    world.ask(op::Leave { socket, group })
}

/// A datagram of the peer to a group.
fn arrives(world: &mut World, group: Ipv4Addr, payload: &[u8]) {
    let packet = frames::udp((PEER_IP, 9), (group, PORT), payload);
    let [_, a, b, c] = group.octets();
    let mac = [0x01, 0, 0x5e, a & 0x7f, b, c];
    world.inject(frames::ethernet(PEER_MAC, mac, 0x0800, &packet));
}

/// What waits on sockets, the first bytes.
fn heard<const N: usize>(world: &mut World, sockets: [Handle; N]) -> [Vec<u8>; N] {
    sockets.map(|socket| {
        let received = world.recv_datagrams(socket, 10_000).unwrap_or_default();
        received.iter().map(|(_, payload)| payload[0]).collect()
    })
}

#[test]
fn each_member_at_the_port_hears_a_group() {
    let mut world = world(config());
    let any = member(&mut world, "0.0.0.0:5000", Some(GROUP.into()));
    let both = member(&mut world, "[::]:5000", Some(GROUP.into()));
    let there = member(&mut world, "239.1.200.3:5000", Some(GROUP.into()));
    let no_member = member(&mut world, "0.0.0.0:5000", None);
    let elsewhere = member(&mut world, "0.0.0.0:5001", Some(GROUP.into()));
    let own = member(&mut world, "10.0.2.15:5000", Some(GROUP.into()));
    let all = [any, both, there, no_member, elsewhere, own];
    arrives(&mut world, GROUP, b"1");
    let [a, b, c, others @ ..] = heard(&mut world, all);
    assert_eq!([a, b, c], [b"1", b"1", b"1"]);
    assert_eq!(others, [b"", b"", b""]);
    // Another group with the same Ethernet address is not heard.
    arrives(&mut world, Ipv4Addr::new(239, 129, 200, 3), b"2");
    assert_eq!(heard(&mut world, all), [b""; 6]);
    // What comes to the machine alone is for one of them, and for another when it has gone.
    let unicast = |world: &mut World| {
        let packet = frames::udp((PEER_IP, 9), (SERVER_IP, 5000), b"3");
        world.inject(frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &packet));
    };
    unicast(&mut world);
    assert_eq!(heard(&mut world, all), [&b""[..], b"", b"", b"3", b"", b""]);
    world.close(no_member);
    let left = [any, both, there, elsewhere, own];
    unicast(&mut world);
    assert_eq!(heard(&mut world, left), [&b""[..], b"3", b"", b"", b""]);
    // One that is connected hears its peer, and not by a group.
    leave(&mut world, both, GROUP.into()).unwrap();
    world.connect(any, "10.0.2.2:9").unwrap();
    arrives(&mut world, GROUP, b"4");
    assert_eq!(heard(&mut world, left), [&b""[..], b"", b"4", b"", b""]);
    world.close(there);
    world.close(elsewhere);
    world.close(own);
    world.close(any);
    arrives(&mut world, GROUP, b"5");
    assert_eq!(heard(&mut world, [both]), [b""]);
    assert!(world.count(Counter::DropsMalformed) > 0);
}

#[test]
fn sockets_of_several_clients_are_members() {
    let mut world = world(config());
    let first = member(&mut world, "0.0.0.0:5000", Some(GROUP.into()));
    let socket = world.socket_as(1, SocketKind::Datagram).unwrap();
    let bind = op::Bind {
        socket,
        addr: "0.0.0.0:5000".parse().unwrap(),
    };
    assert_eq!(world.ask_as(1, bind), Err(Errno::EADDRINUSE));
    let reuse = op::SetOption {
        socket,
        option: SocketOption::ReuseAddress,
        value: 1,
        second: 0,
    };
    world.ask_as(1, reuse).unwrap();
    world.ask_as(1, bind).unwrap();
    let group = (GROUP, 0).into();
    world.ask_as(1, op::Join { socket, group }).unwrap();
    world.notified = 0;
    arrives(&mut world, GROUP, b"1");
    assert_eq!(heard(&mut world, [first]), [b"1"]);
    assert!(world.take_notified(0) && world.take_notified(1));
    world.client_gone(0);
    arrives(&mut world, GROUP, b"2");
    assert!(world.take_notified(1) || world.count(Counter::DropsSocketFull) == 0);
}

#[test]
fn what_is_sent_to_a_group_leaves_and_comes_back_to_members() {
    let mut world = world(config6());
    for (at, group, to, mac) in [
        (
            "0.0.0.0:5000",
            IpAddr::from(GROUP),
            "239.1.200.3:5000",
            GROUP_MAC,
        ),
        (
            "[::]:5000",
            GROUP6.into(),
            "[ff02::77:1234]:5000",
            GROUP6_MAC,
        ),
    ] {
        let (first, second) = (
            member(&mut world, at, Some(group)),
            member(&mut world, at, Some(group)),
        );
        let (hops, loops, hops_at) = match group {
            IpAddr::V4(_) => (
                SocketOption::MulticastTtl,
                SocketOption::MulticastLoop,
                14 + 8,
            ),
            IpAddr::V6(_) => (
                SocketOption::MulticastHops,
                SocketOption::MulticastLoop6,
                14 + 7,
            ),
        };
        for (ttl, looped, length) in [(1, 1, 100), (7, 1, 3000), (0, 1, 5), (3, 0, 6)] {
            set(&mut world, first, hops, ttl).unwrap();
            set(&mut world, first, loops, looped).unwrap();
            world.medium.start_tap();
            let payload = vec![ttl as u8; length];
            let sent = world.send_datagrams(first, &[(Some(to), &payload)]);
            assert_eq!(sent, Ok(1));
            world.settle();
            let frames = world.medium.take_tap();
            let to_group = |frame: &&Vec<u8>| frame[..6] == mac;
            let frames: Vec<_> = frames.iter().filter(to_group).collect();
            assert_eq!(frames.len(), if ttl == 0 { 0 } else { 1 + length / 1480 });
            assert!(frames.iter().all(|frame| u64::from(frame[hops_at]) == ttl));
            let copies = if looped == 1 { vec![ttl as u8] } else { vec![] };
            let both = heard(&mut world, [first, second]);
            assert_eq!(both, [copies.clone(), copies], "{to} {ttl}");
        }
        world.close(first);
        world.close(second);
    }
}

#[test]
fn mistakes_are_those_of_linux() {
    let mut world = world(config());
    let socket = world.socket(SocketKind::Datagram);
    let stream = world.socket(SocketKind::Stream);
    let group = IpAddr::from(GROUP);
    assert_eq!(join(&mut world, stream, group), Err(Errno::EPROTO));
    assert_eq!(join(&mut world, socket, PEER_IP.into()), Err(Errno::EINVAL));
    assert_eq!(
        join(&mut world, socket, GROUP6.into()),
        Err(Errno::ENOPROTOOPT)
    );
    let six = world.socket6(SocketKind::Datagram);
    assert_eq!(join(&mut world, six, GROUP6.into()), Err(Errno::ENODEV));
    assert_eq!(leave(&mut world, socket, group), Err(Errno::EADDRNOTAVAIL));
    join(&mut world, socket, group).unwrap();
    assert_eq!(join(&mut world, socket, group), Err(Errno::EADDRINUSE));
    let elsewhere = op::Join {
        socket,
        group: (GROUP, 2).into(),
    };
    assert_eq!(world.ask(elsewhere), Err(Errno::ENODEV));
    // A client has 20 memberships; others have theirs.
    for last in 1..20 {
        join(&mut world, socket, Ipv4Addr::new(239, 0, 0, last).into()).unwrap();
    }
    let more = Ipv4Addr::new(239, 0, 0, 20);
    assert_eq!(join(&mut world, socket, more.into()), Err(Errno::ENOBUFS));
    let socket = world.socket_as(1, SocketKind::Datagram).unwrap();
    let group = (more, 0).into();
    assert_eq!(world.ask_as(1, op::Join { socket, group }), Ok(()));
    for (option, value, expected) in [
        (SocketOption::MulticastTtl, 256, Err(Errno::EINVAL)),
        (SocketOption::MulticastTtl, u64::MAX, Ok(())),
        (SocketOption::MulticastInterface, 1, Ok(())),
        (
            SocketOption::MulticastInterface,
            2,
            Err(Errno::EADDRNOTAVAIL),
        ),
        (SocketOption::MulticastHops, 3, Err(Errno::ENOPROTOOPT)),
    ] {
        let socket = world.socket(SocketKind::Datagram);
        assert_eq!(
            set(&mut world, socket, option, value),
            expected,
            "{option:?}"
        );
        world.close(socket);
    }
}

#[test]
fn who_may_not_have_groups_has_none() {
    let mut limits = limits(4, 4);
    limits.multicast = false;
    let mut world = World::new(config(), vec![limits], Faults::none());
    let socket = world.socket(SocketKind::Datagram);
    assert_eq!(join(&mut world, socket, GROUP.into()), Err(Errno::EACCES));
    let bound = world.bind(socket, "239.1.200.3:5000");
    assert_eq!(bound, Err(Errno::EACCES));
    let sent = world.send_datagrams(socket, &[(Some("239.1.200.3:5000"), b"x")]);
    assert_eq!(sent, Err(Errno::EACCES));
    assert_eq!(
        world.connect(socket, "239.1.200.3:5000"),
        Err(Errno::EACCES)
    );
}

/// The messages of IGMP that the server sends within some seconds: destination and message.
fn igmp(world: &mut World, seconds: u64) -> Vec<(Ipv4Addr, Vec<u8>)> {
    world.medium.start_tap();
    world.run_for(seconds * SECOND);
    let frames = world.medium.take_tap();
    let packets = frames.iter().filter_map(|frame| frames::packet(frame));
    let igmp = packets.filter(|packet| packet[9] == 2);
    igmp.map(|packet| {
        assert_eq!((packet[0], packet[8]), (0x46, 1));
        assert_eq!(packet[20..24], [0x94, 4, 0, 0]);
        let to: [u8; 4] = packet[16..20].try_into().unwrap();
        (to.into(), packet[24..].to_vec())
    })
    .collect()
}

fn query(world: &mut World, length: usize) {
    let mut message = [0x11, 100, 0, 0, 0, 0, 0, 0, 2, 20, 0, 0];
    let sum: u16 = message[..length]
        .chunks(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .sum();
    message[2..4].copy_from_slice(&(!sum).to_be_bytes());
    let mut packet = frames::ipv4(PEER_IP, ALL_SYSTEMS, 2, &message[..length]);
    // It does not leave the link.
    packet[8] = 1;
    packet[10..12].fill(0);
    let header: u32 = packet[..20]
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let sum = !((header & 0xffff) + (header >> 16)) as u16;
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    let mac = [0x01, 0, 0x5e, 0, 0, 1];
    world.inject(frames::ethernet(PEER_MAC, mac, 0x0800, &packet));
}

#[test]
fn routers_are_told_of_groups() {
    let mut world = world(config());
    let routers = Ipv4Addr::new(224, 0, 0, 22);
    query(&mut world, 12);
    assert_eq!(igmp(&mut world, 3), [], "nothing to tell");
    let socket = member(&mut world, "0.0.0.0:5000", Some(GROUP.into()));
    let second = member(&mut world, "0.0.0.0:5000", Some(GROUP.into()));
    let record = |kind: u8| [&[kind, 0, 0, 0][..], &GROUP.octets()].concat();
    let told = igmp(&mut world, 3);
    assert_eq!(told.len(), 2);
    for (to, message) in told {
        assert_eq!((to, message[0], message[7]), (routers, 0x22, 1));
        assert_eq!(message[8..], record(4));
    }
    query(&mut world, 12);
    let (to, message) = igmp(&mut world, 3).swap_remove(0);
    assert_eq!((to, &message[8..]), (routers, &record(2)[..]));
    leave(&mut world, second, GROUP.into()).unwrap();
    leave(&mut world, socket, GROUP.into()).unwrap();
    let told = igmp(&mut world, 3);
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|(_, message)| message[8..] == record(3)));
    // A router of version 2 is spoken to in that.
    query(&mut world, 8);
    join(&mut world, socket, GROUP.into()).unwrap();
    let told = igmp(&mut world, 3);
    assert_eq!((told[0].0, told[0].1[0]), (GROUP, 0x16));
    assert_eq!(told[0].1[4..], GROUP.octets());
    world.close(socket);
    let told = igmp(&mut world, 3);
    assert_eq!(
        (told[0].0, told[0].1[0]),
        (Ipv4Addr::new(224, 0, 0, 2), 0x17)
    );
    // What is damaged, or has come from afar, is no query.
    let before = world.count(Counter::DropsMalformed);
    let packet = frames::ipv4(PEER_IP, ALL_SYSTEMS, 2, &[0x11, 0, 0, 0, 0, 0, 0, 0]);
    let mac = [0x01, 0, 0x5e, 0, 0, 1];
    world.inject(frames::ethernet(PEER_MAC, mac, 0x0800, &packet));
    assert_eq!(world.count(Counter::DropsMalformed), before + 1);
}

#[test]
fn groups_of_ipv6_are_heard_and_reported() {
    let mut world = world(config6());
    world.run_for(5 * SECOND);
    world.medium.start_tap();
    let socket = member(&mut world, "[::]:5000", Some(GROUP6.into()));
    world.run_for(3 * SECOND);
    // Behind the two of its addresses.
    let reports = |world: &World| -> Vec<(u8, Vec<u8>)> {
        let frames = world.medium.take_tap();
        let packets = frames.iter().filter_map(|frame| frames::packet6(frame));
        let reports = packets.filter(|packet| packet[6] == 0 && packet[48] == 143);
        let last = |packet: &[u8]| {
            let record = &packet[56 + (usize::from(packet[55]) - 1) * 20..][..20];
            (record[0], record[4..].to_vec())
        };
        reports.map(last).collect()
    };
    let group = GROUP6.octets().to_vec();
    assert_eq!(reports(&world), [(4, group.clone()), (4, group.clone())]);
    let datagram = frames::udp6((PEER_IP6, 9), (GROUP6, PORT), b"1");
    let packet = frames::ipv6(PEER_IP6, GROUP6, 17, 1, &datagram);
    world.inject(frames::ethernet(PEER_MAC, GROUP6_MAC, 0x86dd, &packet));
    assert_eq!(heard(&mut world, [socket]), [b"1"]);
    world.medium.start_tap();
    leave(&mut world, socket, GROUP6.into()).unwrap();
    world.run_for(3 * SECOND);
    assert_eq!(reports(&world), [(3, group.clone()), (3, group)]);
    world.inject(frames::ethernet(PEER_MAC, GROUP6_MAC, 0x86dd, &packet));
    assert_eq!(heard(&mut world, [socket]), [b""]);
}
