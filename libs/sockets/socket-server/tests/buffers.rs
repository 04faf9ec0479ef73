// SPDX-License-Identifier: BSD-2-Clause

//! Memory for connections: what a client's budget has room for, and what is left without it.

use proptest::prelude::*;
use smoltcp::iface::SocketHandle;
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpOption, TcpPacket};
use socket_proto::{Errno, Handle, PollBits, Shutdown, SocketKind};
use socket_server::Config;
use stats::NetServer as Counter;
use test_world::{Faults, World, config, frames, limits, pattern};

const SECOND: u64 = 1_000_000_000;
/// Bytes of large buffers, for each direction.
const LARGE: usize = 1 << 18;
/// What a connection receives without them.
const SMALL: usize = 2 * 1460;

/// A client that has large buffers for so many connections.
fn world(large: usize, faults: Faults) -> World {
    let config = Config {
        stream_receive: LARGE,
        stream_send: LARGE,
        ..config()
    };
    let mut limits = limits(8, 0);
    limits.stream_memory = large * 2 * LARGE;
    let mut world = World::new(config, vec![limits], faults);
    world.peer.buffer = LARGE;
    world
}

fn lent(world: &World) -> u64 {
    world.count(Counter::BuffersLent)
}

/// Bytes on their way in both directions of a connection at once.
struct Flow {
    socket: Handle,
    peer: SocketHandle,
    data: Vec<u8>,
    sent: usize,
    peer_sent: usize,
    received: Vec<u8>,
    peer_received: Vec<u8>,
}

impl Flow {
    fn new((socket, peer): (Handle, SocketHandle), length: usize, seed: u32) -> Flow {
        Flow {
            socket,
            peer,
            data: pattern(length, seed),
            sent: 0,
            peer_sent: 0,
            received: Vec::new(),
            peer_received: Vec::new(),
        }
    }

    /// Moves what can be moved, up to `most` bytes a step. Returns whether all is there.
    fn step(&mut self, world: &mut World, most: usize) -> bool {
        let data = &self.data;
        let end = data.len().min(self.sent + most);
        match world.send(self.socket, &data[self.sent..end]) {
            Ok((count, _)) => self.sent += count,
            Err(Errno::EAGAIN) => {}
            Err(errno) => panic!("{errno}"),
        }
        match world.recv(self.socket, most) {
            Ok(bytes) => self.received.extend(bytes),
            Err(Errno::EAGAIN) => {}
            Err(errno) => panic!("{errno}"),
        }
        let tcp = world.peer.tcp(self.peer);
        let end = data.len().min(self.peer_sent + most);
        self.peer_sent += tcp.send_slice(&data[self.peer_sent..end]).unwrap();
        let _ = tcp.recv(|bytes| {
            let count = bytes.len().min(most);
            self.peer_received.extend_from_slice(&bytes[..count]);
            (count, ())
        });
        assert!(data.starts_with(&self.received), "the client's bytes");
        assert!(data.starts_with(&self.peer_received), "the peer's bytes");
        self.received.len() == data.len() && self.peer_received.len() == data.len()
    }
}

#[test]
fn a_connection_borrows_buffers_when_it_has_much_to_carry() {
    let mut world = world(1, Faults::none());
    let listener = world.listen(80, 8);
    let (first, first_peer) = world.connected(listener, 80);
    // A request and a short response need none.
    world.peer.tcp(first_peer).send_slice(&[1; 1000]).unwrap();
    world.await_bits(first, PollBits::IN);
    assert_eq!(world.recv(first, 4096).unwrap().len(), 1000);
    assert_eq!(world.send(first, &[2; 2000]), Ok((2000, 2096)));
    world.run_for(SECOND);
    assert_eq!(lent(&world), 0);
    // More than that does, at once.
    let (count, room) = world.send(first, &[3; 100_000]).unwrap();
    assert_eq!((count, room), (100_000, LARGE - 100_000));
    assert_eq!(lent(&world), 1);
    // The next has to do with what is its own, while the first is at work.
    let (second, second_peer) = world.connected(listener, 80);
    assert!(world.send(second, &[4; 100_000]).unwrap().0 <= 4096);
    assert_eq!(world.count(Counter::BuffersRefused), 1);
    // Once the first is quiet, they are the second's.
    world.run_until("all of it", |world| {
        let _ = world.peer.tcp(first_peer).recv(|bytes| (bytes.len(), ()));
        let _ = world.peer.tcp(second_peer).recv(|bytes| (bytes.len(), ()));
        world.peer.tcp(first_peer).recv_queue() == 0 && world.bits(first).contains(PollBits::OUT)
    });
    world.run_for(2 * SECOND);
    assert_eq!(world.send(second, &[5; 100_000]).unwrap().0, 100_000);
    assert_eq!(lent(&world), 2);
    // And others carry their bytes as well.
    let mut flows = [
        Flow::new(world.connected(listener, 80), 50_000, 7),
        Flow::new(world.connected(listener, 80), 50_000, 8),
    ];
    world.run_until("both flows", |world| {
        flows
            .iter_mut()
            .map(|flow| flow.step(world, 9000))
            .fold(true, |all, done| all & done)
    });
}

