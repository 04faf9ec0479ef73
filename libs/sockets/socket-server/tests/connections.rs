// SPDX-License-Identifier: BSD-2-Clause

//! How connections begin and end.

use socket_proto::{Errno, PollBits, Shutdown, SocketKind, op};
use stats::NetServer as Counter;
use test_world::raw::{Raw, SYN};
use test_world::{Faults, World, config, limits};

const SECOND: u64 = 1_000_000_000;

#[test]
fn accept_takes_connections_in_the_order_in_which_they_came() {
    let mut world = World::simple();
    let listener = world.listen(80, 8);
    assert_eq!(world.accept(listener).map(drop), Err(Errno::EAGAIN));
    let mut ports = Vec::new();
    for _ in 0..5 {
        let peer = world.peer.connect(80);
        world.run_until("established", |world| world.peer.tcp(peer).may_send());
        world.run_for(SECOND / 100);
        ports.push(world.peer.tcp(peer).local_endpoint().unwrap().port);
    }
    assert!(world.take_notified(0));
    assert!(world.bits(listener).contains(PollBits::IN));
    for port in ports {
        let (socket, peer) = world.accept(listener).unwrap();
        assert_eq!(peer, format!("10.0.2.2:{port}").parse().unwrap());
        assert_eq!(world.peer_name(socket), Ok(peer));
        assert_eq!(world.name(socket), "10.0.2.15:80".parse().unwrap());
        assert!(world.bits(socket).contains(PollBits::OUT));
    }
    assert!(!world.bits(listener).contains(PollBits::IN));
    assert_eq!(world.accept(listener).map(drop), Err(Errno::EAGAIN));
}

#[test]
fn a_full_backlog_delays_and_loses_nothing() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let peers: Vec<_> = (0..6).map(|_| world.peer.connect(80)).collect();
    world.run_for(SECOND / 2);
    assert_eq!(world.count(Counter::DropsBacklog), 3);
    assert_eq!(world.count(Counter::StreamSockets), 3);
    let mut accepted = 0;
    world.run_until("all six", |world| {
        while world.accept(listener).is_ok() {
            accepted += 1;
        }
        accepted == 6
    });
    for peer in peers {
        assert!(world.peer.tcp(peer).may_send());
    }
}

#[test]
fn data_can_come_before_accept() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let peer = world.peer.connect(80);
    world.run_until("established", |world| world.peer.tcp(peer).may_send());
    world.peer.tcp(peer).send_slice(b"hello").unwrap();
    world.peer.tcp(peer).close();
    world.run_for(SECOND);
    let (socket, _) = world.accept(listener).unwrap();
    assert!(world.bits(socket).contains(PollBits::IN | PollBits::RDHUP));
    assert_eq!(world.recv(socket, 100).unwrap(), b"hello");
    assert_eq!(world.recv(socket, 100).unwrap(), b"");
}

#[test]
fn a_port_without_a_listener_refuses() {
    let mut world = World::simple();
    let peer = world.peer.connect(81);
    world.run_until("a reset", |world| !world.peer.tcp(peer).is_active());
    assert_eq!(world.count(Counter::DropsNoSocket), 1);
    world.assert_no_streams();
    // A bound socket that does not listen refuses too.
    let socket = world.socket(SocketKind::Stream);
    world.bind(socket, "0.0.0.0:82").unwrap();
    let peer = world.peer.connect(82);
    world.run_until("a reset", |world| !world.peer.tcp(peer).is_active());
}

