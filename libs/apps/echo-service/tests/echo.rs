// SPDX-License-Identifier: BSD-2-Clause

//! Bytes and datagrams come back, however peers behave.

use std::time::Duration;

use echo_service::{EchoService, MAX_CONNECTIONS, MAX_PORTS};
use proptest::prelude::*;
use socket_client::Errno;
use socket_proto::RESTARTED;
use stats::{EchoServer, Writer};
use test_world::{Faults, Stream, Wire, World, config, limits, page};

const SECOND: Duration = Duration::from_secs(1);

fn start(wire: &Wire) -> (EchoService<&Wire>, Writer<EchoServer>) {
    let stats = Writer::attach(page(), 0);
    let ports = || [7].into_iter();
    let service = EchoService::start(wire.client(), stats, ports(), ports()).unwrap();
    (service, stats)
}

/// A client that may have as many connections as the service serves, and some more.
fn large_wire() -> Wire {
    Wire::with_limits(limits(MAX_CONNECTIONS + 40, 8))
}

/// The PD's event loop, until nothing happens any more at once.
fn run(service: &mut EchoService<&Wire>, wire: &Wire) {
    wire.settle();
    while wire.take_notified() {
        service.notified().unwrap();
        wire.settle();
    }
}

/// The PD's event loop for some time.
fn run_for(service: &mut EchoService<&Wire>, wire: &Wire, time: Duration) {
    run(service, wire);
    let end = wire.time() + time;
    while wire.time() < end {
        wire.go_on((end - wire.time()).as_nanos() as u64);
        run(service, wire);
    }
}

#[test]
fn more_ports_than_there_is_room_for_are_an_error() {
    let wire = Wire::simple();
    let ports = |count| 1000..1000 + count;
    let (most, more) = (MAX_PORTS as u16, MAX_PORTS as u16 + 1);
    let start = |tcp, udp| {
        let stats = Writer::attach(page(), 0);
        EchoService::start(wire.client(), stats, ports(tcp), ports(udp)).err()
    };
    assert_eq!(start(most, most), None);
    assert_eq!(start(more, 0), Some(Errno::ENOBUFS));
    assert_eq!(start(0, more), Some(Errno::ENOBUFS));
}

#[test]
fn a_piece_costs_two_calls_and_no_copy() {
    let wire = Wire::simple();
    let (mut service, stats) = start(&wire);
    let peer = wire.connect(7);
    run(&mut service, &wire);
    wire.take_calls();
    for _ in 0..20 {
        peer.send(&[5; 3000]);
        run(&mut service, &wire);
    }
    // And one to learn how much the socket takes at all.
    assert_eq!(wire.count_calls(), 2 * 20 + 1);
    assert_eq!(peer.recv(), vec![5; 60_000]);
    assert_eq!(stats.get(EchoServer::TcpBytes), 60_000);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 1);
}

#[test]
fn what_came_before_the_end_is_echoed_before_the_end() {
    let wire = Wire::with_buffers(limits(8, 8), 10_000);
    let (mut service, stats) = start(&wire);
    let peer = wire.connect(7);
    run(&mut service, &wire);
    assert_eq!(peer.send(&[1; 10_000]), 10_000);
    run(&mut service, &wire);
    assert_eq!(peer.send(&[2; 5_000]), 5_000);
    peer.finish();
    run(&mut service, &wire);
    assert!(!peer.saw_end(), "the peer has not read anything yet");
    let mut received = Vec::new();
    while !peer.saw_end() {
        received.extend(peer.recv());
        run_for(&mut service, &wire, SECOND / 100);
    }
    assert_eq!(received.len(), 15_000);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 0);
    assert_eq!(stats.get(EchoServer::ConnectionsFailed), 0);
    assert_eq!(wire.sockets(), 2, "no socket is left behind");
    wire.world.borrow_mut().assert_no_streams();
}

#[test]
fn a_reset_disturbs_nobody() {
    let wire = Wire::simple();
    let (mut service, stats) = start(&wire);
    let peers = [(); 3].map(|()| wire.connect(7));
    run(&mut service, &wire);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 3);
    peers[1].send(b"lost");
    peers[1].reset();
    peers[2].send(b"kept");
    run(&mut service, &wire);
    assert_eq!(peers[2].recv(), b"kept");
    assert_eq!(stats.get(EchoServer::ConnectionsFailed), 1);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 2);
}

