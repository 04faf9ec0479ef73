// SPDX-License-Identifier: BSD-2-Clause

//! IPv6 on the link: connections and datagrams, how this machine comes to its addresses, what
//! neighbours and routers say, headers and fragments.

use std::net::Ipv6Addr;

use socket_proto::layouts::{AddressState, Layout};
use socket_proto::{Errno, PollBits, QueryKind, SocketKind, Span, op};
use socket_server::Config;
use stats::NetServer as Counter;
use test_world::{
    C2S, Faults, PEER_IP6, PEER_MAC, SERVER_IP6, SERVER_MAC, World, config, config6, frames,
    limits, pattern,
};

const SECOND: u64 = 1_000_000_000;
const ICMP: u8 = 58;
const UDP: u8 = 17;
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const UNSPECIFIED: Ipv6Addr = Ipv6Addr::UNSPECIFIED;
/// What the server's Ethernet address makes of it.
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x5054, 0xff, 0xfe12, 0x3456);
const FOREVER: u32 = u32::MAX;

fn world() -> World {
    World::new(config6(), vec![limits(32, 8)], Faults::none())
}

/// A world whose server believes routers.
fn listening_to_routers() -> World {
    let config = Config {
        autoconf: true,
        ..config()
    };
    World::new(config, vec![limits(32, 8)], Faults::none())
}

fn group_mac(group: Ipv6Addr) -> [u8; 6] {
    let [.., a, b, c, d] = group.octets();
    [0x33, 0x33, a, b, c, d]
}

fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let low = address.to_bits() & 0xff_ffff;
    Ipv6Addr::from_bits(0xff02 << 112 | 0x1_ff00_0000 | low)
}

/// A packet of the peer, as a frame to where it goes.
fn frame(packet: &[u8]) -> Vec<u8> {
    let to: [u8; 16] = packet[24..40].try_into().unwrap();
    let to = Ipv6Addr::from(to);
    let mac = if to.is_multicast() {
        group_mac(to)
    } else {
        SERVER_MAC
    };
    frames::ethernet(PEER_MAC, mac, 0x86dd, packet)
}

/// Gives the server a packet; returns the packets of IPv6 that it sends within a millisecond.
fn exchange(world: &mut World, packet: &[u8]) -> Vec<Vec<u8>> {
    world.medium.start_tap();
    world.inject(frame(packet));
    world.run_for(SECOND / 1000);
    sent(world)
}

/// What the server has sent since the tap was opened: packets of IPv6 that are not the peer's.
fn sent(world: &World) -> Vec<Vec<u8>> {
    let frames = world.medium.take_tap();
    let own = frames.iter().filter(|frame| frame[6..12] == SERVER_MAC);
    own.filter_map(|frame| frames::packet6(frame).map(<[u8]>::to_vec))
        .collect()
}

fn neighbour_solicit(from: Ipv6Addr, to: Ipv6Addr, target: Ipv6Addr, hops: u8) -> Vec<u8> {
    let mut data = target.octets().to_vec();
    if !from.is_unspecified() {
        data.extend_from_slice(&[1, 1]);
        data.extend_from_slice(&PEER_MAC);
    }
    frames::icmp6((from, to), hops, [135, 0], [0; 4], &data)
}

/// A router's advertisement, with these options behind it.
fn advertisement(seconds: u16, options: &[u8]) -> Vec<u8> {
    let [high, low] = seconds.to_be_bytes();
    let mut data = vec![0; 8];
    data.extend_from_slice(options);
    frames::icmp6(
        (ROUTER, ALL_NODES),
        255,
        [134, 0],
        [64, 0, high, low],
        &data,
    )
}

fn prefix(network: &str, valid: u32, preferred: u32) -> Vec<u8> {
    let network: Ipv6Addr = network.parse().unwrap();
    let mut option = vec![3, 4, 64, 0xc0];
    option.extend_from_slice(&valid.to_be_bytes());
    option.extend_from_slice(&preferred.to_be_bytes());
    option.extend_from_slice(&[0; 4]);
    option.extend_from_slice(&network.octets());
    option
}

