// SPDX-License-Identifier: BSD-2-Clause

//! Bytes of streams: every one arrives, once, in order, over a link that is fine and over one that
//! is not.

use smoltcp::iface::SocketHandle;
use socket_proto::{Errno, Flag, Handle, PollBits, Sent, Shutdown, Span, op};
use stats::NetServer as Counter;
use test_world::{Faults, World, config, limits, pattern};

const SIZES: [usize; 9] = [1, 2, 100, 1459, 1460, 1461, 65_535, 65_536, 1_000_003];

fn worlds() -> Vec<World> {
    let mut worlds = vec![World::simple()];
    for seed in 1..4 {
        worlds.push(World::new(
            config(),
            vec![limits(32, 8)],
            Faults::some(seed),
        ));
    }
    worlds
}

/// The server's client sends all of `data`, the peer receives.
fn to_peer(world: &mut World, socket: Handle, peer: SocketHandle, data: &[u8]) {
    let mut sent = 0;
    let mut promised = 0;
    let mut received = Vec::new();
    world.run_until("all bytes at the peer", |world| {
        while sent < data.len() {
            let end = data.len().min(sent + 40_000);
            match world.send(socket, &data[sent..end]) {
                Ok((count, room)) => {
                    assert!(count >= promised.min(end - sent), "less than was promised");
                    sent += count;
                    promised = room;
                }
                Err(Errno::EAGAIN) => break,
                Err(errno) => panic!("{errno}"),
            }
        }
        let tcp = world.peer.tcp(peer);
        while tcp.can_recv() {
            let count = tcp.recv(|bytes| {
                received.extend_from_slice(bytes);
                (bytes.len(), bytes.len())
            });
            assert_ne!(count, Ok(0));
        }
        received.len() >= data.len()
    });
    assert!(received == data, "the bytes differ");
}

/// The peer sends all of `data`, the server's client receives.
fn from_peer(world: &mut World, socket: Handle, peer: SocketHandle, data: &[u8]) {
    let mut sent = 0;
    let mut received = Vec::new();
    world.run_until("all bytes at the client", |world| {
        let tcp = world.peer.tcp(peer);
        if tcp.can_send() && sent < data.len() {
            sent += tcp.send_slice(&data[sent..]).expect("send");
        }
        loop {
            let seen = world.recv_with(socket, 30_000, Flag::Peek.into());
            let received_now = world.recv(socket, 30_000);
            assert_eq!(seen, received_now);
            match received_now {
                Ok(bytes) if bytes.is_empty() => panic!("an early end"),
                Ok(bytes) => received.extend_from_slice(&bytes),
                Err(Errno::EAGAIN) => break,
                Err(errno) => panic!("{errno}"),
            }
        }
        received.len() >= data.len()
    });
    assert!(received == data, "the bytes differ");
}

#[test]
fn bytes_arrive_as_they_were_sent() {
    for mut world in worlds() {
        let listener = world.listen(7, 4);
        let (socket, peer) = world.connected(listener, 7);
        for (salt, size) in SIZES.into_iter().enumerate() {
            let data = pattern(size, salt as u32);
            to_peer(&mut world, socket, peer, &data);
            from_peer(&mut world, socket, peer, &data);
        }
    }
}

#[test]
fn several_mebibytes_both_ways() {
    let mut world = World::new(config(), vec![limits(4, 1)], Faults::some(99));
    let listener = world.listen(7, 4);
    let (socket, peer) = world.connected(listener, 7);
    let data = pattern(4 << 20, 5);
    to_peer(&mut world, socket, peer, &data);
    from_peer(&mut world, socket, peer, &data);
    // What was lost was sent again, and the counter saw it.
    assert!(world.count(Counter::TcpRetransmits) > 0);
}

#[test]
fn a_client_that_connects_sends_and_receives() {
    for mut world in worlds() {
        let peer = world.peer.listen(80);
        let socket = world.socket(socket_proto::SocketKind::Stream);
        assert_eq!(
            world.connect(socket, "10.0.2.2:80"),
            Err(Errno::EINPROGRESS)
        );
        assert_eq!(world.connect(socket, "10.0.2.2:80"), Err(Errno::EALREADY));
        assert_eq!(world.send(socket, b"early"), Err(Errno::EAGAIN));
        assert_eq!(world.recv(socket, 10), Err(Errno::EAGAIN));
        assert!(world.bits(socket).is_empty());
        world.await_bits(socket, PollBits::OUT);
        assert!(world.take_notified(0));
        assert_eq!(world.connect(socket, "10.0.2.2:80"), Ok(()), "told once");
        assert_eq!(world.connect(socket, "10.0.2.2:80"), Err(Errno::EISCONN));
        assert_eq!(world.so_error(socket), None);
        assert_eq!(world.peer_name(socket), Ok("10.0.2.2:80".parse().unwrap()));
        let name = world.name(socket);
        assert_eq!(name.ip(), test_world::SERVER_IP);
        assert!(name.port() >= socket_server::EPHEMERAL_FIRST);
        world.run_until("established", |world| world.peer.tcp(peer).may_send());
        let data = pattern(300_000, 9);
        to_peer(&mut world, socket, peer, &data);
        from_peer(&mut world, socket, peer, &data);
    }
}

