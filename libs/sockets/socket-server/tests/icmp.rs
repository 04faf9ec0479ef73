// SPDX-License-Identifier: BSD-2-Clause

//! What routers and peers say about packets, and what this machine says about theirs; sources that
//! nobody can have.

use std::net::Ipv4Addr;

use socket_proto::{Errno, Handle, PollBits, SocketKind};
use stats::NetServer as Counter;
use test_world::{
    Faults, Narrow, PEER_IP, PEER_MAC, SERVER_IP, SERVER_MAC, World, config, frames, limits,
    pattern,
};

const SECOND: u64 = 1_000_000_000;
const BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 255);

/// An ICMP error about a packet of the server.
fn error(kind: u8, code: u8, mtu: u16, quoted: &[u8]) -> Vec<u8> {
    let [high, low] = mtu.to_be_bytes();
    let message = frames::icmp(kind, code, [0, 0, high, low], &quoted[..28]);
    from_peer(&frames::ipv4(PEER_IP, SERVER_IP, 1, &message))
}

fn from_peer(packet: &[u8]) -> Vec<u8> {
    frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, packet)
}

/// The last packet of a protocol that the server sent.
fn last_sent(world: &mut World, protocol: u8) -> Vec<u8> {
    let sent = world.medium.take_tap();
    world.medium.start_tap();
    let mut packets = sent.iter().filter_map(|frame| frames::packet(frame));
    let packet = packets.rfind(|packet| packet[9] == protocol);
    packet.expect("a packet was sent").to_vec()
}

fn silent() -> Faults {
    Faults {
        lost: 1000,
        ..Faults::none()
    }
}

/// A connection attempt whose SYN is lost, and the SYN.
fn attempt(world: &mut World) -> (Handle, Vec<u8>) {
    world.medium.set_faults(silent());
    world.medium.start_tap();
    let socket = world.socket(SocketKind::Stream);
    assert_eq!(
        world.connect(socket, "192.0.2.1:80"),
        Err(Errno::EINPROGRESS)
    );
    world.run_for(SECOND / 100);
    let syn = last_sent(world, 6);
    (socket, syn)
}

/// Linux's table: code, errno, whether connected datagram sockets are told.
const CODES: [(u8, Errno, bool); 15] = [
    (0, Errno::ENETUNREACH, false),
    (1, Errno::EHOSTUNREACH, false),
    (2, Errno::ENOPROTOOPT, true),
    (3, Errno::ECONNREFUSED, true),
    (5, Errno::EOPNOTSUPP, false),
    (6, Errno::ENETUNREACH, true),
    (7, Errno::EHOSTDOWN, true),
    (8, Errno::ENONET, true),
    (9, Errno::ENETUNREACH, true),
    (10, Errno::EHOSTUNREACH, true),
    (11, Errno::ENETUNREACH, false),
    (12, Errno::EHOSTUNREACH, false),
    (13, Errno::EHOSTUNREACH, true),
    (14, Errno::EHOSTUNREACH, true),
    (15, Errno::EHOSTUNREACH, true),
];

#[test]
fn codes_mean_what_they_mean_on_linux() {
    let unreachable = CODES.map(|(code, errno, fatal)| (3, code, errno, fatal));
    let others = [
        (11, 0, Errno::EHOSTUNREACH, false),
        (12, 0, Errno::EPROTO, true),
    ];
    let mut world = World::simple();
    for (kind, code, errno, fatal) in unreachable.into_iter().chain(others) {
        let (stream, syn) = attempt(&mut world);
        world.inject(error(kind, code, 0, &syn));
        assert_eq!(
            world.so_error(stream),
            Some(errno),
            "type {kind} code {code}"
        );
        world.close(stream);

        let datagram = world.socket(SocketKind::Datagram);
        world.connect(datagram, "192.0.2.1:80").unwrap();
        world
            .send_datagrams(datagram, &[(None, b"question")])
            .unwrap();
        let question = last_sent(&mut world, 17);
        world.inject(error(kind, code, 0, &question));
        let told = world.so_error(datagram);
        assert_eq!(told, fatal.then_some(errno), "type {kind} code {code}");
        world.close(datagram);
    }
    // Not an error: a router asks for silence, and codes that nobody has defined.
    for (kind, code) in [(4, 0), (3, 16)] {
        let (stream, syn) = attempt(&mut world);
        world.inject(error(kind, code, 0, &syn));
        assert_eq!(world.so_error(stream), None);
        world.close(stream);
    }
}

