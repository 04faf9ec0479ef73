// SPDX-License-Identifier: BSD-2-Clause

//! Bytes and datagrams come back, however peers behave.

use std::ptr::NonNull;

use echo_service::{EchoService, MAX_CONNECTIONS, MAX_PORTS};
use proptest::prelude::*;
use socket_client::Errno;
use socket_mock::{Peer, Server, peer_addr};
use stats::{EchoServer, StatsPage, Writer};

fn stats_writer() -> Writer<EchoServer> {
    let layout = std::alloc::Layout::new::<StatsPage>();
    // SAFETY: the layout has a size.
    let base = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }).unwrap();
    // SAFETY: memory of that size and alignment which is never freed, and nothing else refers to
    // it.
    let region = unsafe { shm::Region::<shm::ReadWrite>::from_ptr(base, layout.size()) };
    Writer::attach(region.into_page().unwrap(), 0)
}

fn start(server: &Server) -> (EchoService<&Server>, Writer<EchoServer>) {
    let stats = stats_writer();
    let ports = || [7].into_iter();
    let service = EchoService::start(server.client(), stats, ports(), ports()).unwrap();
    (service, stats)
}

#[test]
fn more_ports_than_there_is_room_for_are_an_error() {
    let server = Server::new();
    let ports = |count| 1000..1000 + count;
    let (most, more) = (MAX_PORTS as u16, MAX_PORTS as u16 + 1);
    let start = |tcp, udp| {
        EchoService::start(server.client(), stats_writer(), ports(tcp), ports(udp)).err()
    };
    assert_eq!(start(most, most), None);
    assert_eq!(start(more, 0), Some(Errno::ENOBUFS));
    assert_eq!(start(0, more), Some(Errno::ENOBUFS));
}

/// The PD's event loop.
fn run(service: &mut EchoService<&Server>, server: &Server) {
    while server.notified.take() {
        service.notified().unwrap();
    }
}

#[test]
fn a_piece_costs_two_calls_and_no_copy() {
    let server = Server::new();
    server.capacity.set(100_000);
    let (mut service, stats) = start(&server);
    let peer = server.peer_connects(7).unwrap();
    run(&mut service, &server);
    server.count_calls();
    for _ in 0..20 {
        peer.send(&[5; 3000]);
        run(&mut service, &server);
    }
    // And one to learn how much the socket takes at all.
    assert_eq!(server.count_calls(), 2 * 20 + 1);
    assert_eq!(peer.recv(), vec![5; 60_000]);
    assert_eq!(stats.get(EchoServer::TcpBytes), 60_000);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 1);
}

#[test]
fn what_came_before_the_end_is_echoed_before_the_end() {
    let server = Server::new();
    server.capacity.set(10_000);
    let (mut service, stats) = start(&server);
    let peer = server.peer_connects(7).unwrap();
    run(&mut service, &server);
    peer.send(&[1; 10_000]);
    run(&mut service, &server);
    peer.send(&[2; 5_000]);
    peer.finish();
    run(&mut service, &server);
    assert!(!peer.saw_end(), "the peer has not read anything yet");
    let mut received = Vec::new();
    while !peer.saw_end() {
        received.extend(peer.recv());
        run(&mut service, &server);
    }
    assert_eq!(received.len(), 15_000);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 0);
    assert_eq!(stats.get(EchoServer::ConnectionsFailed), 0);
    assert_eq!(server.slots.borrow().len(), 2, "no socket is left behind");
}

#[test]
fn a_reset_disturbs_nobody() {
    let server = Server::new();
    let (mut service, stats) = start(&server);
    let peers: Vec<Peer> = (0..3).map(|_| server.peer_connects(7).unwrap()).collect();
    run(&mut service, &server);
    peers[1].send(b"lost");
    peers[1].reset();
    peers[2].send(b"kept");
    run(&mut service, &server);
    assert_eq!(peers[2].recv(), b"kept");
    assert_eq!(stats.get(EchoServer::ConnectionsFailed), 1);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 2);
}

