// SPDX-License-Identifier: BSD-2-Clause

//! Datagram sockets, and what else is answered without a connection.

use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv4Repr, IpProtocol,
    Ipv4Packet, Ipv4Repr,
};
use socket_proto::datagram::HEADER_SIZE;
use socket_proto::{Errno, PollBits, Received, Sent, Shutdown, SocketKind, Span, op};
use socket_server::{Config, GatewayEvent};
use stats::NetServer as Counter;
use test_world::{Faults, PEER_MAC, SERVER_MAC, World, config, limits, pattern};

const SECOND: u64 = 1_000_000_000;
const PEER: Option<&str> = Some("10.0.2.2:5000");

#[test]
fn datagrams_of_all_sizes_go_both_ways() {
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "0.0.0.0:7").unwrap();
    for size in [0, 1, 1471, 1472, 1473, 2960, 2961, 9000, 40_000, 65_507] {
        let data = pattern(size, 6);
        world.peer.send_to(peer, 7, &data);
        world.await_bits(socket, PollBits::IN);
        let received = world.recv_datagrams(socket, 100_000).unwrap();
        assert_eq!(received.len(), 1);
        let (header, payload) = &received[0];
        assert!(*payload == data, "{size} bytes in");
        assert_eq!(usize::from(header.wire_length), size);
        assert_eq!(header.wire_length, header.length);
        assert_eq!(header.peer(), Ok(Some("10.0.2.2:5000".parse().unwrap())));
        assert!(!world.bits(socket).contains(PollBits::IN));

        assert_eq!(world.send_datagrams(socket, &[(PEER, &data)]), Ok(1));
        world.run_until("the datagram", |world| world.peer.udp(peer).can_recv());
        let (payload, from) = world.peer.udp(peer).recv().unwrap();
        assert!(payload == data, "{size} bytes out");
        assert_eq!(from.endpoint.port, 7);
    }
}

#[test]
fn one_call_moves_many() {
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    // Sending binds.
    let payloads: Vec<Vec<u8>> = (0..20).map(|i| pattern(i * 7, i as u32)).collect();
    let batch: Vec<_> = payloads.iter().map(|p| (PEER, &p[..])).collect();
    assert_eq!(world.send_datagrams(socket, &batch), Ok(20));
    let port = world.name(socket).port();
    assert!(port >= socket_server::EPHEMERAL_FIRST);
    world.run_for(SECOND / 10);
    for payload in &payloads {
        let (received, from) = world.peer.udp(peer).recv().unwrap();
        assert!(received == payload);
        assert_eq!(from.endpoint.port, port);
    }
    for payload in &payloads {
        world.peer.send_to(peer, port, payload);
    }
    world.run_for(SECOND / 10);
    // What does not fit stays for the next call.
    let first = world.recv_datagrams(socket, 400).unwrap();
    let second = world.recv_datagrams(socket, 100_000).unwrap();
    assert!(!first.is_empty() && first.len() < 20);
    let both = first.iter().chain(&second).map(|(_, payload)| payload);
    assert!(both.eq(&payloads));
    assert_eq!(world.recv_datagrams(socket, 400), Err(Errno::EAGAIN));
}

#[test]
fn an_echo_sends_a_batch_as_it_was_received() {
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "0.0.0.0:7").unwrap();
    for i in 0..10 {
        world.peer.send_to(peer, 7, &pattern(i * 31, 2));
    }
    world.run_for(SECOND / 10);
    let span = Span {
        offset: test_world::C2S.into(),
        length: 100_000,
    };
    let received = world.ask(op::Recv::new(socket, span));
    let Ok(Received { bytes, datagrams }) = received else {
        panic!("{received:?}");
    };
    assert_eq!(datagrams, 10);
    let span = Span {
        length: bytes,
        ..span
    };
    let sent = world.ask(op::Send::new(socket, span));
    assert_eq!(sent, Ok(Sent { count: 10, room: 0 }));
    world.run_for(SECOND / 10);
    for i in 0..10 {
        assert_eq!(world.peer.udp(peer).recv().unwrap().0, pattern(i * 31, 2));
    }
}

#[test]
fn a_range_that_is_too_short_cuts_the_first_off() {
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "10.0.2.15:7").unwrap();
    let data = pattern(1000, 1);
    world.peer.send_to(peer, 7, &data);
    world.await_bits(socket, PollBits::IN);
    assert_eq!(
        world.recv_datagrams(socket, HEADER_SIZE - 1),
        Err(Errno::EINVAL)
    );
    let received = world.recv_datagrams(socket, HEADER_SIZE + 10).unwrap();
    let (header, payload) = &received[0];
    assert!(header.wire_length > header.length);
    assert_eq!((header.length, header.wire_length), (10, 1000));
    assert_eq!(payload[..], data[..10]);
    assert_eq!(world.recv_datagrams(socket, 2000), Err(Errno::EAGAIN));
}