/// The server's addresses: each with its state.
fn addresses(world: &mut World) -> Vec<(Ipv6Addr, u32)> {
    // Behind that of IPv4.
    (1..)
        .map_while(|index| {
            let span = Span {
                offset: C2S.into(),
                length: AddressState::INFO.size as u64,
            };
            let what = QueryKind::Address;
            world.ask(op::Query { what, index, span }).ok()?;
            let mut state = AddressState::default();
            let bytes = world.clients[0].read(0, AddressState::INFO.size);
            state.bytes_mut().copy_from_slice(&bytes);
            let address = socket_proto::addr::from_words(state.address).unwrap();
            match address.unwrap().ip() {
                std::net::IpAddr::V6(v6) => Some((v6, state.state)),
                v4 => panic!("{v4}"),
            }
        })
        .collect()
}

#[test]
fn addresses_are_used_when_nobody_else_has_them() {
    let mut world = world();
    let all = [(LINK_LOCAL, 1), (SERVER_IP6, 1)];
    assert_eq!(addresses(&mut world), all);
    // Behind another cable they are tried anew: who has them is asked, groups are reported.
    world.server.set_link(false, world.now);
    world.server.set_link(true, world.now);
    world.medium.start_tap();
    world.run_for(SECOND / 100);
    assert_eq!(addresses(&mut world), all.map(|(address, _)| (address, 0)));
    let sent = sent(&world);
    let asked: Vec<&Vec<u8>> = sent
        .iter()
        .filter(|packet| packet[6] == ICMP && packet[40] == 135)
        .collect();
    let targets: Vec<&[u8]> = asked.iter().map(|packet| &packet[48..64]).collect();
    assert_eq!(targets, all.map(|(address, _)| address.octets()));
    for packet in asked {
        assert_eq!(
            (packet[7], &packet[8..24]),
            (255, &UNSPECIFIED.octets()[..])
        );
        assert_eq!(packet.len(), 64, "no option without a source");
    }
    let report = sent.iter().find(|packet| packet[6] == 0);
    let report = report.expect("a report of groups");
    assert_eq!(report[7], 1, "it does not leave the link");
    assert_eq!(report[40..48], [58, 0, 5, 2, 0, 0, 1, 0]);
    assert_eq!((report[48], report[55]), (143, 2));
    assert_eq!(report[60..76], solicited_node(LINK_LOCAL).octets());
    // One of them is taken.
    let group = solicited_node(SERVER_IP6);
    world.inject(frame(&neighbour_solicit(
        UNSPECIFIED,
        group,
        SERVER_IP6,
        255,
    )));
    world.run_for(2 * SECOND);
    assert_eq!(addresses(&mut world), [(LINK_LOCAL, 1), (SERVER_IP6, 3)]);
    assert_eq!(world.count(Counter::AddressConflicts), 1);
    let socket = world.socket6(SocketKind::Stream);
    let bound = world.bind(socket, &format!("[{SERVER_IP6}]:80"));
    assert_eq!(bound, Err(Errno::EADDRNOTAVAIL));
}

#[test]
fn connections_in_both_directions() {
    let mut world = world();
    let listener = world.listen6(80, 4);
    let peer = world.peer.connect_to(SERVER_IP6.into(), 80);
    world.await_bits(listener, PollBits::IN);
    let (socket, from) = world.accept(listener).unwrap();
    assert_eq!(from.ip(), PEER_IP6);
    assert_eq!(world.name(socket).to_string(), format!("[{SERVER_IP6}]:80"));
    let data = pattern(100_000, 1);
    let (mut sent, mut received) = (0, Vec::new());
    world.run_until("all bytes", |world| {
        sent += world.peer.tcp(peer).send_slice(&data[sent..]).unwrap();
        received.extend(world.recv(socket, 50_000).unwrap_or_default());
        received.len() == data.len()
    });
    assert_eq!(received, data);
    let (mut sent, mut received) = (0, Vec::new());
    world.run_until("all bytes back", |world| {
        sent += world
            .send(socket, &data[sent..])
            .map_or(0, |(taken, _)| taken);
        let taken = world
            .peer
            .tcp(peer)
            .recv(|bytes| (bytes.len(), bytes.to_vec()));
        received.extend(taken.unwrap_or_default());
        received.len() == data.len()
    });
    assert_eq!(received, data);
    world.close(socket);
    // IPv4 comes to the same socket.
    let (socket, _) = world.connected(listener, 80);
    let name = world.peer_name(socket).unwrap();
    assert_eq!(name.ip().to_string(), "::ffff:10.0.2.2");
    let option = |option| op::GetOption { socket, option };
    let mss = world.ask(option(socket_proto::SocketOption::MaxSegment));
    assert_eq!(mss.unwrap().value, 1460);
    // And out.
    let peer = world.peer.listen(90);
    let socket = world.socket6(SocketKind::Stream);
    let connected = world.connect(socket, &format!("[{PEER_IP6}]:90"));
    assert_eq!(connected, Err(Errno::EINPROGRESS));
    world.await_bits(socket, PollBits::OUT);
    let mss = world.ask(op::GetOption {
        socket,
        option: socket_proto::SocketOption::MaxSegment,
    });
    assert_eq!(mss.unwrap().value, 1440);
    // No router may be passed; smoltcp knows no such packets.
    let no_hops = op::SetOption {
        socket,
        option: socket_proto::SocketOption::UnicastHops,
        value: 0,
        second: 0,
    };
    world.ask(no_hops).unwrap();
    world.send(socket, b"hello").unwrap();
    world.run_until("it arrives", |world| world.peer.tcp(peer).recv_queue() == 5);
    // Nobody listens there.
    let socket = world.socket6(SocketKind::Stream);
    let _ = world.connect(socket, &format!("[{PEER_IP6}]:91"));
    world.run_for(SECOND / 10);
    assert_eq!(world.so_error(socket), Some(Errno::ECONNREFUSED));
}