#[test]
fn a_peer_that_does_not_read_holds_up_nobody() {
    let server = Server::new();
    server.capacity.set(20_000);
    let (mut service, _) = start(&server);
    let slow: Vec<Peer> = (0..40).map(|_| server.peer_connects(7).unwrap()).collect();
    let quick = server.peer_connects(7).unwrap();
    run(&mut service, &server);
    let mut sent = [0; 40];
    for (peer, sent) in slow.iter().zip(&mut sent) {
        loop {
            let count = peer.send(&[9; 5000]);
            run(&mut service, &server);
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
        run(&mut service, &server);
        assert_eq!(quick.recv(), [round; 3000]);
        run(&mut service, &server);
    }
    for (peer, sent) in slow.iter().zip(sent) {
        let mut received = 0;
        while received < sent {
            let bytes = peer.recv();
            assert!(!bytes.is_empty());
            received += bytes.len();
            run(&mut service, &server);
        }
    }
}

#[test]
fn one_connection_too_many_waits() {
    let server = Server::new();
    server.max_sockets.set(MAX_CONNECTIONS + 10);
    let (mut service, stats) = start(&server);
    let mut peers: Vec<Peer> = (0..MAX_CONNECTIONS + 1)
        .map(|_| server.peer_connects(7).unwrap())
        .collect();
    run(&mut service, &server);
    peers[MAX_CONNECTIONS].send(b"me too");
    run(&mut service, &server);
    assert_eq!(peers[MAX_CONNECTIONS].recv(), b"");
    assert_eq!(
        stats.get(EchoServer::ConnectionsOpen),
        MAX_CONNECTIONS as u64
    );
    peers.remove(5).finish();
    run(&mut service, &server);
    assert_eq!(peers[MAX_CONNECTIONS - 1].recv(), b"me too");
}

/// Notifies at the deadline that the service has asked for.
fn pass_deadline(service: &mut EchoService<&Server>, server: &Server) {
    let deadline = server.deadline.take().expect("it asked to be woken");
    server.now.set(deadline);
    server.notified.set(true);
    run(service, server);
}

#[test]
fn silent_connections_make_room_and_a_busy_one_stays() {
    let server = Server::new();
    server.max_sockets.set(MAX_CONNECTIONS + 10);
    server.capacity.set(100_000);
    let (mut service, stats) = start(&server);
    let busy = server.peer_connects(7).unwrap();
    let silent: Vec<Peer> = (0..1000)
        .map(|_| server.peer_connects(7).unwrap())
        .collect();
    let late = server.peer_connects(7).unwrap();
    late.send(b"at last");
    let start = server.now.get();
    let mut echoed = Vec::new();
    while echoed.is_empty() {
        busy.send(&[1; 20_000]);
        run(&mut service, &server);
        assert_eq!(busy.recv(), [1; 20_000]);
        echoed = late.recv();
        if echoed.is_empty() {
            pass_deadline(&mut service, &server);
        }
        assert!(server.now.get() - start < 1_000_000_000, "it waits");
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
    let server = Server::new();
    server.max_sockets.set(MAX_CONNECTIONS + 10);
    server.capacity.set(100_000);
    let (mut service, _) = start(&server);
    let slow: Vec<Peer> = (0..MAX_CONNECTIONS)
        .map(|_| server.peer_connects(7).unwrap())
        .collect();
    run(&mut service, &server);
    for round in 0..100 {
        server.now.set(server.now.get() + 100_000_000);
        for peer in &slow {
            assert_eq!(peer.send(&[round; 70]), 70);
        }
        run(&mut service, &server);
    }
    let late = server.peer_connects(7).unwrap();
    late.send(b"now");
    run(&mut service, &server);
    assert_eq!(late.recv(), b"now");
}

#[test]
fn datagrams_go_back_by_the_batch() {
    let server = Server::new();
    let (mut service, stats) = start(&server);
    for i in 0..16u8 {
        server.datagram_arrives(7, peer_addr(1000 + u16::from(i)), &[i; 64]);
    }
    server.count_calls();
    run(&mut service, &server);
    assert_eq!(server.count_calls(), 2);
    for (i, (to, bytes)) in (0u8..).zip(server.sent.take()) {
        assert_eq!(to, Some(peer_addr(1000 + u16::from(i))));
        assert_eq!(bytes, [i; 64]);
    }
    assert_eq!(stats.get(EchoServer::Datagrams), 16);
    assert_eq!(stats.get(EchoServer::UdpBytes), 16 * 64);
}

#[test]
fn a_datagram_that_cannot_be_answered_costs_only_itself() {
    let server = Server::new();
    let (mut service, stats) = start(&server);
    server.unreachable.set(Some(peer_addr(0)));
    for port in [1, 0, 2, 0, 0, 3] {
        server.datagram_arrives(7, peer_addr(port), b"?");
    }
    run(&mut service, &server);
    let ports: Vec<u16> = server
        .sent
        .take()
        .into_iter()
        .map(|(to, _)| to.unwrap().port())
        .collect();
    assert_eq!(ports, [1, 2, 3]);
    assert_eq!(stats.get(EchoServer::DatagramsDropped), 3);
}

#[test]
fn a_restarted_server_is_served_again() {
    let server = Server::new();
    let (mut service, stats) = start(&server);
    let lost = server.peer_connects(7).unwrap();
    run(&mut service, &server);
    server.restart();
    run(&mut service, &server);
    assert_eq!(lost.recv(), b"");
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 0);
    let peer = server.peer_connects(7).unwrap();
    peer.send(b"again");
    server.datagram_arrives(7, peer_addr(1), b"too");
    run(&mut service, &server);
    assert_eq!(peer.recv(), b"again");
    assert_eq!(server.sent.take().len(), 1);
}

proptest! {
    /// Any order of sending, reading and ending by several peers: what each of them gets is what it
    /// sent.
    #[test]
    fn every_byte_comes_back_in_order(
        capacity in 1usize..40_000,
        steps in prop::collection::vec((0usize..4, 0u8..8, 1usize..20_000), 1..80),
    ) {
        let server = Server::new();
        server.capacity.set(capacity);
        let (mut service, _) = start(&server);
        let peers: Vec<Peer> = (0..4).map(|_| server.peer_connects(7).unwrap()).collect();
        let mut sent = vec![Vec::new(); 4];
        let mut received = vec![Vec::new(); 4];
        for (i, action, amount) in steps {
            match action {
                0..4 => {
                    let next: Vec<u8> = (sent[i].len()..sent[i].len() + amount).map(|n| (n ^ (n >> 8)) as u8).collect();
                    let count = peers[i].send(&next);
                    sent[i].extend(&next[..count]);
                }
                4..6 => received[i].extend(peers[i].recv()),
                _ => run(&mut service, &server),
            }
        }
        for i in 0..4 {
            peers[i].finish();
            while !peers[i].saw_end() {
                run(&mut service, &server);
                received[i].extend(peers[i].recv());
            }
            prop_assert_eq!(&received[i], &sent[i]);
        }
    }
}

#[test]
fn a_server_that_restarts_during_a_call_is_served_again() {
    for call in 0..4 {
        let server = Server::new();
        let (mut service, stats) = start(&server);
        run(&mut service, &server);
        let peer = server.peer_connects(7).unwrap();
        run(&mut service, &server);
        peer.send(b"lost");
        server.datagram_arrives(7, peer_addr(1), b"lost, too");
        // As many calls succeed, then the server dies with the next one in its hands.
        server.fail_after.set(Some(call));
        run(&mut service, &server);
        assert_eq!(server.fail_after.get(), None, "call {call} was made");
        assert_eq!(stats.get(EchoServer::ConnectionsOpen), 0);
        let peer = server.peer_connects(7).expect("it listens again");
        peer.send(b"anew");
        server.datagram_arrives(7, peer_addr(2), b"anew");
        server.sent.take();
        run(&mut service, &server);
        assert_eq!(peer.recv(), b"anew");
        assert_eq!(server.sent.take(), [(Some(peer_addr(2)), b"anew".to_vec())]);
    }
}

#[test]
fn ports_that_cannot_be_opened_are_tried_again_and_nothing_leaks() {
    let server = Server::new();
    let (mut service, _) = start(&server);
    run(&mut service, &server);
    server.restart();
    for _ in 0..5 {
        // Room for one socket, where two are needed.
        server.max_sockets.set(1);
        server.notified.set(false);
        assert_eq!(service.notified(), Err(Errno::EMFILE));
        let deadline = server.deadline.take().expect("it asked to be woken");
        server.now.set(deadline);
    }
    server.max_sockets.set(10);
    service.notified().unwrap();
    assert_eq!(server.slots.borrow().len(), 2);
    let peer = server.peer_connects(7).expect("it listens again");
    peer.send(b"anew");
    run(&mut service, &server);
    assert_eq!(peer.recv(), b"anew");
}