#[test]
fn a_refused_attempt_says_so_once() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Stream);
    assert_eq!(world.connect(socket, "10.0.2.2:9"), Err(Errno::EINPROGRESS));
    world.await_bits(socket, PollBits::ERR);
    assert!(world.take_notified(0));
    assert!(world.bits(socket).contains(PollBits::HUP | PollBits::OUT));
    assert_eq!(world.so_error(socket), Some(Errno::ECONNREFUSED));
    assert_eq!(world.so_error(socket), None);
    assert!(!world.bits(socket).contains(PollBits::ERR));
    world.assert_no_streams();
    // The same socket can try again, once `connect` has told the end; here the second call of
    // `connect` is who is told.
    assert_eq!(
        world.connect(socket, "10.0.2.2:9"),
        Err(Errno::ECONNABORTED)
    );
    assert_eq!(world.connect(socket, "10.0.2.2:9"), Err(Errno::EINPROGRESS));
    world.await_bits(socket, PollBits::ERR);
    assert_eq!(
        world.connect(socket, "10.0.2.2:9"),
        Err(Errno::ECONNREFUSED)
    );
    // Or the client that tries to use it.
    assert_eq!(world.connect(socket, "10.0.2.2:9"), Err(Errno::EINPROGRESS));
    world.await_bits(socket, PollBits::ERR);
    assert_eq!(world.send(socket, b"x"), Err(Errno::ECONNREFUSED));
    assert_eq!(world.send(socket, b"x"), Err(Errno::EPIPE));
    assert!(!world.bits(socket).contains(PollBits::ERR));
    world.peer.listen(9);
    assert_eq!(
        world.connect(socket, "10.0.2.2:9"),
        Err(Errno::ECONNABORTED)
    );
    assert_eq!(world.connect(socket, "10.0.2.2:9"), Err(Errno::EINPROGRESS));
    world.await_bits(socket, PollBits::OUT);
    assert_eq!(world.so_error(socket), None);
}

#[test]
fn attempts_to_nobody_end_with_the_reason() {
    let mut world = World::simple();
    // No such host on the network: nobody answers ARP.
    let unreachable = world.socket(SocketKind::Stream);
    let start = world.now;
    let answer = world.connect(unreachable, "10.0.2.77:80");
    assert_eq!(answer, Err(Errno::EINPROGRESS));
    world.await_bits(unreachable, PollBits::ERR);
    assert_eq!(world.so_error(unreachable), Some(Errno::EHOSTUNREACH));
    assert!((2 * SECOND..5 * SECOND).contains(&(world.now - start)));
    // A host behind the gateway that says nothing: the peer takes no packets for others.
    let silent = world.socket(SocketKind::Stream);
    let start = world.now;
    let answer = world.connect(silent, "192.0.2.1:80");
    assert_eq!(answer, Err(Errno::EINPROGRESS));
    world.await_bits(silent, PollBits::ERR);
    assert_eq!(world.so_error(silent), Some(Errno::ETIMEDOUT));
    assert!((25 * SECOND..40 * SECOND).contains(&(world.now - start)));
    // What cannot be sent to at all is refused at once.
    let socket = world.socket(SocketKind::Stream);
    for nowhere in [
        "127.255.255.255:80",
        "255.255.255.255:80",
        "10.0.2.255:80",
        "224.0.0.1:80",
    ] {
        assert_eq!(world.connect(socket, nowhere), Err(Errno::ENETUNREACH));
    }
    assert_eq!(world.connect(socket, "10.0.2.2:0"), Err(Errno::EINVAL));
    assert_eq!(world.connect(socket, "[::1]:80"), Err(Errno::EAFNOSUPPORT));
    world.assert_no_streams();
}

#[test]
fn a_reset_is_told_after_what_was_received_before_it() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let (socket, peer) = world.connected(listener, 80);
    world.peer.tcp(peer).send_slice(b"before").unwrap();
    world.await_bits(socket, PollBits::IN);
    world.peer.tcp(peer).abort();
    world.await_bits(socket, PollBits::ERR);
    assert!(world.bits(socket).contains(PollBits::HUP));
    assert_eq!(world.recv(socket, 100).unwrap(), b"before");
    assert_eq!(world.recv(socket, 100), Err(Errno::ECONNRESET));
    assert_eq!(world.recv(socket, 100).unwrap(), b"");
    assert_eq!(world.send(socket, b"x"), Err(Errno::EPIPE));
    world.close(socket);
    world.assert_no_streams();

    let (socket, peer) = world.connected(listener, 80);
    world.peer.tcp(peer).abort();
    world.await_bits(socket, PollBits::ERR);
    assert_eq!(world.send(socket, b"x"), Err(Errno::ECONNRESET));
    assert_eq!(world.send(socket, b"x"), Err(Errno::EPIPE));
    assert_eq!(world.shutdown(socket, Shutdown::Both), Err(Errno::ENOTCONN));
}

