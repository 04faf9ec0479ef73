// SPDX-License-Identifier: BSD-2-Clause

//! `SO_SNDBUF` and `SO_RCVBUF`: what a socket holds and lets its peer send.

use smoltcp::iface::SocketHandle;
use socket_proto::{Errno, Handle, PollBits, SocketKind, SocketOption, op};
use stats::NetServer as Counter;
use test_world::raw::Raw;
use test_world::{Faults, World, config, limits, pattern};

const SECOND: u64 = 1_000_000_000;
const SIZES: [u64; 5] = [2304, 2920, 5_000, 20_000, 60_000];

fn get(world: &mut World, socket: Handle, option: SocketOption) -> u64 {
    let got = world.ask(op::GetOption { socket, option });
    got.expect("the option").value
}

fn set(world: &mut World, socket: Handle, option: SocketOption, value: u64) {
    let second = 0;
    let set = world.ask(op::SetOption {
        socket,
        option,
        value,
        second,
    });
    set.expect("the option is set");
}

/// The windows of the server's segments while `act` lasts, in bytes, and its SYN's.
fn windows(world: &mut World, act: impl FnOnce(&mut World)) -> (Vec<u64>, Option<u64>) {
    world.medium.start_tap();
    act(world);
    let frames = world.medium.take_tap();
    let segments = frames.iter().filter_map(|frame| Raw::of(frame));
    let (syns, others): (Vec<Raw>, Vec<Raw>) = segments
        .filter(|segment| segment.server_port == 80)
        .partition(|segment| segment.flags & 2 != 0);
    // Windows of buffers of 64 KiB are shifted by one.
    let windows = others.iter().map(|segment| u64::from(segment.window) << 1);
    (windows.collect(), syns.first().map(|syn| syn.window.into()))
}

/// The peer sends `data`, which the client reads in pieces now and then. Returns the most that
/// waited.
fn receive(world: &mut World, socket: Handle, peer: SocketHandle, data: &[u8]) -> usize {
    let (mut sent, mut most, mut received) = (0, 0, Vec::new());
    while received.len() < data.len() {
        let tcp = world.peer.tcp(peer);
        if tcp.can_send() && sent < data.len() {
            sent += tcp.send_slice(&data[sent..]).expect("send");
        }
        world.run_for(SECOND / 100);
        let waits = loop {
            match world.recv(socket, 1000) {
                Ok(bytes) => received.extend_from_slice(&bytes),
                Err(Errno::EAGAIN) => break received.len(),
                Err(errno) => panic!("{errno}"),
            }
        };
        most = most.max(waits);
    }
    assert!(received == data);
    most
}

#[test]
fn a_small_receive_buffer_is_what_the_peer_may_send() {
    for size in SIZES {
        let mut world = World::simple();
        let listener = world.listen(80, 4);
        set(&mut world, listener, SocketOption::ReceiveBuffer, size);
        let mut ends = None;
        let (_, syn) = windows(&mut world, |world| {
            ends = Some(world.connected(listener, 80))
        });
        let (socket, peer) = ends.unwrap();
        assert!(syn.is_some_and(|window| window <= size), "{syn:?}");
        assert_eq!(get(&mut world, socket, SocketOption::ReceiveBuffer), size);
        // Nobody reads: so much comes, and no more.
        world.peer.tcp(peer).send_slice(&[7; 65_000]).unwrap();
        let (found, _) = windows(&mut world, |world| world.run_for(SECOND / 2));
        assert!(found.iter().all(|&window| window <= size), "{found:?}");
        let unread = world.recv(socket, 100_000).unwrap().len() as u64;
        // A segment fits whole or waits; a question brings a byte.
        assert!(
            unread <= size + 4 && unread + 1460 > size,
            "{unread} of {size}"
        );
        let lent = world.count(Counter::BuffersLent) > 0;
        assert_eq!(lent, size > 2920);
    }
}

#[test]
fn a_peer_hears_at_once_that_there_is_room_again() {
    for size in SIZES {
        let mut world = World::simple();
        let listener = world.listen(80, 4);
        let (socket, peer) = world.connected(listener, 80);
        set(&mut world, socket, SocketOption::ReceiveBuffer, size);
        let data = pattern(300_000, size as u32);
        let start = world.now;
        receive(&mut world, socket, peer, &data);
        // Each look at the socket finds what it may hold, or nearly so.
        let looks = (world.now - start) / (SECOND / 100);
        let least = data.len() as u64 / size;
        assert!(
            looks <= 4 * least + 20,
            "{looks} looks for {least} buffers of {size}"
        );
    }
}