/// The windows and the shift that the server has told its peer since the last look.
fn windows(world: &mut World) -> (Vec<usize>, Option<u8>) {
    let (mut windows, mut scale) = (Vec::new(), None);
    for frame in world.medium.take_tap() {
        let Some(packet) = frames::packet(&frame) else {
            continue;
        };
        let packet = Ipv4Packet::new_checked(packet).unwrap();
        if packet.next_header() != IpProtocol::Tcp || packet.src_addr() != test_world::SERVER_IP {
            continue;
        }
        let ends = (packet.src_addr().into(), packet.dst_addr().into());
        let segment = TcpPacket::new_checked(packet.payload()).unwrap();
        assert!(segment.verify_checksum(&ends.0, &ends.1));
        windows.push(segment.window_len().into());
        let mut options = segment.options();
        while let Ok((rest, option)) = TcpOption::parse(options) {
            if let TcpOption::WindowScale(shift) = option {
                scale = Some(shift);
            }
            match option {
                TcpOption::EndOfList => break,
                _ => options = rest,
            }
        }
    }
    world.medium.start_tap();
    (windows, scale)
}

#[test]
fn windows_are_those_of_the_buffers_and_shifted_as_the_peer_was_told() {
    for (large, connects) in [(0, false), (0, true), (1, false), (1, true)] {
        let mut world = world(large, Faults::none());
        world.medium.start_tap();
        let (socket, peer) = if connects {
            let peer = world.peer.listen(25);
            let socket = world.socket(SocketKind::Stream);
            assert_eq!(
                world.connect(socket, "10.0.2.2:25"),
                Err(Errno::EINPROGRESS)
            );
            world.run_until("established", |world| world.peer.tcp(peer).may_send());
            (socket, peer)
        } else {
            let listener = world.listen(80, 8);
            world.connected(listener, 80)
        };
        let (syn, scale) = windows(&mut world);
        assert_eq!(scale, Some(3), "that of {LARGE} bytes");
        let first = if large == 0 || connects {
            SMALL
        } else {
            65_535
        };
        assert_eq!(syn[0], first, "not shifted");
        let mut flow = Flow::new((socket, peer), 100_000, 1);
        world.run_until("the flow", |world| flow.step(world, 20_000));
        let (told, _) = windows(&mut world);
        let most = told.iter().max().unwrap() << 3;
        if large == 0 {
            assert!((SMALL - 8..=SMALL).contains(&most), "{most}");
        } else {
            assert!((LARGE - 8..=LARGE).contains(&most), "{most}");
        }
        assert_eq!(lent(&world), large as u64);
    }
}

#[test]
fn what_a_peer_sends_at_once_is_not_lost_and_its_end_comes_with_it() {
    let mut world = world(1, Faults::none());
    let listener = world.listen(80, 8);
    let (socket, peer) = world.connected(listener, 80);
    let data = pattern(2 * SMALL, 3);
    world.peer.tcp(peer).send_slice(&data).unwrap();
    world.peer.tcp(peer).close();
    world.run_for(SECOND / 10);
    assert_eq!(world.count(Counter::TcpRetransmits), 0);
    assert!(world.bits(socket).contains(PollBits::RDHUP));
    // Half closed, it still gets what a large response needs.
    assert_eq!(world.recv(socket, 100_000).unwrap(), data);
    assert_eq!(world.recv(socket, 100).unwrap(), b"");
    assert_eq!(world.send(socket, &[9; 90_000]).unwrap().0, 90_000);
    world.shutdown(socket, Shutdown::Write).unwrap();
    let mut received = 0;
    world.run_until("the response", |world| {
        let tcp = world.peer.tcp(peer);
        received += tcp.recv(|bytes| (bytes.len(), bytes.len())).unwrap_or(0);
        received == 90_000
    });
    world.close(socket);
    world.close(listener);
    world.run_for(70 * SECOND);
    world.assert_no_streams();
}

