// SPDX-License-Identifier: BSD-2-Clause

//! What the link carries is shared by client, not by connection or by eagerness.

use core::num::{NonZeroU32, NonZeroU64};

use smoltcp::iface::SocketHandle;
use socket_proto::datagram::stride;
use socket_proto::layouts::Layout;
use socket_proto::{
    Accepted, DatagramHeader, Errno, Flags, Handle, PollBits, Sent, SocketKind, Span, op,
};
use socket_server::{ClientLimits, Config, SendRate};
use test_world::{Faults, World, config, limits, pattern};

const MILLISECOND: u64 = 1_000_000;
/// Nanoseconds a frame: about 75 MB/s.
const PACE: u64 = 20_000;
/// Ports of the clients' sockets, by client.
const PORTS: [u16; 2] = [8000, 8001];

/// Two clients, and a link that is slower than they are.
fn world(buffer: usize) -> World {
    let config = Config {
        stream_receive: 4096,
        stream_send: buffer,
        ..config()
    };
    let mut world = World::new(config, vec![limits(64, 4), limits(64, 4)], Faults::none());
    world.peer.buffer = buffer;
    world.medium.set_pace(PACE);
    world
}

/// A connection: the client's end, and the peer's.
type Connection = (Handle, SocketHandle);

/// So many connections of the peer to a client.
fn connections(world: &mut World, client: usize, count: usize) -> Vec<Connection> {
    let listener = world.socket_as(client, SocketKind::Stream).unwrap();
    let addr = format!("0.0.0.0:{}", PORTS[client]).parse().unwrap();
    let socket = listener;
    world.ask_as(client, op::Bind { socket, addr }).unwrap();
    let backlog = 64;
    world
        .ask_as(client, op::Listen { socket, backlog })
        .unwrap();
    let mut accepted = Vec::new();
    let peers: Vec<_> = (0..count)
        .map(|_| world.peer.connect(PORTS[client]))
        .collect();
    world.run_until("all connections", |world| {
        while let Ok(Accepted { socket, .. }) =
            world.ask_as(client, op::Accept { socket: listener })
        {
            accepted.push(socket);
        }
        accepted.len() == count
    });
    accepted.into_iter().zip(peers).collect()
}

fn datagram_socket(world: &mut World, client: usize) -> Handle {
    let socket = world.socket_as(client, SocketKind::Datagram).unwrap();
    let addr = format!("0.0.0.0:{}", PORTS[client]).parse().unwrap();
    world.ask_as(client, op::Bind { socket, addr }).unwrap();
    socket
}

/// Gives a connection as much to send as it takes, and has the peer read what has come.
fn fill(world: &mut World, client: usize, (socket, peer): Connection) {
    drain(world, peer);
    let span = Span {
        offset: 0,
        length: 100_000,
    };
    match world.ask_as(client, op::Send::new(socket, span)) {
        Ok(_) | Err(Errno::EAGAIN) => {}
        Err(errno) => panic!("{errno}"),
    }
}

fn drain(world: &mut World, peer: SocketHandle) {
    let tcp = world.peer.tcp(peer);
    while tcp
        .recv(|bytes| (bytes.len(), bytes.len()))
        .is_ok_and(|count| count > 0)
    {}
}

/// Sends datagrams of 1,000 bytes until the server takes no more. Returns how many it took.
fn flood(world: &mut World, client: usize, socket: Handle) -> u64 {
    let to = Some("10.0.2.2:9".parse().unwrap());
    let one = DatagramHeader::new(1000, to).bytes().to_vec();
    let mut batch = vec![0; 40 * stride(1000)];
    for start in (0..batch.len()).step_by(stride(1000)) {
        batch[start..start + one.len()].copy_from_slice(&one);
    }
    world.clients[client].fill(&batch);
    let length = batch.len() as u64;
    let span = Span { offset: 0, length };
    let mut sent = 0;
    loop {
        match world.ask_as(client, op::Send::new(socket, span)) {
            Ok(Sent { count, .. }) => sent += count,
            Err(Errno::EAGAIN) => return sent,
            other => panic!("{other:?}"),
        }
    }
}