#[test]
fn a_connected_socket_hears_its_peer_only() {
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let other = world.peer.bind(5001);
    let socket = world.socket(SocketKind::Datagram);
    assert_eq!(
        world.send_datagrams(socket, &[(None, b"x")]),
        Err(Errno::EDESTADDRREQ)
    );
    assert_eq!(world.peer_name(socket), Err(Errno::ENOTCONN));
    world.connect(socket, "10.0.2.2:5000").unwrap();
    assert_eq!(
        world.peer_name(socket),
        Ok("10.0.2.2:5000".parse().unwrap())
    );
    let name = world.name(socket);
    assert_eq!(name.ip(), test_world::SERVER_IP);
    world.send_datagrams(socket, &[(None, b"to you")]).unwrap();
    world.run_until("the datagram", |world| world.peer.udp(peer).can_recv());
    world.peer.send_to(other, name.port(), b"not for you");
    world.peer.send_to(peer, name.port(), b"for you");
    world.run_for(SECOND / 10);
    let received = world.recv_datagrams(socket, 1000).unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].1, b"for you");
    // Nobody at the other end: its ICMP message becomes an error, told once.
    world.connect(socket, "10.0.2.2:6").unwrap();
    world.send_datagrams(socket, &[(None, b"anyone?")]).unwrap();
    world.await_bits(socket, PollBits::ERR);
    assert_eq!(world.so_error(socket), Some(Errno::ECONNREFUSED));
    assert_eq!(world.recv_datagrams(socket, 1000), Err(Errno::EAGAIN));
    world.shutdown(socket, Shutdown::Both).unwrap();
    assert_eq!(
        world.send_datagrams(socket, &[(None, b"x")]),
        Err(Errno::EPIPE)
    );
    assert_eq!(world.recv_datagrams(socket, 1000), Ok(vec![]));
    assert!(world.bits(socket).contains(PollBits::HUP));
}

#[test]
fn wrong_batches_are_refused_and_good_beginnings_sent() {
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    let long = pattern(65_508, 0);
    let refused = [
        (PEER, &long[..], Errno::EMSGSIZE),
        (Some("10.0.2.2:0"), b"x", Errno::EINVAL),
        (Some("240.0.0.9:0"), b"x", Errno::EINVAL),
        (Some("[fe80::1]:9"), b"x", Errno::EAFNOSUPPORT),
    ];
    for (to, payload, errno) in refused {
        assert_eq!(world.send_datagrams(socket, &[(to, payload)]), Err(errno));
        let sent = world.send_datagrams(socket, &[(PEER, b"good"), (to, payload), (PEER, b"late")]);
        assert_eq!(sent, Ok(1));
    }
    world.run_for(SECOND / 10);
    for _ in 0..refused.len() {
        assert_eq!(world.peer.udp(peer).recv().unwrap().0, b"good");
    }
    assert!(!world.peer.udp(peer).can_recv());
}

#[test]
fn a_host_that_does_not_answer_clogs_nothing() {
    let mut world = World::new(config(), vec![limits(4, 4), limits(4, 4)], Faults::none());
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    for round in 0..40u32 {
        let nowhere = format!("10.0.2.{}:9", 100 + round);
        let sent = world.send_datagrams(socket, &[(Some(&nowhere), b"lost"), (PEER, b"found")]);
        assert_eq!(sent, Ok(2), "as on any network, the loss is not told");
        world.run_until("the datagram", |world| world.peer.udp(peer).can_recv());
        assert_eq!(world.peer.udp(peer).recv().unwrap().0, b"found");
    }
    world.run_for(SECOND * 10);
    assert_eq!(world.count(Counter::DropsUnresolved), 40);
}

#[test]
fn a_datagram_waits_for_the_address_of_its_next_hop() {
    // The gateway's address is forgotten because nothing comes through for a while.
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    let silence = Faults {
        lost: 1000,
        ..Faults::none()
    };
    world.medium.set_faults(silence);
    world.run_for(SECOND * 200);
    assert_eq!(world.server.take_event(), Some(GatewayEvent::Silent));
    world.medium.set_faults(Faults::none());
    let start = world.now;
    world
        .send_datagrams(socket, &[(PEER, b"patience")])
        .unwrap();
    world.run_until("the datagram", |world| world.peer.udp(peer).can_recv());
    assert!(world.now - start < SECOND / 10, "sent when the answer came");
    assert!(matches!(
        world.server.take_event(),
        Some(GatewayEvent::Answered { mac: PEER_MAC, .. })
    ));
}