#[test]
fn an_error_about_what_is_not_under_way_is_ignored() {
    let mut world = World::simple();
    let (stream, syn) = attempt(&mut world);
    let mut forged = syn.clone();
    forged[27] ^= 1;
    world.inject(error(3, 3, 0, &forged));
    world.inject(error(3, 4, 576, &forged));
    assert_eq!(world.so_error(stream), None);
    assert!(!world.bits(stream).contains(PollBits::ERR));
    assert_eq!(
        (
            world.count(Counter::IcmpIgnored),
            world.count(Counter::PathMtuChanges)
        ),
        (2, 0)
    );
    // On an established connection: only bytes that are under way can be too long for a path.
    world.medium.set_faults(Faults::none());
    let listener = world.listen(7, 4);
    let (socket, _) = world.connected(listener, 7);
    world.medium.set_faults(silent());
    world.medium.start_tap();
    world.send(socket, &pattern(1000, 1)).unwrap();
    let segment = last_sent(&mut world, 6);
    let sequence = u32::from_be_bytes(segment[24..28].try_into().unwrap());
    for (offset, changes) in [(-1i32, 0), (1000, 0), (999, 1)] {
        let mut quoted = segment.clone();
        quoted[2..4].copy_from_slice(&1500u16.to_be_bytes());
        let sequence = sequence.wrapping_add_signed(offset);
        quoted[24..28].copy_from_slice(&sequence.to_be_bytes());
        world.inject(error(3, 4, 1400, &quoted));
        assert_eq!(world.count(Counter::PathMtuChanges), changes, "{offset}");
    }
    // Established connections survive everything.
    world.inject(error(3, 3, 0, &segment));
    assert_eq!(world.so_error(socket), None);
}

#[test]
fn fragmentation_needed_ends_no_attempt() {
    let mut world = World::simple();
    let (stream, mut syn) = attempt(&mut world);
    // As if the SYN had been long.
    syn[2..4].copy_from_slice(&1500u16.to_be_bytes());
    world.inject(error(3, 4, 1000, &syn));
    assert_eq!(world.so_error(stream), None);
    assert_eq!(world.count(Counter::PathMtuChanges), 1);
}

#[test]
fn a_download_gets_through_a_narrow_path() {
    // What the path takes, what the router says, and the largest packets that are to be seen then.
    for (mtu, said, largest) in [
        (1400, 1400, 1400),
        (576, 576, 576),
        (1006, 0, 1006),
        (300, 300, 576),
    ] {
        let mut world = World::simple();
        let listener = world.listen(7, 4);
        let (socket, peer) = world.connected(listener, 7);
        world.medium.set_narrow(Some(Narrow { mtu, said }));
        let data = pattern(200_000, 3);
        let (mut sent, mut received) = (0, Vec::new());
        world.run_until("all bytes", |world| {
            if sent < data.len() {
                let end = data.len().min(sent + 50_000);
                sent += world
                    .send(socket, &data[sent..end])
                    .map_or(0, |(count, _)| count);
            }
            let _ = world.peer.tcp(peer).recv(|bytes| {
                received.extend_from_slice(bytes);
                (bytes.len(), ())
            });
            received.len() == data.len()
        });
        assert!(received == data, "MTU {mtu}");
        assert!(world.count(Counter::PathMtuChanges) >= 1);
        world.medium.start_tap();
        world.send(socket, &data[..5000]).unwrap();
        let packet = last_sent(&mut world, 6);
        assert!(packet.len() <= largest, "{} bytes", packet.len());
        // A path too narrow even for the least that a host has to take: routers may cut up.
        assert_eq!(packet[6] & 0x40 == 0, said > 0 && said < 576);
        // Ten minutes later the link's MTU is tried again.
        world.medium.set_narrow(None);
        world.run_for(601 * SECOND);
        world.medium.start_tap();
        world.send(socket, &data[..1460]).unwrap();
        assert_eq!(last_sent(&mut world, 6).len(), 1500);
    }
}