#[test]
fn a_flood_of_requests_is_answered_with_cookies() {
    let mut world = world();
    let listener = world.listen6(80, 4);
    let syn = |port: u16, seq: u32, flags: u8, ack: u32| {
        let mut segment = Vec::new();
        segment.extend_from_slice(&port.to_be_bytes());
        segment.extend_from_slice(&80u16.to_be_bytes());
        segment.extend_from_slice(&seq.to_be_bytes());
        segment.extend_from_slice(&ack.to_be_bytes());
        segment.extend_from_slice(&[5 << 4, flags, 0xff, 0, 0, 0, 0, 0]);
        let ends = (PEER_IP6.into(), SERVER_IP6.into());
        let mut tcp = test_world::smoltcp::wire::TcpPacket::new_unchecked(&mut segment[..]);
        tcp.fill_checksum(&ends.0, &ends.1);
        frames::ipv6(PEER_IP6, SERVER_IP6, 6, 64, &segment)
    };
    // The peer would reset what it has not asked for.
    world.medium.set_faults(Faults {
        lost: 1000,
        ..Faults::none()
    });
    for port in 2000..3100 {
        world.inject(frame(&syn(port, 7, 2, 0)));
    }
    assert!(world.count(Counter::SynCookiesSent) > 0);
    let answers = exchange(&mut world, &syn(4000, 7, 2, 0));
    let answer = answers
        .iter()
        .find(|packet| packet[6] == 6 && packet[42..44] == [15, 160]);
    let answer = answer.expect("an answer");
    let iss = u32::from_be_bytes(answer[44..48].try_into().unwrap());
    world.inject(frame(&syn(4000, 8, 16, iss.wrapping_add(1))));
    assert_eq!(world.count(Counter::SynCookiesTaken), 1);
    let (_, from) = world.accept(listener).unwrap();
    assert_eq!(from, (PEER_IP6, 4000).into());
}