#[test]
fn closing_with_unread_bytes_resets() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let (socket, peer) = world.connected(listener, 80);
    world.peer.tcp(peer).send_slice(b"never read").unwrap();
    world.await_bits(socket, PollBits::IN);
    world.close(socket);
    world.run_for(SECOND / 10);
    // A reset, not a FIN: the peer's socket is gone at once.
    assert_eq!(
        world.peer.tcp(peer).state(),
        smoltcp::socket::tcp::State::Closed
    );
    world.assert_no_streams();
}

#[test]
fn closing_with_unsent_bytes_sends_them_first() {
    for faults in [Faults::none(), Faults::some(11)] {
        let mut world = World::new(config(), vec![limits(8, 1)], faults);
        let listener = world.listen(80, 3);
        let (socket, peer) = world.connected(listener, 80);
        let data = test_world::pattern(60_000, 8);
        assert_eq!(world.send(socket, &data).unwrap().0, data.len());
        world.close(socket);
        assert_eq!(world.bits(socket), PollBits::NVAL);
        let mut received = Vec::new();
        world.run_until("the end of the stream", |world| {
            let tcp = world.peer.tcp(peer);
            let _ = tcp.recv(|b| {
                received.extend_from_slice(b);
                (b.len(), ())
            });
            !tcp.may_recv()
        });
        assert!(received == data);
        world.peer.tcp(peer).close();
        world.run_for(SECOND * 15);
        world.assert_no_streams();
    }
}

#[test]
fn bytes_for_a_socket_that_is_closed_are_answered_with_a_reset() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let (socket, peer) = world.connected(listener, 80);
    world.close(socket);
    world.run_for(SECOND / 10);
    world
        .peer
        .tcp(peer)
        .send_slice(b"nobody reads this")
        .unwrap();
    world.run_for(SECOND / 10);
    assert!(!world.peer.tcp(peer).is_active());
    world.assert_no_streams();
}

#[test]
fn a_peer_that_goes_silent_is_given_up() {
    let silence = Faults {
        lost: 1000,
        ..Faults::none()
    };
    // With bytes on their way.
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let (socket, _) = world.connected(listener, 80);
    world.send(socket, b"hello?").unwrap();
    world.medium.set_faults(silence);
    world.await_bits(socket, PollBits::ERR);
    assert_eq!(world.recv(socket, 10), Err(Errno::ETIMEDOUT));
    // Only half open: the backlog gets its place back.
    let mut world = World::simple();
    world.listen(80, 3);
    world.peer.connect(80);
    world.run_for(SECOND / 5000);
    world.medium.set_faults(silence);
    world.run_for(SECOND / 1000);
    assert_eq!(world.count(Counter::TcpHalfOpen), 1);
    world.run_for(SECOND * 16);
    assert_eq!(world.count(Counter::TcpHalfOpen), 0);
    world.assert_no_streams();
    // Idle connections stay: nobody owes anything.
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let (socket, peer) = world.connected(listener, 80);
    world.run_for(SECOND * 3600);
    world.send(socket, b"still there").unwrap();
    world.run_until("the bytes", |world| world.peer.tcp(peer).recv_queue() == 11);
    world.close(socket);
    // The peer acknowledges the FIN, and never closes its side.
    world.run_for(SECOND * 61);
    world.assert_no_streams();
}