#[test]
fn bytes_arrive_through_small_buffers_whatever_the_link_does() {
    for (seed, size) in (1..).zip(SIZES) {
        let mut world = World::new(config(), vec![limits(8, 2)], Faults::some(seed));
        let listener = world.listen(80, 4);
        let (socket, peer) = world.connected(listener, 80);
        set(&mut world, socket, SocketOption::ReceiveBuffer, size);
        set(&mut world, socket, SocketOption::SendBuffer, size);
        let data = pattern(60_000, size as u32);
        receive(&mut world, socket, peer, &data);
        // A buffer that is made smaller under way keeps what has come.
        let tcp = world.peer.tcp(peer);
        tcp.send_slice(&data[..40_000]).unwrap();
        world.run_for(SECOND);
        set(&mut world, socket, SocketOption::ReceiveBuffer, 2304);
        let mut received = Vec::new();
        world.run_until("all bytes", |world| {
            while let Ok(bytes) = world.recv(socket, 5_000) {
                received.extend_from_slice(&bytes);
            }
            received.len() == 40_000
        });
        assert!(received == data[..40_000]);
    }
}

#[test]
fn a_small_send_buffer_takes_no_more() {
    for size in SIZES {
        let mut world = World::simple();
        let listener = world.listen(80, 4);
        let (socket, peer) = world.connected(listener, 80);
        set(&mut world, socket, SocketOption::SendBuffer, size);
        assert_eq!(get(&mut world, socket, SocketOption::SendBuffer), size);
        world.medium.set_faults(Faults {
            lost: 1000,
            ..Faults::none()
        });
        let data = pattern(70_000, 1);
        let (mut taken, mut rounds) = (0, 0);
        while world.bits(socket).contains(PollBits::OUT) {
            let (count, room) = world.send(socket, &data[taken..]).unwrap();
            taken += count;
            assert!(taken + room <= size as usize);
            rounds += 1;
            assert!(rounds < 10);
        }
        assert_eq!(world.send(socket, &data[taken..]), Err(Errno::EAGAIN));
        assert_eq!(taken as u64, size);
        world.medium.set_faults(Faults::none());
        let mut received = Vec::new();
        world.run_until("all bytes at the peer", |world| {
            while let Ok((count, _)) = world.send(socket, &data[taken..]) {
                taken += count;
                if count == 0 {
                    break;
                }
            }
            let tcp = world.peer.tcp(peer);
            while tcp.can_recv() {
                let _ = tcp.recv(|bytes| {
                    received.extend_from_slice(bytes);
                    (bytes.len(), ())
                });
            }
            received.len() == data.len()
        });
        assert!(received == data);
        // What is in use keeps its place.
        set(&mut world, socket, SocketOption::SendBuffer, 1 << 40);
        let most = get(&mut world, socket, SocketOption::SendBuffer);
        assert_eq!(most, 1 << 16);
    }
}

#[test]
fn sizes_are_brought_into_a_range() {
    let mut world = World::simple();
    for (kind, send, receive) in [
        (SocketKind::Stream, 1 << 16, 1 << 16),
        (SocketKind::Datagram, 65_507, 1 << 17),
    ] {
        let socket = world.socket(kind);
        for (option, most) in [
            (SocketOption::SendBuffer, send),
            (SocketOption::ReceiveBuffer, receive),
        ] {
            assert_eq!(get(&mut world, socket, option), most);
            for (value, found) in [(0, 2304), (9_999, 9_999), (u64::MAX, most)] {
                set(&mut world, socket, option, value);
                assert_eq!(get(&mut world, socket, option), found);
            }
        }
    }
}

#[test]
fn a_datagram_socket_keeps_and_sends_what_its_buffers_allow() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "0.0.0.0:7").unwrap();
    let peer = world.peer.bind(9);
    set(&mut world, socket, SocketOption::ReceiveBuffer, 2304);
    for _ in 0..10 {
        world.peer.send_to(peer, 7, &[1; 500]);
    }
    world.run_for(SECOND / 10);
    let received = world.recv_datagrams(socket, 100_000).unwrap();
    assert_eq!(received.len(), 4);
    assert_eq!(world.count(Counter::DropsSocketFull), 6);
    set(&mut world, socket, SocketOption::ReceiveBuffer, 1 << 17);
    for _ in 0..10 {
        world.peer.send_to(peer, 7, &[1; 500]);
    }
    world.run_for(SECOND / 10);
    let received = world.recv_datagrams(socket, 100_000).unwrap();
    assert_eq!(received.len(), 10);

    set(&mut world, socket, SocketOption::SendBuffer, 3000);
    let send = |world: &mut World, length: usize| {
        world.send_datagrams(socket, &[(Some("10.0.2.2:9"), &vec![1; length])])
    };
    assert_eq!(send(&mut world, 3000), Ok(1));
    assert_eq!(send(&mut world, 3001), Err(Errno::EMSGSIZE));
}
