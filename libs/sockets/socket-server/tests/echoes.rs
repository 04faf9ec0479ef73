// SPDX-License-Identifier: BSD-2-Clause

//! Datagram sockets of ICMP: requests for echoes, replies, and what the network says of them.

use std::net::Ipv4Addr;

use socket_proto::{Errno, Family, Handle, PollBits, Protocol, SocketKind, op};
use stats::NetServer as Counter;
use test_world::{
    Faults, PEER_IP, PEER_MAC, SERVER_IP, SERVER_MAC, World, config, config6, frames, limits,
    pattern,
};

const SECOND: u64 = 1_000_000_000;
/// Bytes of the header of a message.
const HEADER: usize = 8;

fn echo_of(world: &mut World, client: usize, family: Family) -> Handle {
    let protocol = match family {
        Family::Inet => Protocol::Icmp,
        Family::Inet6 => Protocol::Icmpv6,
    };
    let asked = op::Socket {
        family,
        kind: SocketKind::Datagram,
        protocol,
    };
    world.ask_as(client, asked).expect("a socket").socket
}

fn echo(world: &mut World) -> Handle {
    echo_of(world, 0, Family::Inet)
}

/// A request with a number and so many bytes behind the header.
fn request(kind: u8, sequence: u8, length: usize) -> Vec<u8> {
    let header = [kind, 0, 0, 0, 0, 0, 0, sequence];
    [&header[..], &pattern(length, sequence.into())].concat()
}

fn ask(world: &mut World, socket: Handle, to: &str, message: &[u8]) {
    let sent = world.send_datagrams(socket, &[(Some(to), message)]);
    assert_eq!(sent, Ok(1));
}

/// The message that waits on a socket, and its sender.
fn heard(world: &mut World, socket: Handle) -> Option<(Vec<u8>, std::net::SocketAddr)> {
    let received = world.recv_datagrams(socket, 100_000).ok()?;
    let [(header, message)] = &received[..] else {
        panic!("{} messages", received.len());
    };
    Some((message.clone(), header.peer().unwrap().unwrap()))
}

#[test]
fn hosts_reply() {
    let mut world = World::new(config6(), vec![limits(4, 4)], Faults::none());
    // The peer's stack puts no fragments of IPv6 together.
    let lengths = [0, 56, 1400, 1473, 20_000];
    let cases = [
        (Family::Inet, "10.0.2.2:0", 8, 0, &lengths[..]),
        (Family::Inet6, "[fd00::2]:0", 128, 129, &lengths[..3]),
        (Family::Inet, "127.0.0.1:0", 8, 0, &lengths),
        (Family::Inet6, "[::1]:0", 128, 129, &lengths),
    ];
    for (family, to, kind, reply, lengths) in cases {
        for &length in lengths {
            let socket = echo_of(&mut world, 0, family);
            let message = request(kind, 7, length);
            ask(&mut world, socket, to, &message);
            let id = world.name(socket).port();
            world.await_bits(socket, PollBits::IN);
            let (back, from) = heard(&mut world, socket).expect("a reply");
            assert_eq!(from.to_string(), to);
            assert_eq!((back[0], &back[4..6]), (reply, &id.to_be_bytes()[..]));
            assert_eq!(back[6..], message[6..], "{to} {length}");
            assert_eq!(heard(&mut world, socket), None);
            world.close(socket);
        }
    }
    assert_eq!(world.count(Counter::DropsMalformed), 0);
}