#[test]
fn a_peer_that_does_not_read_holds_up_nobody() {
    let wire = Wire::with_buffers(limits(50, 8), 20_000);
    let (mut service, _) = start(&wire);
    let connect = |service: &mut _| {
        let peer = wire.connect(7);
        run(service, &wire);
        peer
    };
    let slow: Vec<Stream> = (0..40).map(|_| connect(&mut service)).collect();
    let quick = connect(&mut service);
    let mut sent = [0; 40];
    for (peer, sent) in slow.iter().zip(&mut sent) {
        loop {
            let count = peer.send(&[9; 5000]);
            run(&mut service, &wire);
            *sent += count;
            if count == 0 {
                break;
            }
        }
    }
    assert!(
        sent.iter().all(|&sent| sent >= 30_000),
        "both ways are full"
    );
    for round in 0..50u8 {
        quick.send(&[round; 3000]);
        run(&mut service, &wire);
        assert_eq!(quick.recv(), [round; 3000]);
        run(&mut service, &wire);
    }
    let mut received = [0; 40];
    for round in 0.. {
        for (peer, received) in slow.iter().zip(&mut received) {
            *received += peer.recv().len();
        }
        if received == sent {
            break;
        }
        assert!(round < 100, "{received:?} of {sent:?}");
        run_for(&mut service, &wire, SECOND);
    }
}

#[test]
fn one_connection_too_many_waits() {
    let wire = large_wire();
    let (mut service, stats) = start(&wire);
    let peers: Vec<Stream> = (0..=MAX_CONNECTIONS)
        .map(|_| {
            let peer = wire.connect(7);
            run(&mut service, &wire);
            peer
        })
        .collect();
    let (late, others) = peers.split_last().unwrap();
    late.send(b"me too");
    run(&mut service, &wire);
    assert_eq!(late.recv(), b"");
    let open = stats.get(EchoServer::ConnectionsOpen);
    assert_eq!(open, MAX_CONNECTIONS as u64);
    others[5].finish();
    run(&mut service, &wire);
    assert_eq!(late.recv(), b"me too");
    assert_eq!(stats.get(EchoServer::ConnectionsDisplaced), 0);
}

#[test]
fn silent_connections_make_room_and_a_busy_one_stays() {
    let limits = vec![limits(MAX_CONNECTIONS + 40, 8)];
    let wire = Wire::new(World::with_peer(config(), limits, Faults::quick(), 1100));
    wire.world.borrow_mut().peer.buffer = 20_000;
    let (mut service, stats) = start(&wire);
    let busy = wire.connect(7);
    let echoes = |service: &mut _| {
        busy.send(&[1; 20_000]);
        run(service, &wire);
        assert_eq!(busy.recv(), [1; 20_000]);
    };
    let mut silent = Vec::new();
    while silent.len() < 1000 {
        silent.push(wire.connect(7));
        echoes(&mut service);
        run_for(&mut service, &wire, SECOND / 2000);
    }
    let late = wire.connect(7);
    late.send(b"at last");
    let since = wire.time();
    let mut echoed = late.recv();
    while echoed.is_empty() {
        assert!(wire.time() - since < SECOND, "it waits");
        echoes(&mut service);
        run_for(&mut service, &wire, SECOND / 1000);
        echoed = late.recv();
    }
    assert_eq!(echoed, b"at last");
    let displaced = stats.get(EchoServer::ConnectionsDisplaced);
    assert_eq!(displaced, 1002 - MAX_CONNECTIONS as u64);
    assert_eq!(stats.get(EchoServer::ConnectionsFailed), 0);
    let ended = silent.iter().filter(|peer| peer.saw_end()).count();
    assert_eq!(ended as u64, displaced);
}

#[test]
fn a_peer_that_reads_in_drops_makes_room_too() {
    let wire = large_wire();
    let (mut service, stats) = start(&wire);
    let slow: Vec<Stream> = (0..MAX_CONNECTIONS)
        .map(|_| {
            let peer = wire.connect(7);
            run(&mut service, &wire);
            peer
        })
        .collect();
    for round in 0..100 {
        wire.run_until(wire.time() + SECOND / 10);
        for peer in &slow {
            assert_eq!(peer.send(&[round; 70]), 70);
        }
        run(&mut service, &wire);
    }
    assert_eq!(stats.get(EchoServer::ConnectionsDisplaced), 0);
    let late = wire.connect(7);
    late.send(b"now");
    run(&mut service, &wire);
    assert_eq!(late.recv(), b"now");
    assert_eq!(stats.get(EchoServer::ConnectionsDisplaced), 1);
}

#[test]
fn datagrams_go_back_by_the_batch() {
    let wire = Wire::simple();
    let (mut service, stats) = start(&wire);
    wire.take_datagrams();
    for i in 0..16u8 {
        wire.datagram_arrives(7, 1000 + u16::from(i), &[i; 64]);
    }
    wire.take_calls();
    run(&mut service, &wire);
    assert_eq!(wire.count_calls(), 2);
    let sent = wire.take_datagrams();
    let expected: Vec<_> = (0..16u8)
        .map(|i| (1000 + u16::from(i), vec![i; 64]))
        .collect();
    assert_eq!(sent, expected);
    assert_eq!(stats.get(EchoServer::Datagrams), 16);
    assert_eq!(stats.get(EchoServer::UdpBytes), 16 * 64);
}