/// Calls `work` that often, a millisecond or more each, and returns the frames with payload that
/// left, by client.
fn frames(world: &mut World, milliseconds: u64, mut work: impl FnMut(&mut World)) -> [usize; 2] {
    world.medium.start_tap();
    for _ in 0..milliseconds {
        let next = world.now + MILLISECOND;
        work(world);
        world.run_for(next.saturating_sub(world.now));
    }
    let tap = world.medium.take_tap();
    let source = |frame: &[u8]| u16::from_be_bytes([frame[34], frame[35]]);
    PORTS.map(|port| {
        let own = tap.iter().filter(|frame| frame.len() > 100);
        own.filter(|frame| source(frame) == port).count()
    })
}

#[track_caller]
fn assert_equal(frames: [usize; 2]) {
    let total = frames[0] + frames[1];
    // The link was busy, and each had about a half of it.
    assert!(total > 10_000, "{frames:?}");
    assert!(
        frames.iter().all(|&own| own * 100 > total * 45),
        "{frames:?}"
    );
}

#[test]
fn one_connection_gets_as_much_as_sixty_of_another_client() {
    let mut world = world(1 << 18);
    let many = connections(&mut world, 0, 60);
    let one = connections(&mut world, 1, 1)[0];
    let mut work = |world: &mut World| {
        for &connection in &many {
            fill(world, 0, connection);
        }
        fill(world, 1, one);
        fill(world, 1, one);
    };
    frames(&mut world, 50, &mut work);
    assert_equal(frames(&mut world, 300, &mut work));
    // What is still sent for closed sockets is their client's too.
    for &(socket, _) in &many {
        world.ask_as(0, op::Close { socket }).unwrap();
    }
    let mut work = |world: &mut World| {
        for &(_, peer) in &many {
            drain(world, peer);
        }
        fill(world, 1, one);
        fill(world, 1, one);
    };
    let [closed, open] = frames(&mut world, 100, &mut work);
    assert!(closed > 1000 && open * 100 > (closed + open) * 45);
    // Alone it gets everything.
    frames(&mut world, 500, &mut work);
    let alone = frames(&mut world, 100, &mut work);
    assert!(alone[1] > 4_500, "{alone:?}");
}

#[test]
fn a_window_of_64_kib_is_enough_for_a_fair_share() {
    let mut world = world(1 << 16);
    let many = connections(&mut world, 0, 60);
    let one = connections(&mut world, 1, 1)[0];
    let mut work = |world: &mut World| {
        for &connection in &many {
            fill(world, 0, connection);
        }
        fill(world, 1, one);
    };
    frames(&mut world, 50, &mut work);
    let [others, own] = frames(&mut world, 300, &mut work);
    // With all buffers in the others' hands it would be a tenth.
    assert!(own * 100 > (own + others) * 27, "{own} of {others}");
}

#[test]
fn a_flood_of_datagrams_leaves_others_their_share() {
    // Another client's connection.
    let mut world = world(1 << 18);
    let eager = datagram_socket(&mut world, 0);
    let one = connections(&mut world, 1, 1)[0];
    let mut work = |world: &mut World| {
        flood(world, 0, eager);
        fill(world, 1, one);
        fill(world, 1, one);
    };
    frames(&mut world, 50, &mut work);
    // The flood comes once a millisecond here, so that it gets less than it could.
    let [flood_of, own] = frames(&mut world, 300, &mut work);
    assert!(own * 100 > (own + flood_of) * 45, "{own} of {flood_of}");
    assert!(
        flood_of * 100 > (own + flood_of) * 25,
        "{own} of {flood_of}"
    );
}