#[test]
fn datagrams_are_cut_up_for_a_narrow_path() {
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    world.connect(socket, "10.0.2.2:5000").unwrap();
    let (mtu, said) = (800, 800);
    world.medium.set_narrow(Some(Narrow { mtu, said }));
    let data = pattern(1472, 4);
    world.send_datagrams(socket, &[(None, &data)]).unwrap();
    world.await_bits(socket, PollBits::ERR);
    assert_eq!(world.so_error(socket), Some(Errno::EMSGSIZE));
    world.send_datagrams(socket, &[(None, &data)]).unwrap();
    world.run_until("the datagram", |world| world.peer.udp(peer).can_recv());
    assert!(world.peer.udp(peer).recv().unwrap().0 == data);
    // Others are not affected.
    world.medium.set_narrow(None);
    world.medium.start_tap();
    let other = world.socket(SocketKind::Datagram);
    world
        .send_datagrams(other, &[(Some("192.0.2.7:9"), &data)])
        .unwrap();
    assert_eq!(last_sent(&mut world, 17).len(), 1500);
}

fn echo_request(from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    frames::ipv4(from, to, 1, &frames::icmp(8, 0, [0, 7, 0, 9], b"hello"))
}

/// A frame from a host that is not the peer.
fn stranger(packet: &[u8]) -> Vec<u8> {
    frames::ethernet([0x02, 9, 9, 9, 9, 9], SERVER_MAC, 0x0800, packet)
}

fn tcp_syn(from: Ipv4Addr, port: u16) -> Vec<u8> {
    use smoltcp::wire::{IpAddress, TcpPacket};
    let mut segment = vec![0; 20];
    let mut tcp = TcpPacket::new_unchecked(&mut segment[..]);
    tcp.set_src_port(9);
    tcp.set_dst_port(port);
    tcp.set_header_len(20);
    tcp.set_syn(true);
    tcp.set_window_len(1000);
    tcp.fill_checksum(&IpAddress::Ipv4(from), &IpAddress::Ipv4(SERVER_IP));
    frames::ipv4(from, SERVER_IP, 6, &segment)
}

/// What a host with this address sends.
type Question = fn(Ipv4Addr) -> Vec<u8>;

#[test]
fn what_is_sent_unasked_is_limited() {
    let neighbour = Ipv4Addr::new(10, 0, 2, 40);
    let victim = Ipv4Addr::new(10, 0, 2, 41);
    let questions: [(&str, Question); 4] = [
        ("echo", |from| echo_request(from, SERVER_IP)),
        ("port", |from| frames::udp((from, 9), (SERVER_IP, 9), b"x")),
        ("protocol", |from| frames::ipv4(from, SERVER_IP, 99, b"x")),
        ("reset", |from| tcp_syn(from, 9)),
    ];
    for (name, question) in questions {
        let mut world = World::simple();
        world.medium.start_tap();
        for _ in 0..5000 {
            world
                .medium
                .inject(test_world::SERVER, stranger(&question(neighbour)));
            world.run_for(SECOND / 5000);
        }
        let answers = world.medium.take_tap().len();
        assert!(
            (200..=720).contains(&answers),
            "{name}: {answers} in a second"
        );
        let limited = world.count(Counter::RepliesLimited) as usize;
        assert!(answers + limited >= 5000, "{name}: {answers} and {limited}");
        world.medium.start_tap();
        world.inject(stranger(&question(victim)));
        assert_eq!(
            world.medium.take_tap().len(),
            1,
            "{name}: others are answered"
        );
    }
}

