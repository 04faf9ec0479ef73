// SPDX-License-Identifier: BSD-2-Clause

//! Packets in fragments, and what happens when transmit buffers are few.

use std::net::Ipv4Addr;

use socket_proto::{Errno, Flags, PollBits, SocketKind, Span, op};
use stats::NetServer as Counter;
use test_world::{
    Faults, PEER_IP, PEER_MAC, SERVER, SERVER_IP, SERVER_MAC, World, config, frames, limits,
    pattern,
};

const SECOND: u64 = 1_000_000_000;

fn first_fragment(from: Ipv4Addr, to: Ipv4Addr, ident: u16) -> Vec<u8> {
    let packet = frames::fragment(from, to, 17, ident, frames::MORE, &[0; 1480]);
    frames::ethernet([2, 9, 9, 9, 9, 9], SERVER_MAC, 0x0800, &packet)
}

#[test]
fn a_flood_of_first_fragments_does_not_stop_datagrams() {
    for sources in [1, 100, 65_000] {
        let mut world = World::simple();
        let peer = world.peer.bind(5000);
        let socket = world.socket(SocketKind::Datagram);
        world.bind(socket, "0.0.0.0:7").unwrap();
        let mut flood = 0u32;
        for round in 0..20 {
            let data = pattern(60_000, round);
            world.peer.send_to(peer, 7, &data);
            let until = world.now + SECOND / 100;
            while world.now < until {
                for _ in 0..10 {
                    flood += 1;
                    let from = Ipv4Addr::from_bits(0xc000_0000 + flood % sources);
                    world
                        .medium
                        .inject(SERVER, first_fragment(from, SERVER_IP, flood as u16));
                }
                world.step(until);
            }
            let received = world.recv_datagrams(socket, 100_000).expect("the datagram");
            assert!(received[0].1 == data, "{sources} sources");
        }
        assert!(world.count(Counter::DropsFragments) > 100);
        let blocks = world.count(Counter::FragmentBlocks);
        let free = world.count(Counter::FragmentBlocksFree);
        let peak = world.count(Counter::FragmentBlocksPeak);
        assert!(free < blocks && blocks - free <= peak && peak <= blocks);
    }
}

#[test]
fn fragments_for_others_take_no_room() {
    let mut world = World::simple();
    for ident in 0..1000 {
        let from = Ipv4Addr::new(192, 0, 2, ident as u8);
        world.inject(first_fragment(from, Ipv4Addr::new(10, 0, 2, 16), ident));
        world.inject(first_fragment(
            Ipv4Addr::new(127, 0, 0, 1),
            SERVER_IP,
            ident,
        ));
    }
    assert_eq!(world.count(Counter::DropsFragments), 0);
    assert_eq!(
        (
            world.count(Counter::DropsMalformed),
            world.count(Counter::DropsSource)
        ),
        (1000, 1000)
    );
}

/// Frames of a request for a long echo.
fn long_echo(data: &[u8]) -> Vec<Vec<u8>> {
    let message = frames::icmp(8, 0, [0, 7, 0, 9], data);
    let count = message.len().div_ceil(1480);
    let parts = message.chunks(1480).enumerate();
    parts
        .map(|(number, part)| {
            let more = if number + 1 < count { frames::MORE } else { 0 };
            let place = more | (number * 1480 / 8) as u16;
            let packet = frames::fragment(PEER_IP, SERVER_IP, 1, 5, place, part);
            frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &packet)
        })
        .collect()
}

#[test]
fn a_long_echo_is_answered_in_fragments_or_not_at_all() {
    let mut world = World::simple();
    let data = pattern(60_000, 8);
    world.medium.start_tap();
    for frame in long_echo(&data) {
        world.inject(frame);
    }
    let mut answer = vec![0; 60_008];
    for frame in world.medium.take_tap() {
        let packet = frames::packet(&frame).unwrap();
        let place = u16::from_be_bytes([packet[6], packet[7]]);
        assert_eq!(place & 0x4000, 0, "fragments may be cut up further");
        let at = usize::from(place & 0x1fff) * 8;
        answer[at..at + packet.len() - 20].copy_from_slice(&packet[20..]);
    }
    assert_eq!(answer[0], 0);
    assert!(answer[8..] == data);
    assert_eq!(world.count(Counter::IcmpEchoReplies), 1);
    // An answer that does not fit is lost as a whole, and counted.
    world.link.tx.set_buffers(40);
    world.medium.start_tap();
    for frame in long_echo(&data) {
        world.inject(frame);
    }
    assert_eq!(world.medium.take_tap().len(), 0);
    assert_eq!(world.count(Counter::DropsNoTxBuffer), 1);
}

#[test]
fn a_datagram_that_does_not_fit_into_the_free_buffers_waits() {
    let mut world = World::simple();
    let peer = world.peer.bind(5000);
    let socket = world.socket(SocketKind::Datagram);
    world.link.tx.set_buffers(120);
    world.medium.stop_driver(true);
    let data = pattern(60_000, 8);
    let to = Some("10.0.2.2:5000");
    assert_eq!(world.send_datagrams(socket, &[(to, &data)]), Ok(1));
    assert_eq!(
        world.send_datagrams(socket, &[(to, &data)]),
        Err(Errno::EAGAIN)
    );
    assert!(!world.bits(socket).contains(PollBits::OUT));
    world.medium.stop_driver(false);
    world.await_bits(socket, PollBits::OUT);
    assert_eq!(world.send_datagrams(socket, &[(to, &data)]), Ok(1));
    for _ in 0..2 {
        world.run_until("the datagram", |world| world.peer.udp(peer).can_recv());
        assert!(world.peer.udp(peer).recv().unwrap().0 == data);
    }
}

#[test]
fn a_flood_on_a_slow_link_does_not_stop_reception() {
    let mut world = World::new(config(), vec![limits(4, 4), limits(4, 4)], Faults::none());
    let flood = world.socket(SocketKind::Datagram);
    let victim = world.socket_as(1, SocketKind::Datagram).unwrap();
    let addr = "0.0.0.0:7".parse().unwrap();
    world
        .ask_as(
            1,
            op::Bind {
                socket: victim,
                addr,
            },
        )
        .unwrap();
    let peer = world.peer.bind(5000);
    // 40 buffers, of which the link empties one a millisecond; the flood wants many more.
    world.link.tx.set_buffers(40);
    world.medium.set_pace(SECOND / 1000);
    let payload = [0; 100];
    let batch = [(Some("10.0.2.2:9"), &payload[..]); 64];
    for round in 0..500 {
        let _ = world.send_datagrams(flood, &batch);
        world.peer.send_to(peer, 7, &[round as u8]);
        world.run_for(SECOND / 1000);
        let span = Span {
            offset: test_world::C2S.into(),
            length: 1000,
        };
        // The first frames are still on their way.
        let received = world.ask_as(
            1,
            op::Recv {
                socket: victim,
                span,
                flags: Flags::NONE,
            },
        );
        assert!(received.is_ok() || round < 2, "round {round}: {received:?}");
    }
}