/// A peer that has ended moves as well: its end is told once more in the other socket.
#[test]
fn a_connection_that_is_half_closed_can_borrow() {
    let mut world = world(1, Faults::none());
    let listener = world.listen(80, 8);
    let (socket, peer) = world.connected(listener, 80);
    world.peer.tcp(peer).send_slice(b"request").unwrap();
    world.peer.tcp(peer).close();
    world.run_for(SECOND / 10);
    assert_eq!(lent(&world), 0);
    assert_eq!(world.send(socket, &[9; 90_000]).unwrap().0, 90_000);
    assert_eq!(lent(&world), 1);
    assert_eq!(world.recv(socket, 100).unwrap(), b"request");
    assert_eq!(world.recv(socket, 100).unwrap(), b"");
    let mut received = 0;
    world.run_until("the response", |world| {
        let tcp = world.peer.tcp(peer);
        received += tcp.recv(|bytes| (bytes.len(), bytes.len())).unwrap_or(0);
        received == 90_000
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// However buffers change hands, on whatever link, every byte arrives once and in order.
    #[test]
    fn bytes_arrive_whoever_has_the_buffers(
        seed: u64,
        large in 0usize..3,
        flows in prop::collection::vec((1usize..60_000, 500usize..20_000, 0u64..3 * SECOND), 1..5),
    ) {
        // The test peer is smoltcp without the core's help: as a sender it can stop for good when
        // segments overtake one another while the window is closed.
        let faults = Faults { late: 0, ..Faults::some(seed) };
        let mut world = world(large, faults);
        let listener = world.listen(80, 8);
        let mut running = Vec::new();
        for (length, most, pause) in flows {
            // A smoltcp peer whose last segment of the handshake is lost does not answer the next
            // SYN|ACK.
            world.medium.set_faults(Faults::none());
            let flow = Flow::new(world.connected(listener, 80), length, length as u32);
            world.medium.set_faults(faults);
            running.push((flow, most));
            let end = world.now + pause;
            while world.now < end {
                for (flow, most) in &mut running {
                    flow.step(&mut world, *most);
                }
                world.run_for(SECOND / 50);
            }
        }
        world.run_until("all flows", |world| {
            running.iter_mut().map(|(flow, most)| flow.step(world, *most)).fold(true, |all, done| all & done)
        });
        for (flow, _) in running {
            world.close(flow.socket);
            world.peer.tcp(flow.peer).close();
        }
        world.close(listener);
        world.run_for(700 * SECOND);
        world.assert_no_streams();
    }

    /// However often the peer closes its window, and whatever overtakes what, the server goes on.
    #[test]
    fn a_window_that_closes_does_not_stop_the_server(
        seed: u64,
        large in 0usize..2,
        window in 1500usize..6000,
        most in 500usize..5000,
        length in 3000usize..40_000,
    ) {
        let mut world = world(large, Faults::none());
        world.peer.buffer = window;
        let listener = world.listen(80, 8);
        let (socket, peer) = world.connected(listener, 80);
        world.medium.set_faults(Faults::some(seed));
        let data = pattern(length, 1);
        let (mut sent, mut received) = (0, Vec::new());
        world.run_until("all bytes at the peer", |world| {
            match world.send(socket, &data[sent..length.min(sent + 4000)]) {
                Ok((count, _)) => sent += count,
                Err(errno) => assert_eq!(errno, Errno::EAGAIN),
            }
            let _ = world.peer.tcp(peer).recv(|bytes| {
                let count = bytes.len().min(most);
                received.extend_from_slice(&bytes[..count]);
                (count, ())
            });
            received.len() == length
        });
        prop_assert_eq!(received, data);
    }
}

/// A client that goes by the room that it is told of never asks for more than that.
#[test]
fn a_writer_that_fills_its_room_is_given_more() {
    let mut world = world(1, Faults::none());
    let listener = world.listen(80, 8);
    let (socket, peer) = world.connected(listener, 80);
    assert_eq!(world.send(socket, &[1; 2000]), Ok((2000, 2096)));
    assert_eq!(
        world.send(socket, &[1; 2000]),
        Ok((2000, 0)),
        "until the peer has it all"
    );
    assert!(!world.bits(socket).contains(PollBits::OUT));
    assert_eq!(world.send(socket, &[1]), Err(Errno::EAGAIN));
    world.await_bits(socket, PollBits::OUT);
    assert_eq!(world.send(socket, &[1; 2000]), Ok((2000, LARGE - 2000)));
    let sent = 6000;
    let mut received = 0;
    world.run_until("all of it", |world| {
        let tcp = world.peer.tcp(peer);
        received += tcp.recv(|bytes| (bytes.len(), bytes.len())).unwrap_or(0);
        received == sent
    });
}