#[test]
fn datagrams_short_and_long() {
    let mut world = world();
    let socket = world.socket6(SocketKind::Datagram);
    world.bind(socket, "[::]:7").unwrap();
    let peer = world.peer.bind(5000);
    world
        .peer
        .send_to_address(peer, (SERVER_IP6.into(), 7), b"short");
    world.await_bits(socket, PollBits::IN);
    let received = world.recv_datagrams(socket, 1000).unwrap();
    assert_eq!(received[0].1, b"short");
    let from = received[0].0.peer().unwrap().unwrap();
    assert_eq!(from, (PEER_IP6, 5000).into());
    world.peer.send_to(peer, 7, b"by IPv4");
    world.await_bits(socket, PollBits::IN);
    let received = world.recv_datagrams(socket, 1000).unwrap();
    let from4 = received[0].0.peer().unwrap().unwrap();
    assert_eq!(from4.to_string(), "[::ffff:10.0.2.2]:5000");
    // What does not fit leaves in fragments, and comes back as it was. (smoltcp does not put
    // fragments of IPv6 together.)
    let data = pattern(9000, 3);
    let to = from.to_string();
    world.medium.start_tap();
    world.send_datagrams(socket, &[(Some(&to), &data)]).unwrap();
    world.run_for(SECOND / 100);
    let fragments: Vec<_> = sent(&world)
        .into_iter()
        .filter(|packet| packet[6] == 44)
        .collect();
    assert_eq!(fragments.len(), 7);
    // The other way around the two ends are exchanged, which the checksum does not see.
    for mut packet in fragments.into_iter().rev() {
        let (from, to) = (PEER_IP6.octets(), SERVER_IP6.octets());
        packet[8..24].copy_from_slice(&from);
        packet[24..40].copy_from_slice(&to);
        if packet[42..44][1] & !7 == 0 && packet[42] == 0 {
            packet.swap(48, 50);
            packet.swap(49, 51);
        }
        world.inject(frame(&packet));
    }
    let received = world.recv_datagrams(socket, 10_000).unwrap();
    assert_eq!(received[0].1, data);
    // Nobody hears: the sender is told.
    let question = frames::udp6((PEER_IP6, 5000), (SERVER_IP6, 9), b"?");
    let question = frames::ipv6(PEER_IP6, SERVER_IP6, UDP, 64, &question);
    let answers = exchange(&mut world, &question);
    assert_eq!((answers[0][6], &answers[0][40..42]), (ICMP, &[1, 4][..]));
    assert_eq!(answers[0][48..], question);
    // And the other way around.
    let connected = world.socket6(SocketKind::Datagram);
    world
        .connect(connected, &format!("[{PEER_IP6}]:9"))
        .unwrap();
    world.medium.start_tap();
    world.send_datagrams(connected, &[(None, b"?")]).unwrap();
    let ours = sent(&world).pop().expect("it left");
    let error = frames::icmp6((PEER_IP6, SERVER_IP6), 64, [1, 4], [0; 4], &ours);
    world.inject(frame(&error));
    assert_eq!(world.so_error(connected), Some(Errno::ECONNREFUSED));
    // A datagram without a checksum is nothing.
    let mut datagram = frames::udp6((PEER_IP6, 5000), (SERVER_IP6, 7), b"x");
    datagram[6..8].fill(0);
    let drops = world.count(Counter::DropsMalformed);
    world.inject(frame(&frames::ipv6(
        PEER_IP6, SERVER_IP6, UDP, 64, &datagram,
    )));
    assert_eq!(world.count(Counter::DropsMalformed), drops + 1);
}

#[test]
fn a_narrow_path_is_learnt() {
    let mut world = world();
    let listener = world.listen6(80, 4);
    let peer = world.peer.connect_to(SERVER_IP6.into(), 80);
    world.await_bits(listener, PollBits::IN);
    let (socket, _) = world.accept(listener).unwrap();
    world.medium.start_tap();
    world.send(socket, &pattern(1440, 1)).unwrap();
    let packet = sent(&world).into_iter().find(|packet| packet.len() == 1500);
    let packet = packet.expect("a full segment");
    let mtu = 1300u32.to_be_bytes();
    let too_big = frames::icmp6((PEER_IP6, SERVER_IP6), 64, [2, 0], mtu, &packet[..1200]);
    world.inject(frame(&too_big));
    assert_eq!(world.count(Counter::PathMtuChanges), 1);
    world.run_for(SECOND);
    let _ = world.peer.tcp(peer).recv(|bytes| (bytes.len(), ()));
    world.medium.start_tap();
    world.send(socket, &pattern(20_000, 1)).unwrap();
    world.run_for(SECOND / 10);
    let longest = sent(&world).iter().map(Vec::len).max();
    assert_eq!(longest, Some(1300));
}