#[test]
fn datagrams_of_two_clients_share_equally() {
    let mut world = world(1 << 16);
    let sockets = [0, 1].map(|client| datagram_socket(&mut world, client));
    // The first is always served first, and again and again, whenever a few buffers have come back.
    let mut work = |world: &mut World| {
        for _ in 0..8 {
            for _ in 0..4 {
                flood(world, 0, sockets[0]);
            }
            flood(world, 1, sockets[1]);
            world.run_for(MILLISECOND / 8);
        }
    };
    frames(&mut world, 50, &mut work);
    assert_equal(frames(&mut world, 300, &mut work));
}

#[test]
fn who_waits_for_its_share_is_notified_when_it_comes() {
    let mut world = world(1 << 16);
    let sockets = [0, 1].map(|client| datagram_socket(&mut world, client));
    assert!(
        flood(&mut world, 1, sockets[1]) > 64,
        "alone there is no limit"
    );
    world.run_for(20 * MILLISECOND);
    world.take_notified(0);
    // One datagram of the other's is enough to make it a share.
    let data = pattern(100, 1);
    world.clients[1].fill(DatagramHeader::new(100, Some("10.0.2.2:9".parse().unwrap())).bytes());
    let span = Span {
        offset: 0,
        length: 32 + data.len() as u64,
    };
    let send = op::Send {
        socket: sockets[1],
        span,
        flags: Flags::NONE,
    };
    world.medium.stop_driver(true);
    world.ask_as(1, send).unwrap();
    assert_eq!(flood(&mut world, 0, sockets[0]), 64);
    assert!(!world.bits(sockets[0]).contains(PollBits::OUT));
    world.run_for(10 * MILLISECOND);
    assert!(!world.take_notified(0));
    world.medium.stop_driver(false);
    world.run_for(10 * MILLISECOND);
    assert!(world.take_notified(0));
    assert!(world.bits(sockets[0]).contains(PollBits::OUT));
    assert!(flood(&mut world, 0, sockets[0]) > 64);
}

/// A world whose first client may send so much a second.
fn limited(send_rate: SendRate) -> World {
    let slow = ClientLimits {
        send_rate,
        ..limits(64, 4)
    };
    let config = Config {
        stream_send: 1 << 18,
        ..config()
    };
    let mut world = World::new(config, vec![slow, limits(64, 4)], Faults::none());
    world.peer.buffer = 1 << 18;
    world.medium.set_pace(PACE);
    world
}

#[test]
fn a_client_sends_as_many_packets_a_second_as_it_may() {
    let mut world = limited(SendRate {
        packets: NonZeroU32::new(1000),
        bytes: None,
    });
    let sockets = [0, 1].map(|client| datagram_socket(&mut world, client));
    let mut work = |world: &mut World| {
        for (client, &socket) in sockets.iter().enumerate() {
            if world.clients[client]
                .page()
                .bits(socket)
                .contains(PollBits::OUT)
            {
                flood(world, client, socket);
            }
        }
    };
    frames(&mut world, 100, &mut work);
    let [slow, free] = frames(&mut world, 300, &mut work);
    assert!((285..=315).contains(&slow), "{slow}");
    // It has what the other one leaves, and no buffers are kept for the other one.
    assert!(free > 13_500, "{free}");
}

#[test]
fn a_client_sends_as_many_bytes_a_second_as_it_may() {
    let mut world = limited(SendRate {
        packets: None,
        bytes: NonZeroU64::new(3_000_000),
    });
    let many = connections(&mut world, 0, 20);
    let one = connections(&mut world, 1, 1)[0];
    let mut work = |world: &mut World| {
        for &connection in &many {
            fill(world, 0, connection);
        }
        fill(world, 1, one);
        fill(world, 1, one);
    };
    frames(&mut world, 100, &mut work);
    let [slow, free] = frames(&mut world, 300, &mut work);
    assert!((555..=615).contains(&slow), "{slow} frames of 1514 bytes");
    assert!(free > 12_000, "{free}");
}