#[test]
fn each_direction_ends_by_itself() {
    for mut world in worlds() {
        let listener = world.listen(7, 4);
        // The peer is done first; the client still answers.
        let (socket, peer) = world.connected(listener, 7);
        world.peer.tcp(peer).send_slice(b"question").unwrap();
        world.peer.tcp(peer).close();
        world.await_bits(socket, PollBits::RDHUP);
        assert_eq!(world.recv(socket, 3).unwrap(), b"que");
        assert_eq!(world.recv(socket, 100).unwrap(), b"stion");
        // The end of the stream, and again.
        assert_eq!(world.recv(socket, 100).unwrap(), b"");
        assert_eq!(world.recv(socket, 100).unwrap(), b"");
        assert!(world.bits(socket).contains(PollBits::IN | PollBits::RDHUP));
        assert!(!world.bits(socket).contains(PollBits::HUP));
        let data = pattern(200_000, 1);
        to_peer(&mut world, socket, peer, &data);
        world.close(socket);
        world.run_until("closed", |world| !world.peer.tcp(peer).is_active());

        // The client is done first.
        let (socket, peer) = world.connected(listener, 7);
        world.send(socket, b"last words").unwrap();
        world.shutdown(socket, Shutdown::Write).unwrap();
        assert_eq!(world.send(socket, b"more"), Err(Errno::EPIPE));
        world.run_until("the end of the stream", |world| {
            !world.peer.tcp(peer).may_recv() || world.peer.tcp(peer).recv_queue() == 10
        });
        let data = pattern(200_000, 2);
        from_peer(&mut world, socket, peer, &data);
        world.peer.tcp(peer).close();
        world.await_bits(socket, PollBits::HUP);
        assert_eq!(world.recv(socket, 10).unwrap(), b"");
        world.close(socket);
        world.close(listener);
        world.run_for(130_000_000_000);
        world.assert_no_streams();
    }
}

#[test]
fn an_echo_sends_from_the_half_it_received_into() {
    let mut world = World::simple();
    let listener = world.listen(7, 4);
    let (socket, peer) = world.connected(listener, 7);
    world.peer.tcp(peer).send_slice(b"echo this").unwrap();
    world.await_bits(socket, PollBits::IN);
    assert_eq!(world.recv(socket, 100).unwrap(), b"echo this");
    let span = Span {
        offset: test_world::C2S.into(),
        length: 9,
    };
    let sent = world.ask(op::Send::new(socket, span));
    assert!(matches!(sent, Ok(Sent { count: 9, .. })));
    world.run_until("the echo", |world| world.peer.tcp(peer).recv_queue() == 9);
    let mut echo = [0; 9];
    world.peer.tcp(peer).recv_slice(&mut echo).unwrap();
    assert_eq!(&echo, b"echo this");
    assert_eq!(world.count(Counter::CopiesToClient), 1);
    assert_eq!(world.count(Counter::CopiesFromClient), 1);
}

#[test]
fn send_says_what_it_takes_and_how_much_room_is_left() {
    let mut world = World::simple();
    let listener = world.listen(7, 4);
    let (socket, peer) = world.connected(listener, 7);
    // The peer does not read: in the end both buffers are full.
    let data = pattern(100_000, 3);
    let mut taken = 0;
    let mut room = usize::MAX;
    for _ in 0..50 {
        match world.send(socket, &data[..30_000]) {
            Ok((count, left)) => {
                assert_eq!(count, room.min(30_000), "the room that was promised");
                taken += count;
                room = left;
            }
            Err(errno) => {
                assert_eq!((errno, room), (Errno::EAGAIN, 0));
                break;
            }
        }
    }
    assert_eq!(taken, 1 << 16);
    assert!(!world.bits(socket).contains(PollBits::OUT));
    world.run_for(1_000_000_000);
    assert_eq!(world.peer.tcp(peer).recv_queue(), 1 << 16);
    assert!(world.bits(socket).contains(PollBits::OUT));
    // Window closed: what is sent now waits, through many probes, until the peer reads.
    assert_eq!(world.send(socket, &data[..1000]).unwrap().0, 1000);
    world.run_for(300_000_000_000);
    let mut got = 0;
    world.run_until("the rest", |world| {
        got += world
            .peer
            .tcp(peer)
            .recv(|b| (b.len(), b.len()))
            .unwrap_or(0);
        got == (1 << 16) + 1000
    });
}

#[test]
fn shutdown_of_reading_ends_reading_only() {
    let mut world = World::simple();
    let listener = world.listen(7, 4);
    let (socket, peer) = world.connected(listener, 7);
    world.peer.tcp(peer).send_slice(b"unread").unwrap();
    world.await_bits(socket, PollBits::IN);
    world.shutdown(socket, Shutdown::Read).unwrap();
    // As on Linux, what has come can be read; only then the stream is at its end. What comes later
    // is no exception.
    for data in [&b"unread"[..], b"late"] {
        assert_eq!(world.recv(socket, 10).unwrap(), data);
        assert_eq!(world.recv(socket, 10).unwrap(), b"");
        world.peer.tcp(peer).send_slice(b"late").unwrap();
        world.run_for(100_000_000);
    }
    let data = pattern(200_000, 4);
    to_peer(&mut world, socket, peer, &data);
}