#[test]
fn answers_go_where_the_question_came_from() {
    let mut world = World::simple();
    world.medium.start_tap();
    // A host of another network, and a neighbour that nobody has asked for.
    for from in [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(10, 0, 2, 77)] {
        world.inject(stranger(&echo_request(from, SERVER_IP)));
        world.inject(stranger(&frames::udp((from, 9), (SERVER_IP, 9), b"x")));
        world.inject(stranger(&tcp_syn(from, 9)));
    }
    let sent = world.medium.take_tap();
    assert_eq!(sent.len(), 6);
    assert!(sent.iter().all(|frame| frame[..6] == [0x02, 9, 9, 9, 9, 9]));
}

#[test]
fn sources_that_nobody_can_have_are_dropped() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "0.0.0.0:7").unwrap();
    world.listen(80, 4);
    world.run_for(SECOND / 10);
    world.medium.start_tap();
    let sources = [
        Ipv4Addr::new(127, 0, 0, 1),
        Ipv4Addr::new(0, 0, 0, 0),
        Ipv4Addr::new(0, 1, 2, 3),
        Ipv4Addr::new(224, 0, 0, 1),
        Ipv4Addr::new(239, 1, 2, 3),
        Ipv4Addr::BROADCAST,
        BROADCAST,
        SERVER_IP,
    ];
    for source in sources {
        let before = world.count(Counter::DropsSource);
        world.inject(stranger(&echo_request(source, SERVER_IP)));
        world.inject(stranger(&frames::udp((source, 9), (SERVER_IP, 7), b"x")));
        world.inject(stranger(&frames::udp((source, 9), (SERVER_IP, 9), b"x")));
        world.inject(stranger(&tcp_syn(source, 80)));
        world.inject(stranger(&tcp_syn(source, 81)));
        assert_eq!(world.count(Counter::DropsSource) - before, 5, "{source}");
    }
    assert_eq!(world.medium.take_tap().len(), 0);
    assert!(!world.bits(socket).contains(PollBits::IN));
    // Who has no address yet sends to all.
    let nameless = frames::udp((Ipv4Addr::UNSPECIFIED, 9), (Ipv4Addr::BROADCAST, 7), b"x");
    world.inject(stranger(&nameless));
    assert!(world.bits(socket).contains(PollBits::IN));
}

#[test]
fn what_went_to_all_is_not_answered() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "0.0.0.0:7").unwrap();
    world.medium.start_tap();
    let from = Ipv4Addr::new(10, 0, 2, 40);
    let to_all = |packet: &[u8]| frames::ethernet([2, 9, 9, 9, 9, 9], [0xff; 6], 0x0800, packet);
    for to in [BROADCAST, Ipv4Addr::BROADCAST] {
        world.inject(to_all(&echo_request(from, to)));
        world.inject(to_all(&frames::udp((from, 9), (to, 9), b"x")));
        world.inject(to_all(&frames::ipv4(from, to, 99, b"x")));
        world.inject(to_all(&frames::udp((from, 9), (to, 7), b"for the socket")));
    }
    // In a frame for all, a packet for one is dropped (RFC 1122 section 3.3.6).
    world.inject(to_all(&echo_request(from, SERVER_IP)));
    world.inject(to_all(&frames::udp((from, 9), (SERVER_IP, 7), b"smuggled")));
    assert_eq!(world.medium.take_tap().len(), 0);
    assert_eq!(world.recv_datagrams(socket, 1000).unwrap().len(), 2);
}

#[test]
fn a_packet_for_somebody_else_is_not_looked_at() {
    let mut world = World::new(config(), vec![limits(4, 4)], Faults::none());
    world.medium.start_tap();
    let from = Ipv4Addr::new(10, 0, 2, 40);
    world.inject(stranger(&echo_request(from, Ipv4Addr::new(10, 0, 2, 16))));
    let packet = echo_request(from, SERVER_IP);
    world.inject(frames::ethernet(
        [2, 9, 9, 9, 9, 9],
        [2, 8, 8, 8, 8, 8],
        0x0800,
        &packet,
    ));
    // A group's address is no sender.
    world.inject(frames::ethernet(
        [3, 9, 9, 9, 9, 9],
        SERVER_MAC,
        0x0800,
        &packet,
    ));
    assert_eq!(world.medium.take_tap().len(), 0);
    assert_eq!(world.count(Counter::DropsMalformed), 3);
}
