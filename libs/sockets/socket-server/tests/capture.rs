// SPDX-License-Identifier: BSD-2-Clause

//! Frames that a client captures.

use socket_proto::layouts::{CaptureFilter, CaptureRecord, Layout};
use socket_proto::{Errno, Records, SocketKind, Span, addr, op};
use socket_server::{ClientLimits, PortRange};
use stats::NetServer as Counter;
use test_world::{C2S, Faults, World, config, frames, limits};

/// The port at which client 1 listens. It is the one that may capture.
const SHOWS: u16 = 5555;
const TAP: usize = 1;
const BUFFER: usize = 8192;

fn world() -> World {
    let shows = ClientLimits {
        capture: BUFFER,
        tcp_ports: vec![PortRange::new(SHOWS, SHOWS).unwrap()],
        ..limits(8, 8)
    };
    World::new(config(), vec![limits(8, 8), shows], Faults::none())
}

fn begin(world: &mut World, filter: CaptureFilter) -> Result<(), Errno> {
    world.clients[TAP].fill(filter.bytes());
    let length = filter.bytes().len() as u64;
    let span = Span { offset: 0, length };
    world.ask_as(TAP, op::Capture { span })
}

fn take(world: &mut World, most: u64) -> Result<Records, Errno> {
    let span = Span {
        offset: C2S.into(),
        length: most,
    };
    world.ask_as(TAP, op::Captured { span })
}

/// What has been captured: headers and frames.
fn seen(world: &mut World) -> Vec<(CaptureRecord, Vec<u8>)> {
    let mut all = Vec::new();
    loop {
        let Records { bytes, .. } = take(world, 4096).unwrap();
        if bytes == 0 {
            return all;
        }
        let bytes = world.clients[TAP].read(0, bytes as usize);
        let mut rest = &bytes[..];
        while let Some((record, frame, behind)) = CaptureRecord::split(rest) {
            all.push((record, frame.to_vec()));
            rest = behind;
        }
        assert_eq!(rest, []);
    }
}

fn filter(protocol: u32, address: &str) -> CaptureFilter {
    CaptureFilter {
        address: addr::to_words(address.parse().unwrap()),
        protocol,
        ..CaptureFilter::default()
    }
}

/// The peer asks a datagram socket of client 0, which answers.
fn ask_and_answer(world: &mut World, port: u16) {
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, &format!("0.0.0.0:{port}")).unwrap();
    let peer = world.peer.bind(4000 + port);
    let own = (test_world::SERVER_IP, port);
    world.peer.udp(peer).send_slice(b"question", own).unwrap();
    world.settle();
    let (header, _) = world.recv_datagrams(socket, 4096).unwrap().remove(0);
    let to = header.peer().unwrap().unwrap().to_string();
    world
        .send_datagrams(socket, &[(Some(&to), b"answer")])
        .unwrap();
    world.settle();
    world.close(socket);
}

/// EtherType and, of IPv4, the protocol of each frame, with its direction.
fn kinds(seen: &[(CaptureRecord, Vec<u8>)]) -> Vec<(u32, u16, u8)> {
    let kind = |frame: &[u8]| u16::from_be_bytes([frame[12], frame[13]]);
    let each = seen.iter();
    each.map(|(record, frame)| (record.direction, kind(frame), frame[23]))
        .collect()
}

#[test]
fn both_directions_are_shown_in_order() {
    let mut world = world();
    begin(&mut world, CaptureFilter::default()).unwrap();
    let before = world.now;
    ask_and_answer(&mut world, 7);
    let seen = seen(&mut world);
    assert_eq!(kinds(&seen), [(1, 0x800, 17), (2, 0x800, 17)]);
    for (record, frame) in &seen {
        assert_eq!(
            (record.length, record.wire_length),
            (frame.len() as u32, frame.len() as u32)
        );
        assert_eq!(record.interface, 0);
        assert!((before..=world.now).contains(&record.time));
    }
    assert!(seen[0].1.ends_with(b"question") && seen[1].1.ends_with(b"answer"));
    assert_eq!(world.count(Counter::CaptureFrames), 2);
}

#[test]
fn frames_of_others_and_broken_ones_are_shown() {
    let mut world = world();
    begin(&mut world, CaptureFilter::default()).unwrap();
    world.inject(vec![1; 9]);
    world.inject(frames::ethernet([2; 6], [4; 6], 0x9999, &[0; 50]));
    let lengths: Vec<_> = seen(&mut world)
        .iter()
        .map(|(record, _)| record.length)
        .collect();
    assert_eq!(lengths, [9, 64]);
}

#[test]
fn a_filter_says_which_and_how_much() {
    for (filter, count) in [
        (filter(17, "0.0.0.0:0"), 4),
        (filter(6, "0.0.0.0:0"), 0),
        (filter(0x806, "0.0.0.0:0"), 0),
        (filter(0x800, "0.0.0.0:7"), 2),
        (filter(0, "10.0.2.2:8"), 2),
        (filter(0, "10.0.2.2:9"), 0),
        (filter(0, "10.0.2.3:0"), 0),
        (filter(0, "[::]:4007"), 2),
        (filter(0, "[::1]:4007"), 0),
    ] {
        let mut world = world();
        begin(&mut world, CaptureFilter { snap: 20, ..filter }).unwrap();
        ask_and_answer(&mut world, 7);
        ask_and_answer(&mut world, 8);
        let seen = seen(&mut world);
        assert_eq!(seen.len(), count, "{filter:?}");
        assert!(
            seen.iter()
                .all(|(record, frame)| frame.len() == 20 && record.wire_length > 40)
        );
    }
}