#[test]
fn neighbours_are_asked_for_and_answered() {
    let mut world = world();
    let group = solicited_node(SERVER_IP6);
    let asked = neighbour_solicit(PEER_IP6, group, SERVER_IP6, 255);
    let answers = exchange(&mut world, &asked);
    let answer = &answers[0];
    assert_eq!((answer[7], &answer[40..42]), (255, &[136, 0][..]));
    assert_eq!(answer[44], 0x60, "solicited, and it replaces what is known");
    assert_eq!(answer[48..64], SERVER_IP6.octets());
    assert_eq!(answer[64..72], [2, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56]);
    // What a router has passed on does not come from the link.
    let forged = neighbour_solicit(PEER_IP6, group, SERVER_IP6, 254);
    assert_eq!(exchange(&mut world, &forged), Vec::<Vec<u8>>::new());
    // Nobody else is spoken for, and options of no length are nonsense.
    let other = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, 0x15);
    let drops = world.count(Counter::DropsMalformed);
    assert!(exchange(&mut world, &neighbour_solicit(PEER_IP6, group, other, 255)).is_empty());
    let mut data = SERVER_IP6.octets().to_vec();
    data.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    let nonsense = frames::icmp6((PEER_IP6, group), 255, [135, 0], [0; 4], &data);
    assert!(exchange(&mut world, &nonsense).is_empty());
    assert_eq!(world.count(Counter::DropsMalformed), drops + 1);
    // Echoes, also those to all hosts.
    for to in [SERVER_IP6, ALL_NODES] {
        let echo = frames::icmp6((PEER_IP6, to), 64, [128, 0], [1, 2, 3, 4], b"data");
        let answers = exchange(&mut world, &echo);
        assert_eq!(answers[0][40..42], [129, 0]);
        assert_eq!(answers[0][8..24], SERVER_IP6.octets());
        assert_eq!(answers[0][44..], echo[44..]);
    }
}

#[test]
fn who_asks_for_groups_is_told() {
    let mut world = world();
    let router: Ipv6Addr = "fe80::1".parse().unwrap();
    let query = |from, hops| frames::icmp6((from, ALL_NODES), hops, [130, 0], [0; 4], &[0; 20]);
    let reports = |world: &mut World, query: &[u8]| {
        let answers = exchange(world, query);
        answers.iter().filter(|packet| packet[6] == 0).count()
    };
    assert_eq!(reports(&mut world, &query(router, 1)), 1);
    world.run_for(2 * SECOND);
    assert_eq!(reports(&mut world, &query(router, 64)), 0);
    assert_eq!(reports(&mut world, &query(PEER_IP6, 1)), 0);
    // Not without limit.
    let sent: usize = (0..100)
        .map(|_| reports(&mut world, &query(router, 1)))
        .sum();
    assert!((1..30).contains(&sent), "{sent}");
}

#[test]
fn routers_say_what_addresses_there_are() {
    let mut world = listening_to_routers();
    assert_eq!(addresses(&mut world), [(LINK_LOCAL, 1)]);
    let host = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0x5054, 0xff, 0xfe12, 0x3456);
    let far = "[2001:db8:9::9]:80";
    let socket = world.socket6(SocketKind::Datagram);
    let sent_to = |world: &mut World| world.send_datagrams(socket, &[(Some(far), b"x")]);
    assert_eq!(sent_to(&mut world), Err(Errno::ENETUNREACH));
    // It has asked for them.
    world.medium.start_tap();
    world.run_for(5 * SECOND);
    assert!(
        sent(&world)
            .iter()
            .any(|packet| packet[40] == 133 && packet[7] == 255)
    );
    let mut options = prefix("2001:db8:0:1::", 7200, 3600);
    options.extend_from_slice(&[5, 1, 0, 0, 0, 0, 5, 120]);
    options.extend_from_slice(&[1, 1]);
    options.extend_from_slice(&PEER_MAC);
    world.inject(frame(&advertisement(1800, &options)));
    world.run_for(2 * SECOND);
    assert_eq!(addresses(&mut world), [(LINK_LOCAL, 1), (host, 1)]);
    world.medium.start_tap();
    assert_eq!(sent_to(&mut world), Ok(1));
    let packet = sent(&world).into_iter().find(|packet| packet[6] == UDP);
    let packet = packet.expect("it left by the router");
    assert_eq!(packet[8..24], host.octets());
    // The MTU is the router's.
    let long = pattern(1400, 1);
    world.medium.start_tap();
    world.send_datagrams(socket, &[(Some(far), &long)]).unwrap();
    assert_eq!(
        sent(&world).iter().filter(|packet| packet[6] == 44).count(),
        2
    );
    // Half an hour later the router is gone, an hour later nothing new comes from that address.
    world.run_for(1800 * SECOND);
    assert_eq!(sent_to(&mut world), Err(Errno::ENETUNREACH));
    world.run_for(1800 * SECOND);
    assert_eq!(addresses(&mut world), [(LINK_LOCAL, 1), (host, 2)]);
    // Nobody can end it at once.
    world.inject(frame(&advertisement(0, &prefix("2001:db8:0:1::", 0, 0))));
    world.run_for(1800 * SECOND);
    assert_eq!(addresses(&mut world), [(LINK_LOCAL, 1), (host, 2)]);
    world.run_for(1801 * SECOND);
    assert_eq!(addresses(&mut world), [(LINK_LOCAL, 1)]);
    // Tables are bounded, and what is not a prefix for hosts is none.
    for number in 0..20 {
        let network = format!("2001:db8:{number:x}::");
        world.inject(frame(&advertisement(
            9,
            &prefix(&network, FOREVER, FOREVER),
        )));
    }
    world.inject(frame(&advertisement(
        9,
        &prefix("fe80::", FOREVER, FOREVER),
    )));
    world.run_for(2 * SECOND);
    assert_eq!(addresses(&mut world).len(), 8);
}