/// The SYN|ACKs that are due again find no transmit buffer.
#[test]
fn a_driver_that_stands_still_does_not_make_the_server_spin() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    world.medium.stop_driver(true);
    for port in 0..1000 {
        let syn = Raw::new(2000 + port, 80, SYN, 1, 0);
        world.inject(syn.frame());
    }
    // Longer than half-open connections are kept.
    world.run_for(SECOND * 20);
    assert!(world.count(Counter::DropsNoTxBuffer) > 1000);
    assert_eq!(world.count(Counter::TcpHalfOpen), 0);
    world.medium.stop_driver(false);
    world.connected(listener, 80);
}

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let mut world = World::simple();
    let listener = world.listen(80, 8);
    let peer = world.peer.connect(80);
    for round in 0..10_000 {
        if round > 0 {
            world.peer.reconnect(peer, 80);
        }
        world.await_bits(listener, PollBits::IN);
        let (socket, _) = world.accept(listener).unwrap();
        // Who closes first, and how, changes from round to round.
        match round % 4 {
            0 => world.peer.tcp(peer).abort(),
            1 => {
                world.close(socket);
                world.run_until("a FIN", |world| {
                    world.peer.tcp(peer).state() == smoltcp::socket::tcp::State::CloseWait
                });
                world.peer.tcp(peer).close();
            }
            2 => {
                world.peer.tcp(peer).close();
                world.await_bits(socket, PollBits::RDHUP);
            }
            _ => {
                world.peer.tcp(peer).send_slice(b"x").unwrap();
                world.await_bits(socket, PollBits::IN);
            }
        }
        if round % 4 != 1 {
            world.close(socket);
        }
        world.run_until("closed", |world| !world.peer.tcp(peer).is_open());
    }
    assert_eq!(world.count(Counter::TcpAccepted), 10_000);
    world.close(listener);
    world.run_for(SECOND * 15);
    world.assert_no_streams();
    // All handles and ports are free again.
    for port in 0..32 {
        world.listen(1000 + port, 1);
    }
    let full = world.socket_as(0, SocketKind::Stream);
    assert_eq!(full, Err(Errno::EMFILE));
}

#[test]
fn ten_thousand_attempts_leave_nothing_behind() {
    let mut world = World::simple();
    for _ in 0..10_000 {
        let socket = world.socket(SocketKind::Stream);
        assert_eq!(world.connect(socket, "10.0.2.2:9"), Err(Errno::EINPROGRESS));
        world.await_bits(socket, PollBits::ERR);
        world.close(socket);
    }
    world.assert_no_streams();
    assert_eq!(world.count(Counter::TcpOpened), 10_000);
}

#[test]
fn closing_a_listener_resets_what_waits() {
    let mut world = World::simple();
    let listener = world.listen(80, 8);
    let peers: Vec<_> = (0..3).map(|_| world.peer.connect(80)).collect();
    world.run_for(SECOND / 10);
    world.close(listener);
    world.run_for(SECOND / 10);
    for peer in peers {
        assert!(!world.peer.tcp(peer).is_active());
    }
    world.assert_no_streams();
    // The port is free at once.
    world.listen(80, 8);
}

#[test]
fn a_new_connection_between_the_same_ends_replaces_one_in_time_wait() {
    let mut world = World::simple();
    let listener = world.listen(80, 8);
    let (socket, peer) = world.connected(listener, 80);
    let port = world.peer.tcp(peer).local_endpoint().unwrap().port;
    world.close(socket);
    world.run_for(SECOND / 10);
    world.peer.tcp(peer).close();
    world.run_for(SECOND / 10);
    // TIME-WAIT takes no connection out of the pool.
    world.assert_no_streams();
    world.peer.set_next_port(port);
    world.peer.reconnect(peer, 80);
    world.await_bits(listener, PollBits::IN);
    let (_, from) = world.accept(listener).unwrap();
    assert_eq!(from.port(), port);
}

#[test]
fn poll_with_a_deadline_notifies_at_that_time() {
    let mut world = World::simple();
    world.take_notified(0);
    let start = world.now;
    for deadline in [start + 5 * SECOND, start + 2 * SECOND, start + 3 * SECOND] {
        let socket = None;
        world.ask(op::Poll { socket, deadline }).unwrap();
    }
    world.run_for(2 * SECOND - 10_000);
    assert!(!world.take_notified(0));
    world.run_for(20_000);
    assert!(world.take_notified(0));
    world.run_for(10 * SECOND);
    assert!(!world.take_notified(0), "one deadline a client");
    // One that has passed already.
    let deadline = start;
    let socket = None;
    world.ask(op::Poll { socket, deadline }).unwrap();
    assert!(world.take_notified(0));
}