#[test]
fn a_tap_does_not_show_its_own_connections() {
    let mut world = world();
    begin(&mut world, CaptureFilter::default()).unwrap();
    let listener = world.socket_as(TAP, SocketKind::Stream).unwrap();
    let addr = ([0; 4], SHOWS).into();
    world
        .ask_as(
            TAP,
            op::Bind {
                socket: listener,
                addr,
            },
        )
        .unwrap();
    world
        .ask_as(
            TAP,
            op::Listen {
                socket: listener,
                backlog: 4,
            },
        )
        .unwrap();
    let peer = world.peer.connect(SHOWS);
    world.run_until("established", |world| world.peer.tcp(peer).may_send());
    // Over loopback as well.
    let other = world.socket(SocketKind::Stream);
    let connecting = world.connect(other, &format!("127.0.0.1:{SHOWS}"));
    assert_eq!(connecting, Err(Errno::EINPROGRESS));
    world.settle();
    assert_eq!(world.peer_name(other).unwrap().port(), SHOWS);
    assert_eq!(seen(&mut world), []);
    // Of others connections are shown, on both interfaces.
    world.listen(80, 4);
    let other = world.socket(SocketKind::Stream);
    let _ = world.connect(other, "127.0.0.1:80");
    let peer = world.peer.connect(80);
    world.run_until("established", |world| world.peer.tcp(peer).may_send());
    world.settle();
    let seen = seen(&mut world);
    assert!(
        seen.iter()
            .filter(|(record, _)| record.interface == 0)
            .count()
            >= 3
    );
    assert!(
        seen.iter()
            .filter(|(record, _)| record.interface == 1)
            .count()
            >= 3
    );
}

#[test]
fn what_finds_no_room_is_counted() {
    let mut world = world();
    begin(&mut world, CaptureFilter::default()).unwrap();
    let datagram = frames::ethernet([2; 6], [4; 6], 0x9999, &[7; 1000]);
    for _ in 0..10 {
        world.inject(datagram.clone());
    }
    let dropped = take(&mut world, 1000).map(drop);
    assert_eq!(dropped, Err(Errno::EMSGSIZE));
    let Records { bytes, dropped } = take(&mut world, 4096).unwrap();
    let stride = CaptureRecord::stride(datagram.len()) as u64;
    let fit = BUFFER as u64 / stride;
    assert_eq!((bytes, dropped), (3 * stride, 10 - fit));
    assert_eq!(world.count(Counter::CaptureDrops), 10 - fit);
    // There is room again, also around the end of the buffer.
    for _ in 0..3 {
        world.inject(datagram.clone());
    }
    let seen = seen(&mut world);
    assert_eq!(seen.len() as u64, fit);
    assert!(seen.iter().all(|(_, frame)| *frame == datagram));
    begin(&mut world, CaptureFilter::default()).unwrap();
    assert_eq!(take(&mut world, 4096).unwrap().dropped, 0);
}

#[test]
fn only_who_may_and_only_while_it_is_wanted() {
    let mut world = world();
    let span = Span {
        offset: 0,
        length: 0,
    };
    assert_eq!(world.ask(op::Capture { span }), Err(Errno::EPERM));
    assert_eq!(
        world.ask(op::Captured { span }).map(drop),
        Err(Errno::EPERM)
    );
    assert_eq!(
        begin(&mut world, filter(300, "0.0.0.0:0")),
        Err(Errno::EINVAL)
    );
    begin(&mut world, CaptureFilter::default()).unwrap();
    world.ask_as(TAP, op::Capture { span }).unwrap();
    ask_and_answer(&mut world, 7);
    assert_eq!(seen(&mut world), []);
    // A client that is gone, or begins anew, captures nothing.
    begin(&mut world, CaptureFilter::default()).unwrap();
    world.client_gone(TAP);
    world.attach(TAP);
    ask_and_answer(&mut world, 8);
    assert_eq!(seen(&mut world), []);
    begin(&mut world, CaptureFilter::default()).unwrap();
    world.attach(TAP);
    ask_and_answer(&mut world, 9);
    assert_eq!(seen(&mut world), []);
    assert_eq!(world.count(Counter::CaptureFrames), 0);
}

#[test]
fn a_capture_can_have_the_device_receive_everything() {
    let mut world = world();
    let all = |world: &mut World| world.server.take_groups().map(|(all, _)| all);
    all(&mut world);
    let mut filter = CaptureFilter {
        promiscuous: 1,
        ..CaptureFilter::default()
    };
    begin(&mut world, filter).unwrap();
    assert_eq!((all(&mut world), all(&mut world)), (Some(true), None));
    world.attach(TAP);
    assert_eq!(all(&mut world), Some(false));
    filter.promiscuous = 2;
    assert_eq!(begin(&mut world, filter), Err(Errno::EINVAL));
    filter = CaptureFilter {
        reserved: 1,
        ..CaptureFilter::default()
    };
    assert_eq!(begin(&mut world, filter), Err(Errno::EINVAL));
}