#[test]
fn a_router_cannot_end_what_is_declared() {
    let host = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0x5054, 0xff, 0xfe12, 0x3456);
    let config = Config {
        address6: Some((host, 64)),
        autoconf: true,
        ..config()
    };
    let mut world = World::new(config, vec![limits(32, 8)], Faults::none());
    world.run_for(2 * SECOND);
    let declared = [(LINK_LOCAL, 1), (host, 1)];
    assert_eq!(addresses(&mut world), declared);
    for seconds in [9000, 1] {
        let option = prefix("2001:db8:0:1::", seconds, seconds);
        world.inject(frame(&advertisement(0, &option)));
        world.run_for(10_000 * SECOND);
        assert_eq!(addresses(&mut world), declared);
    }
}

#[test]
fn routers_are_not_believed_unless_that_is_declared_or_they_are_on_the_link() {
    let mut world = world();
    let before = addresses(&mut world);
    world.inject(frame(&advertisement(
        1800,
        &prefix("2001:db8:0:1::", 7200, 3600),
    )));
    world.run_for(2 * SECOND);
    assert_eq!(addresses(&mut world), before);
    let mut world = listening_to_routers();
    let advertisement = advertisement(1800, &prefix("2001:db8:0:1::", 7200, 3600));
    let mut far = advertisement.clone();
    far[7] = 254;
    world.inject(frame(&far));
    let mut global = advertisement.clone();
    global[8..24].copy_from_slice(&PEER_IP6.octets());
    world.inject(frame(&global));
    world.inject(frame(&advertisement[..60]));
    world.run_for(2 * SECOND);
    assert_eq!(addresses(&mut world), [(LINK_LOCAL, 1)]);
}

#[test]
fn headers_stand_between() {
    let mut world = world();
    let socket = world.socket6(SocketKind::Datagram);
    world.bind(socket, "[::]:7").unwrap();
    let datagram = frames::udp6((PEER_IP6, 5000), (SERVER_IP6, 7), b"wrapped");
    let wrapped = |next: u8, headers: &[&[u8]]| {
        let mut payload = headers.concat();
        payload.extend_from_slice(&datagram);
        frames::ipv6(PEER_IP6, SERVER_IP6, next, 64, &payload)
    };
    let hop_by_hop = [60, 0, 1, 4, 0, 0, 0, 0];
    let destination = [43, 0, 1, 4, 0, 0, 0, 0];
    let routing = [44, 0, 0, 0, 0, 0, 0, 0];
    let fragment = [17, 0, 0, 0, 1, 2, 3, 4];
    let all: [&[u8]; 4] = [&hop_by_hop, &destination, &routing, &fragment];
    world.inject(frame(&wrapped(0, &all)));
    let received = world.recv_datagrams(socket, 1000).unwrap();
    assert_eq!(received[0].1, b"wrapped");
    // What is not understood is told, where the options say so: code and pointer.
    type Told = Option<(u8, u8)>;
    let cases: [(u8, &[u8], Told); 7] = [
        (60, &[17, 0, 0x3e, 4, 0, 0, 0, 0], None),
        (60, &[17, 0, 0x7e, 4, 0, 0, 0, 0], None),
        (60, &[17, 0, 0xbe, 4, 0, 0, 0, 0], Some((2, 42))),
        (60, &[17, 0, 0, 0xfe, 3, 0, 0, 0], Some((2, 43))),
        (43, &[17, 0, 0, 1, 0, 0, 0, 0], Some((0, 42))),
        (99, &[17, 0, 0, 1, 0, 0, 0, 0], Some((1, 6))),
        (60, &[17, 9, 1, 4, 0, 0, 0, 0], None),
    ];
    for (next, header, told) in cases {
        let answers = exchange(&mut world, &wrapped(next, &[header]));
        let said = answers.first().map(|packet| {
            assert_eq!((packet[6], packet[40]), (ICMP, 4));
            (packet[41], packet[47])
        });
        assert_eq!(said, told, "{next} {header:?}");
    }
    let received = world.recv_datagrams(socket, 1000).unwrap();
    assert_eq!(received.len(), 1, "an option that may be skipped");
    // A connection through headers.
    let listener = world.listen6(80, 4);
    let mut syn = vec![0; 20];
    syn[..4].copy_from_slice(&[15, 160, 0, 80]);
    syn[12..16].copy_from_slice(&[5 << 4, 2, 0xff, 0]);
    let mut tcp = test_world::smoltcp::wire::TcpPacket::new_unchecked(&mut syn[..]);
    tcp.fill_checksum(&PEER_IP6.into(), &SERVER_IP6.into());
    let destination = [6, 0, 1, 4, 0, 0, 0, 0];
    let packet = frames::ipv6(
        PEER_IP6,
        SERVER_IP6,
        60,
        64,
        &[&destination[..], &syn].concat(),
    );
    let answers = exchange(&mut world, &packet);
    let answer = answers
        .iter()
        .find(|packet| packet[6] == 6)
        .expect("an answer");
    let iss = u32::from_be_bytes(answer[44..48].try_into().unwrap());
    syn[4..8].copy_from_slice(&1u32.to_be_bytes());
    syn[8..12].copy_from_slice(&iss.wrapping_add(1).to_be_bytes());
    syn[13] = 16;
    syn[16..18].fill(0);
    syn.extend_from_slice(b"data");
    let mut tcp = test_world::smoltcp::wire::TcpPacket::new_unchecked(&mut syn[..]);
    tcp.fill_checksum(&PEER_IP6.into(), &SERVER_IP6.into());
    let packet = frames::ipv6(
        PEER_IP6,
        SERVER_IP6,
        60,
        64,
        &[&destination[..], &syn].concat(),
    );
    world.inject(frame(&packet));
    let (socket, _) = world.accept(listener).unwrap();
    assert_eq!(world.recv(socket, 10).unwrap(), b"data");
}