/// Reads what a peer has received, at most so many bytes. Returns the number.
fn peer_reads(world: &mut World, peer: smoltcp::iface::SocketHandle, count: usize) -> usize {
    world
        .peer
        .tcp(peer)
        .recv_slice(&mut vec![0; count])
        .unwrap_or(0)
}

#[test]
fn a_slow_reader_gets_everything_and_then_has_time_to_close() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let (socket, peer) = world.connected(listener, 80);
    // More than the peer's window: some of it stays with the server.
    for _ in 0..2 {
        world.send(socket, &test_world::pattern(60_000, 1)).unwrap();
        world.run_for(SECOND / 10);
    }
    world.close(socket);
    let mut read = 0;
    while read < 120_000 {
        world.run_for(SECOND);
        read += peer_reads(&mut world, peer, 1_000);
        assert!(world.peer.tcp(peer).is_active(), "reset after {read} bytes");
        // After about 56 seconds the peer's buffer has room for the rest, and the FIN comes. From
        // then on it has a minute to close.
        let half = world.count(Counter::StreamSockets);
        assert!(half == 1 || read > 110_000, "given up after {read} bytes");
    }
    world.run_for(SECOND * 20);
    world.assert_no_streams();
}

#[test]
fn a_peer_that_never_reads_does_not_hold_a_closed_connection() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let (socket, peer) = world.connected(listener, 80);
    for _ in 0..2 {
        world.send(socket, &test_world::pattern(60_000, 1)).unwrap();
        world.run_for(SECOND / 10);
    }
    world.close(socket);
    // It answers every question about its window, which stays closed.
    world.run_for(SECOND * 62);
    world.assert_no_streams();
    assert!(!world.peer.tcp(peer).is_active(), "it was told by a reset");
}

#[test]
fn unsent_bytes_are_not_given_up_for_a_new_connection() {
    let mut config = config();
    config.closing = 1;
    let mut world = World::new(config, vec![limits(2, 1)], Faults::none());
    let listener = world.listen(80, 4);
    let mut slow = Vec::new();
    for _ in 0..3 {
        let (socket, peer) = world.connected(listener, 80);
        for _ in 0..2 {
            world.send(socket, &test_world::pattern(60_000, 1)).unwrap();
            world.run_for(SECOND / 10);
        }
        world.close(socket);
        slow.push(peer);
    }
    // Every place is taken by one that still sends: the next peer waits.
    let late = world.peer.connect(80);
    world.run_for(SECOND);
    assert_eq!(world.count(Counter::TcpReclaimed), 0);
    assert_eq!(world.accept(listener).map(drop), Err(Errno::EAGAIN));
    for peer in slow {
        let mut read = 0;
        world.run_until("all bytes", |world| {
            read += peer_reads(world, peer, 60_000);
            read == 120_000
        });
    }
    world.await_bits(listener, PollBits::IN);
    world.accept(listener).unwrap();
    assert!(world.peer.tcp(late).may_send());
}

#[test]
fn a_peer_that_is_gone_is_noticed_on_an_idle_connection() {
    let mut world = World::simple();
    let listener = world.listen(80, 3);
    let (socket, _) = world.connected(listener, 80);
    world.peer.connect(80);
    world.run_for(SECOND * 600);
    assert!(!world.bits(socket).contains(PollBits::ERR));
    world.medium.set_faults(Faults {
        lost: 1000,
        ..Faults::none()
    });
    world.run_for(SECOND * 300);
    assert!(world.bits(socket).contains(PollBits::ERR | PollBits::HUP));
    assert_eq!(world.recv(socket, 10), Err(Errno::ETIMEDOUT));
    // What waits to be accepted is told the same.
    let (waiting, _) = world.accept(listener).unwrap();
    assert_eq!(world.recv(waiting, 10), Err(Errno::ETIMEDOUT));
}