#[test]
fn fragments_find_their_socket_in_any_order() {
    let mut world = World::new(
        config(),
        vec![limits(1, 4)],
        Faults {
            seed: 5,
            late: 400,
            ..Faults::none()
        },
    );
    let peer = world.peer.bind(5000);
    let sockets: Vec<_> = (0..3)
        .map(|i| {
            let socket = world.socket(SocketKind::Datagram);
            world.bind(socket, &format!("0.0.0.0:{}", 7 + i)).unwrap();
            socket
        })
        .collect();
    for round in 0..30 {
        for (i, &socket) in sockets.iter().enumerate() {
            let data = pattern(4000 + round, i as u32);
            world.peer.send_to(peer, 7 + i as u16, &data);
            world.await_bits(socket, PollBits::IN);
            let received = world.recv_datagrams(socket, 100_000).unwrap();
            assert_eq!(received.len(), 1);
            assert!(received[0].1 == data);
        }
    }
}

#[test]
fn an_echo_request_is_answered() {
    let mut world = World::simple();
    world.medium.start_tap();
    let data = pattern(200, 3);
    let icmp = Icmpv4Repr::EchoRequest {
        ident: 7,
        seq_no: 9,
        data: &data,
    };
    let ip = Ipv4Repr {
        src_addr: test_world::PEER_IP,
        dst_addr: test_world::SERVER_IP,
        next_header: IpProtocol::Icmp,
        payload_len: icmp.buffer_len(),
        hop_limit: 64,
    };
    let mut frame = vec![0; 14 + 20 + icmp.buffer_len()];
    let mut ethernet = EthernetFrame::new_unchecked(&mut frame[..]);
    ethernet.set_src_addr(EthernetAddress(PEER_MAC));
    ethernet.set_dst_addr(EthernetAddress(SERVER_MAC));
    ethernet.set_ethertype(EthernetProtocol::Ipv4);
    let checksums = Default::default();
    let mut packet = Ipv4Packet::new_unchecked(ethernet.payload_mut());
    ip.emit(&mut packet, &checksums);
    icmp.emit(
        &mut Icmpv4Packet::new_unchecked(packet.payload_mut()),
        &checksums,
    );
    world.medium.inject(test_world::SERVER, frame);
    world.run_for(SECOND / 10);
    let answers = world.medium.take_tap();
    let answered = answers.iter().any(|frame| {
        let ethernet = EthernetFrame::new_checked(&frame[..]).unwrap();
        let packet = Ipv4Packet::new_checked(ethernet.payload());
        packet.is_ok_and(|packet| {
            let icmp = Icmpv4Packet::new_checked(packet.payload()).unwrap();
            let repr = Icmpv4Repr::parse(&icmp, &checksums);
            repr == Ok(Icmpv4Repr::EchoReply {
                ident: 7,
                seq_no: 9,
                data: &data,
            })
        })
    });
    assert!(answered);
    assert_eq!(world.count(Counter::IcmpEchoReplies), 1);
}

#[test]
fn the_gateway_is_asked_for_at_the_start_and_again() {
    let mut world = World::simple();
    let event = world.server.take_event();
    assert!(
        matches!(event, Some(GatewayEvent::Answered { mac: PEER_MAC, after }) if after < 10_000)
    );
    world.medium.start_tap();
    world.run_for(SECOND * 95);
    assert_eq!(world.medium.take_tap().len(), 3, "every 30 seconds");
    assert_eq!(world.server.take_event(), None);
}

#[test]
fn a_datagram_socket_that_is_full_drops_and_counts() {
    // A datagram takes 512 bytes at least.
    let config = Config {
        datagram_receive: 32 << 10,
        ..config()
    };
    let mut world = World::new(config, vec![limits(0, 2)], Faults::none());
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "0.0.0.0:7").unwrap();
    for _ in 0..5 {
        for _ in 0..20 {
            world.peer.send_to(peer, 7, b"one of a hundred");
        }
        world.run_for(SECOND / 10);
    }
    let received = world.recv_datagrams(socket, 100_000).unwrap();
    assert_eq!(received.len(), 64);
    assert_eq!(world.count(Counter::DropsSocketFull), 36);
}