#[test]
fn link_local_addresses_have_a_scope() {
    let mut world = world();
    let socket = world.socket6(SocketKind::Datagram);
    let own = |scope: u32| {
        let addr = std::net::SocketAddrV6::new(LINK_LOCAL, 7, 0, scope).into();
        op::Bind { socket, addr }
    };
    assert_eq!(world.ask(own(0)), Err(Errno::EINVAL));
    assert_eq!(world.ask(own(7)), Err(Errno::ENODEV));
    assert_eq!(world.ask(own(1)), Ok(()));
    assert_eq!(
        world.name(socket),
        std::net::SocketAddrV6::new(LINK_LOCAL, 7, 0, 1).into()
    );
    let near = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9);
    let datagram = frames::udp6((near, 5000), (LINK_LOCAL, 7), b"x");
    world.inject(frame(&frames::ipv6(near, LINK_LOCAL, UDP, 64, &datagram)));
    let received = world.recv_datagrams(socket, 1000).unwrap();
    let from = received[0].0.peer().unwrap().unwrap();
    assert_eq!(from, std::net::SocketAddrV6::new(near, 5000, 0, 1).into());
}

/// A mapped address on the wire is nobody's, nor is loopback's.
#[test]
fn addresses_that_are_not_for_the_wire() {
    let mut world = world();
    let socket = world.socket6(SocketKind::Datagram);
    world.bind(socket, "[::]:7").unwrap();
    let sources = ["::ffff:10.0.2.2", "::1", "::", "ff02::1", "fd00::15"];
    for source in sources {
        let source: Ipv6Addr = source.parse().unwrap();
        let datagram = frames::udp6((source, 5000), (SERVER_IP6, 7), b"x");
        world.inject(frame(&frames::ipv6(source, SERVER_IP6, UDP, 64, &datagram)));
    }
    for to in ["::ffff:10.0.2.15", "::1"] {
        let to: Ipv6Addr = to.parse().unwrap();
        let datagram = frames::udp6((PEER_IP6, 5000), (to, 7), b"x");
        world.inject(frame(&frames::ipv6(PEER_IP6, to, UDP, 64, &datagram)));
    }
    assert_eq!(world.count(Counter::DropsSource), sources.len() as u64);
    assert_eq!(
        world.recv_datagrams(socket, 1000).err(),
        Some(Errno::EAGAIN)
    );
}