#[test]
fn a_datagram_that_cannot_be_answered_costs_only_itself() {
    let wire = Wire::simple();
    let (mut service, stats) = start(&wire);
    wire.take_datagrams();
    for port in [1, 0, 2, 0, 0, 3] {
        wire.datagram_arrives(7, port, b"?");
    }
    run(&mut service, &wire);
    let sent = wire.take_datagrams();
    let ports: Vec<u16> = sent.into_iter().map(|(port, _)| port).collect();
    assert_eq!(ports, [1, 2, 3]);
    assert_eq!(stats.get(EchoServer::DatagramsDropped), 3);
}

#[test]
fn a_restarted_server_is_served_again() {
    let wire = Wire::simple();
    let (mut service, stats) = start(&wire);
    let lost = wire.connect(7);
    run(&mut service, &wire);
    wire.restart();
    run(&mut service, &wire);
    assert_eq!(lost.recv(), b"");
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 0);
    let peer = wire.connect(7);
    peer.send(b"again");
    wire.take_datagrams();
    wire.datagram_arrives(7, 1, b"too");
    run(&mut service, &wire);
    assert_eq!(peer.recv(), b"again");
    assert_eq!(wire.take_datagrams(), [(1, b"too".to_vec())]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any order of sending, reading and ending by several peers: what each of them gets is what it
    /// sent.
    #[test]
    fn every_byte_comes_back_in_order(
        capacity in 600usize..40_000,
        steps in prop::collection::vec((0usize..4, 0u8..8, 1usize..20_000), 1..80),
    ) {
        let wire = Wire::with_buffers(limits(8, 8), capacity);
        let (mut service, _) = start(&wire);
        let peers = [(); 4].map(|()| wire.connect(7));
        let mut sent = vec![Vec::new(); 4];
        let mut received = vec![Vec::new(); 4];
        for (i, action, amount) in steps {
            match action {
                0..4 => {
                    let next: Vec<u8> = (sent[i].len()..sent[i].len() + amount)
                        .map(|n| (n ^ (n >> 8)) as u8)
                        .collect();
                    let count = peers[i].send(&next);
                    sent[i].extend(&next[..count]);
                }
                4..6 => received[i].extend(peers[i].recv()),
                _ => run(&mut service, &wire),
            }
        }
        for i in 0..4 {
            peers[i].finish();
            let mut rounds = 0;
            while !peers[i].saw_end() {
                run_for(&mut service, &wire, SECOND / 10);
                received[i].extend(peers[i].recv());
                rounds += 1;
                prop_assert!(rounds < 10_000, "it never comes to an end");
            }
            prop_assert_eq!(&received[i], &sent[i]);
        }
    }
}

#[test]
fn a_server_that_restarts_during_a_call_is_served_again() {
    for call in 0..4 {
        let wire = Wire::simple();
        let (mut service, stats) = start(&wire);
        run(&mut service, &wire);
        let peer = wire.connect(7);
        run(&mut service, &wire);
        peer.send(b"lost");
        wire.datagram_arrives(7, 1, b"lost, too");
        // As many calls succeed, then the server dies with the next one in its hands.
        wire.serve(call);
        wire.lie(RESTARTED, [0; 4]);
        run(&mut service, &wire);
        assert_eq!(wire.planned(), 0, "call {call} was made");
        assert_eq!(stats.get(EchoServer::ConnectionsOpen), 0);
        let peer = wire.connect(7);
        assert!(peer.is_connected(), "it listens again");
        peer.send(b"anew");
        wire.take_datagrams();
        wire.datagram_arrives(7, 2, b"anew");
        run(&mut service, &wire);
        assert_eq!(peer.recv(), b"anew");
        assert_eq!(wire.take_datagrams(), [(2, b"anew".to_vec())]);
    }
}

#[test]
fn ports_that_cannot_be_opened_are_tried_again_and_nothing_leaks() {
    let wire = Wire::simple();
    let (mut service, _) = start(&wire);
    run(&mut service, &wire);
    wire.restart();
    for _ in 0..5 {
        // Attach or close, then one socket; the second one is refused.
        wire.take_notified();
        wire.serve(4);
        wire.refuse(Errno::EMFILE);
        wire.take_calls();
        assert_eq!(service.notified(), Err(Errno::EMFILE));
        assert_eq!(wire.planned(), 0);
        assert_eq!(wire.sockets(), 1);
        let deadlines = wire.take_deadlines();
        assert_eq!(deadlines.len(), 1, "it asked to be woken");
        wire.settle();
        assert!(!wire.take_notified());
        wire.run_until(deadlines[0]);
        assert!(wire.take_notified());
    }
    service.notified().unwrap();
    assert_eq!(wire.sockets(), 2);
    let peer = wire.connect(7);
    peer.send(b"anew");
    run(&mut service, &wire);
    assert_eq!(peer.recv(), b"anew");
}