#[test]
fn a_reply_is_heard_by_the_socket_that_asked_alone() {
    let mut world = World::new(config(), vec![limits(4, 4), limits(4, 4)], Faults::none());
    let first = echo(&mut world);
    let second = echo_of(&mut world, 1, Family::Inet);
    let addr = "0.0.0.0:700".parse().unwrap();
    world.bind(first, "0.0.0.0:700").unwrap();
    let bind = op::Bind {
        socket: second,
        addr,
    };
    assert_eq!(world.ask_as(1, bind), Err(Errno::EADDRINUSE));
    let reply = |id: u16, sum: u16| {
        let [a, b] = id.to_be_bytes();
        let mut message = frames::icmp(0, 0, [a, b, 0, 1], b"hello");
        message[3] ^= sum as u8;
        let packet = frames::ipv4(PEER_IP, SERVER_IP, 1, &message);
        frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &packet)
    };
    world.inject(reply(701, 0));
    assert_eq!(world.count(Counter::DropsNoSocket), 1);
    world.inject(reply(700, 1));
    assert_eq!(world.count(Counter::DropsMalformed), 1);
    assert_eq!(heard(&mut world, first), None);
    world.inject(reply(700, 0));
    assert_eq!(&heard(&mut world, first).unwrap().0[HEADER..], b"hello");
    // Bound to one address, it hears what comes there.
    world.close(first);
    let local = echo(&mut world);
    world.bind(local, "127.0.0.1:700").unwrap();
    world.inject(reply(700, 0));
    assert_eq!(heard(&mut world, local), None);
}

#[test]
fn what_the_network_says_is_told_to_a_connected_socket() {
    let mut world = World::simple();
    let socket = echo(&mut world);
    world.medium.set_faults(Faults {
        lost: 1000,
        ..Faults::none()
    });
    world.medium.start_tap();
    ask(&mut world, socket, "192.0.2.1:0", &request(8, 1, 10));
    let sent = world.medium.take_tap();
    let packet = frames::packet(&sent[0]).expect("a packet").to_vec();
    assert_eq!((packet[9], packet[20]), (1, 8));
    let unreachable = |quoted: &[u8]| {
        let message = frames::icmp(3, 3, [0; 4], &quoted[..28]);
        let packet = frames::ipv4(PEER_IP, SERVER_IP, 1, &message);
        frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &packet)
    };
    world.inject(unreachable(&packet));
    assert_eq!(world.so_error(socket), None);
    world.connect(socket, "192.0.2.1:0").unwrap();
    // A reply is not what this socket has sent, nor has it another's number.
    for (at, flip) in [(20, 8), (25, 1)] {
        let mut other = packet.clone();
        other[at] ^= flip;
        world.inject(unreachable(&other));
        assert_eq!(world.so_error(socket), None);
    }
    world.inject(unreachable(&packet));
    assert!(world.bits(socket).contains(PollBits::ERR));
    assert_eq!(world.so_error(socket), Some(Errno::ECONNREFUSED));
}

#[test]
fn a_request_waits_for_its_next_hop() {
    let mut world = World::simple();
    let socket = echo(&mut world);
    let neighbour = Ipv4Addr::new(10, 0, 2, 9);
    world.connect(socket, "10.0.2.9:0").unwrap();
    let message = request(8, 1, 2000);
    assert_eq!(world.send_datagrams(socket, &[(None, &message)]), Ok(1));
    let mac = [2, 0, 0, 0, 0, 9];
    world.medium.start_tap();
    let reply = frames::arp(2, (mac, neighbour), (SERVER_MAC, SERVER_IP));
    world.inject(frames::ethernet(mac, SERVER_MAC, 0x0806, &reply));
    let sent = world.medium.take_tap();
    let to_it = |frame: &&Vec<u8>| frame[..6] == mac && frame[12..14] == [8, 0];
    assert_eq!(sent.iter().filter(to_it).count(), 2, "in fragments");
    // One that does not answer is told of.
    world.connect(socket, "10.0.2.10:0").unwrap();
    assert_eq!(world.send_datagrams(socket, &[(None, &message)]), Ok(1));
    world.run_for(5 * SECOND);
    assert_eq!(world.so_error(socket), Some(Errno::EHOSTUNREACH));
}

#[test]
fn what_nobody_reads_fills_its_own_socket() {
    let mut world = World::simple();
    let (socket, other) = (echo(&mut world), echo(&mut world));
    let message = request(8, 1, 1000);
    for _ in 0..200 {
        ask(&mut world, socket, "10.0.2.2:0", &message);
        world.settle();
    }
    assert!(world.count(Counter::DropsSocketFull) > 0);
    ask(&mut world, other, "10.0.2.2:0", &message);
    world.await_bits(other, PollBits::IN);
    world.close(socket);
    assert_eq!(heard(&mut world, other).unwrap().0[6..], message[6..]);
}
