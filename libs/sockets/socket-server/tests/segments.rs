// SPDX-License-Identifier: BSD-2-Clause

//! What the server does with single segments: forged ones, late ones, and floods of them.

use std::net::Ipv4Addr;

use socket_proto::{Errno, Handle, PollBits, SocketKind};
use stats::NetServer as Counter;
use test_world::raw::{ACK, FIN, PSH, RST, Raw, SYN};
use test_world::{World, limits};

const SECOND: u64 = 1_000_000_000;
/// The raw peer's port. Nobody has it at the peer's stack, which would reset what it does not know:
/// so the raw peer has an address of its own.
const PORT: u16 = 4444;
const RAW: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 99);
/// The raw peer's first sequence number.
const IRS: u32 = 0xffff_ff00;

fn raw(flags: u8, seq: u32, ack: u32) -> Raw {
    Raw {
        address: RAW,
        ..Raw::new(PORT, 80, flags, seq, ack)
    }
}

/// Connects the raw peer. Returns the socket, and the server's next sequence number.
fn connect(world: &mut World, listener: Handle) -> (Handle, u32) {
    let replies = world.exchange(&raw(SYN, IRS, 0));
    let [syn_ack] = &replies[..] else {
        panic!("one SYN|ACK: {replies:?}");
    };
    assert_eq!((syn_ack.flags, syn_ack.ack), (SYN | ACK, IRS + 1));
    let next = syn_ack.seq.wrapping_add(1);
    assert_eq!(world.exchange(&raw(ACK, IRS + 1, next)), []);
    (world.accept(listener).unwrap().0, next)
}

fn listening() -> (World, Handle) {
    let mut world = World::simple();
    let listener = world.listen(80, 8);
    (world, listener)
}

/// Sends bytes and sees them arrive.
#[track_caller]
fn assert_alive(world: &mut World, socket: Handle, seq: u32, ack: u32) {
    let data = Raw {
        payload: b"alive".to_vec(),
        ..raw(ACK | PSH, seq, ack)
    };
    world.exchange(&data);
    assert_eq!(world.recv(socket, 100).unwrap(), b"alive");
}

#[test]
fn a_reset_needs_the_exact_number() {
    let (mut world, listener) = listening();
    let (socket, next) = connect(&mut world, listener);
    // Somewhere in the window: the real peer would learn what to send.
    for ahead in [1, 1000, 60_000] {
        let replies = world.exchange(&raw(RST, IRS.wrapping_add(1 + ahead), 0));
        let [challenge] = &replies[..] else {
            panic!("one challenge: {replies:?}");
        };
        let numbers = (challenge.flags, challenge.seq, challenge.ack);
        assert_eq!(numbers, (ACK, next, IRS + 1));
        world.run_for(SECOND);
    }
    // Elsewhere: nothing at all.
    for elsewhere in [IRS, IRS.wrapping_add(200_000), IRS.wrapping_sub(1 << 30)] {
        assert_eq!(world.exchange(&raw(RST | ACK, elsewhere, next)), []);
    }
    assert_alive(&mut world, socket, IRS + 1, next);
    // With bytes that were received and are not acknowledged yet, the number behind them counts.
    let data = Raw {
        payload: vec![7; 10],
        ..raw(ACK | PSH, IRS + 6, next)
    };
    world.medium.inject(test_world::SERVER, data.frame());
    world.exchange(&raw(RST, IRS + 16, 0));
    assert_eq!(world.recv(socket, 100).unwrap(), [7; 10]);
    assert_eq!(world.recv(socket, 100), Err(Errno::ECONNRESET));
}

#[test]
fn a_flood_of_forged_resets_gets_few_answers() {
    let (mut world, listener) = listening();
    let (socket, next) = connect(&mut world, listener);
    let answered: usize = (0..1000)
        .map(|ahead| {
            world
                .exchange(&raw(RST, IRS.wrapping_add(2 + ahead), 0))
                .len()
        })
        .sum();
    assert!((1..20).contains(&answered), "{answered}");
    assert_alive(&mut world, socket, IRS + 1, next);
}

#[test]
fn a_syn_on_a_connection_is_challenged() {
    let (mut world, listener) = listening();
    let (socket, next) = connect(&mut world, listener);
    for seq in [IRS, IRS + 1, IRS.wrapping_add(5000), 77] {
        let replies = world.exchange(&raw(SYN, seq, 0));
        let [challenge] = &replies[..] else {
            panic!("one challenge: {replies:?}");
        };
        let numbers = (challenge.flags, challenge.seq, challenge.ack);
        assert_eq!(numbers, (ACK, next, IRS + 1));
        world.run_for(SECOND);
    }
    // So is an acknowledgement of what was never sent.
    let replies = world.exchange(&raw(ACK, IRS + 1, next.wrapping_add(1)));
    assert_eq!(replies.len(), 1);
    assert_alive(&mut world, socket, IRS + 1, next);
}

#[test]
fn what_belongs_to_nobody_is_reset_with_acceptable_numbers() {
    let (mut world, _) = listening();
    let closed = |segment: Raw| Raw {
        server_port: 81,
        ..segment
    };
    let data = |segment: Raw| Raw {
        payload: vec![1; 10],
        ..segment
    };
    let numbers = |world: &mut World, segment: Raw| {
        let replies = world.exchange(&segment);
        assert!(replies.len() <= 1);
        replies
            .first()
            .map(|reply| (reply.flags, reply.seq, reply.ack))
    };
    // To a closed port (RFC 9293 section 3.10.7.1).
    let world = &mut world;
    assert_eq!(
        numbers(world, closed(raw(SYN, 5, 0))),
        Some((RST | ACK, 0, 6))
    );
    assert_eq!(
        numbers(world, closed(raw(FIN, 5, 0))),
        Some((RST | ACK, 0, 6))
    );
    assert_eq!(
        numbers(world, closed(raw(0, 5, 0))),
        Some((RST | ACK, 0, 5))
    );
    assert_eq!(
        numbers(world, closed(data(raw(0, 5, 0)))),
        Some((RST | ACK, 0, 15))
    );
    assert_eq!(numbers(world, closed(raw(ACK, 5, 9))), Some((RST, 9, 0)));
    assert_eq!(
        numbers(world, closed(raw(SYN | ACK, 5, 9))),
        Some((RST, 9, 0))
    );
    assert_eq!(
        numbers(world, closed(raw(FIN | ACK, 5, 9))),
        Some((RST, 9, 0))
    );
    assert_eq!(numbers(world, closed(raw(RST, 5, 0))), None);
    assert_eq!(numbers(world, closed(raw(RST | ACK, 5, 9))), None);
    // To a listening socket (section 3.10.7.2).
    assert_eq!(numbers(world, raw(ACK, 5, 9)), Some((RST, 9, 0)));
    assert_eq!(numbers(world, raw(SYN | ACK, 5, 9)), Some((RST, 9, 0)));
    assert_eq!(numbers(world, raw(FIN, 5, 0)), None);
    assert_eq!(numbers(world, data(raw(0, 5, 0))), None);
    assert_eq!(numbers(world, raw(RST, 5, 0)), None);
    // One with a wrong checksum is as good as lost.
    let mut frame = closed(raw(SYN, 5, 0)).frame();
    *frame.last_mut().unwrap() ^= 1;
    world.medium.start_tap();
    world.medium.inject(test_world::SERVER, frame);
    world.run_for(SECOND / 100);
    assert!(world.medium.take_tap().is_empty());
}

/// Closes a connection, server first. Returns the numbers that come next, the server's first.
fn time_wait(world: &mut World, listener: Handle) -> (u32, u32) {
    let (socket, next) = connect(world, listener);
    world.close(socket);
    world.run_for(SECOND / 100);
    let after = next.wrapping_add(1);
    let replies = world.exchange(&raw(FIN | ACK, IRS + 1, after));
    let last = replies.last().expect("an acknowledgement of the FIN");
    assert_eq!((last.flags, last.seq, last.ack), (ACK, after, IRS + 2));
    world.assert_no_streams();
    (after, IRS + 2)
}

#[test]
fn time_wait_answers_every_repeated_fin() {
    let (mut world, listener) = listening();
    let (next, expected) = time_wait(&mut world, listener);
    for _ in 0..50 {
        let replies = world.exchange(&raw(FIN | ACK, IRS + 1, next));
        assert_eq!(replies.len(), 1);
        assert_eq!((replies[0].seq, replies[0].ack), (next, expected));
    }
    // An acknowledgement needs no answer, or two ends would go on for ever.
    assert_eq!(world.exchange(&raw(ACK, expected, next)), []);
    // After a minute nothing is known of it any more.
    world.run_for(61 * SECOND);
    let replies = world.exchange(&raw(FIN | ACK, IRS + 1, next));
    assert_eq!((replies[0].flags, replies[0].seq), (RST, next));
}

#[test]
fn time_wait_ends_for_a_newer_syn_only() {
    let (mut world, listener) = listening();
    let (next, expected) = time_wait(&mut world, listener);
    for old in [IRS, IRS + 1, expected, IRS.wrapping_sub(1000)] {
        let replies = world.exchange(&raw(SYN, old, 0));
        assert_eq!(
            (replies[0].flags, replies[0].seq, replies[0].ack),
            (ACK, next, expected)
        );
    }
    let newer = raw(SYN, expected.wrapping_add(1), 0);
    let mut damaged = newer.frame();
    damaged[14 + 20 + 16] ^= 0x55;
    world.medium.start_tap();
    world.medium.inject(test_world::SERVER, damaged);
    world.run_for(SECOND / 100);
    assert!(world.medium.take_tap().is_empty());
    // Wrong resets do not end it either.
    world.exchange(&raw(RST, expected.wrapping_add(1), 0));
    assert_eq!(world.exchange(&raw(FIN | ACK, IRS + 1, next))[0].flags, ACK);
    let replies = world.exchange(&newer);
    assert_eq!(replies[0].flags, SYN | ACK);
    // Its number lies beyond those of the old connection.
    assert!((replies[0].seq.wrapping_sub(next) as i32) > 0);
}

#[test]
fn first_numbers_follow_a_secret_and_a_clock() {
    let first = |world: &mut World, port: u16| {
        let syn = Raw {
            address: RAW,
            ..Raw::new(port, 80, SYN, IRS, 0)
        };
        let iss = world.exchange(&syn)[0].seq;
        world.exchange(&Raw {
            flags: RST,
            seq: IRS + 1,
            ..syn
        });
        iss
    };
    let (mut world, _) = listening();
    let (a, b) = (first(&mut world, 1), first(&mut world, 2));
    let (c, d) = (first(&mut world, 1), first(&mut world, 2));
    // For the same ends only the clock counts, at 4 us a step; for others the hash is another.
    assert_eq!(c.wrapping_sub(a), d.wrapping_sub(b));
    assert!(c.wrapping_sub(a) < 10_000);
    assert!(b.wrapping_sub(a) > 10_000 && a.wrapping_sub(b) > 10_000);
    // With another key, in another world at the same time, all numbers are others.
    let config = socket_server::Config {
        key: [1; 16],
        ..test_world::config()
    };
    let mut other = World::new(config, vec![limits(32, 8)], test_world::Faults::none());
    other.listen(80, 8);
    let e = first(&mut other, 1);
    assert!(a.wrapping_sub(e) > 10_000 && e.wrapping_sub(a) > 10_000);
    // A client's own attempts too.
    let mut seen = Vec::new();
    for _ in 0..2 {
        let socket = world.socket(SocketKind::Stream);
        world.medium.start_tap();
        let attempt = world.connect(socket, "10.0.2.2:9");
        assert_eq!(attempt, Err(Errno::EINPROGRESS));
        world.run_for(SECOND / 100);
        let frames = world.medium.take_tap();
        let syn = frames.iter().find_map(|frame| Raw::of(frame)).unwrap();
        assert_eq!(syn.flags, SYN);
        seen.push(syn.seq);
    }
    assert!(seen[1].wrapping_sub(seen[0]) > 10_000 && seen[0].wrapping_sub(seen[1]) > 10_000);
}

/// SYNs from addresses that never answer.
fn flood(world: &mut World, count: u32, salt: u32) {
    for n in 0..count {
        let address = Ipv4Addr::from_bits(0x0b00_0000 + salt * 65_536 + n);
        let syn = Raw {
            address,
            ..Raw::new(1 + (n % 60_000) as u16, 80, SYN, n, 0)
        };
        world.medium.inject(test_world::SERVER, syn.frame());
        if n % 64 == 63 {
            world.run_for(1_000_000);
        }
    }
}

#[test]
fn a_flood_of_syns_does_not_keep_an_honest_peer_out() {
    let (mut world, listener) = listening();
    for round in 0..20 {
        flood(&mut world, 3_000, round);
        // It takes nothing of the client's quota.
        world.assert_no_streams();
        let socket = world.socket(SocketKind::Stream);
        world.close(socket);
        // The honest peer is served in both orders of speaking.
        let peer = world.peer.connect(80);
        flood(&mut world, 200, 100 + round);
        world.await_bits(listener, PollBits::IN);
        let (socket, _) = world.accept(listener).unwrap();
        if round % 2 == 0 {
            world.send(socket, b"welcome").unwrap();
            world.run_until("the bytes", |world| world.peer.tcp(peer).recv_queue() == 7);
        } else {
            world.peer.tcp(peer).send_slice(b"hello").unwrap();
            world.await_bits(socket, PollBits::IN);
            assert_eq!(world.recv(socket, 10).unwrap(), b"hello");
        }
        // 3,000 bytes: window scaling and segment size have survived.
        let data = test_world::pattern(3_000, 1);
        world.send(socket, &data).unwrap();
        let before = world.peer.tcp(peer).recv_queue();
        world.run_until("the bytes", |world| {
            world.peer.tcp(peer).recv_queue() == before + 3_000
        });
        world.peer.tcp(peer).abort();
        world.await_bits(socket, PollBits::HUP);
        world.close(socket);
    }
    assert!(world.count(Counter::SynCookiesSent) > 10_000);
    assert!(world.count(Counter::SynCookiesTaken) >= 10);
    // What is half open is forgotten, and then no cookie is taken.
    world.run_for(120 * SECOND);
    assert_eq!(world.count(Counter::TcpHalfOpen), 0);
    world.assert_no_streams();
}

#[test]
fn a_lost_syn_ack_is_sent_again() {
    let (mut world, listener) = listening();
    let first = world.exchange(&raw(SYN, IRS, 0)).remove(0);
    world.medium.start_tap();
    world.run_for(20 * SECOND);
    let again: Vec<_> = world.medium.take_tap();
    let again: Vec<_> = again.iter().filter_map(|frame| Raw::of(frame)).collect();
    assert_eq!(again, [first.clone(), first.clone(), first.clone()]);
    // A repeated SYN is answered at once, with the same number while it is remembered.
    let second = world.exchange(&raw(SYN, IRS, 0)).remove(0);
    assert_eq!(
        world.exchange(&raw(SYN, IRS, 0)),
        std::slice::from_ref(&second)
    );
    // A wrong acknowledgement is reset and changes nothing; the right one may carry bytes.
    let wrong = world.exchange(&raw(ACK, IRS + 1, second.seq));
    assert_eq!((wrong[0].flags, wrong[0].seq), (RST, second.seq));
    let confirmation = Raw {
        payload: b"at once".to_vec(),
        ..raw(ACK | PSH, IRS + 1, second.seq.wrapping_add(1))
    };
    world.exchange(&confirmation);
    let (socket, _) = world.accept(listener).unwrap();
    assert_eq!(world.recv(socket, 100).unwrap(), b"at once");
}

#[test]
fn a_reset_of_a_half_open_connection_needs_the_exact_number() {
    let (mut world, _) = listening();
    world.exchange(&raw(SYN, IRS, 0));
    world.exchange(&raw(RST, IRS + 2, 0));
    assert_eq!(world.count(Counter::TcpHalfOpen), 1);
    world.exchange(&raw(RST, IRS + 1, 0));
    assert_eq!(world.count(Counter::TcpHalfOpen), 0);
}

#[test]
fn peers_that_vanish_after_a_close_hold_no_places() {
    let (mut world, listener) = listening();
    for port in 1000..1200 {
        let from = |flags, seq, ack| Raw {
            address: RAW,
            ..Raw::new(port, 80, flags, seq, ack)
        };
        let syn_ack = world.exchange(&from(SYN, IRS, 0)).remove(0);
        let next = syn_ack.seq.wrapping_add(1);
        world.exchange(&from(ACK, IRS + 1, next));
        let (socket, _) = world.accept(listener).expect("a place in the pool");
        // The FIN is never acknowledged.
        world.close(socket);
    }
    assert!(world.count(Counter::TcpReclaimed) >= 160);
    let peer = world.peer.connect(80);
    world.await_bits(listener, PollBits::IN);
    world.accept(listener).unwrap();
    assert!(world.peer.tcp(peer).may_send());
}

/// After its retransmission timer has run out, an acknowledgement has the number behind all that
/// was sent: a peer that has received all of it drops what is older, acknowledgement included, and
/// two such peers would wait for one another for ever (RFC 9293 section 3.10.7.4).
#[test]
fn acknowledgements_do_not_go_back_when_data_does() {
    let (mut world, listener) = listening();
    // Behind the gateway: the server can send to it without an answer to ARP.
    let raw = |flags, seq, ack| Raw {
        address: Ipv4Addr::new(192, 0, 2, 1),
        ..Raw::new(PORT, 80, flags, seq, ack)
    };
    let next = world.exchange(&raw(SYN, IRS, 0))[0].seq.wrapping_add(1);
    world.exchange(&raw(ACK, IRS + 1, next));
    let (socket, _) = world.accept(listener).unwrap();
    world.medium.start_tap();
    world.send(socket, &[7; 2000]).unwrap();
    world.run_for(SECOND / 2);
    let sent = world.medium.take_tap();
    let sent: Vec<_> = sent.iter().filter_map(|frame| Raw::of(frame)).collect();
    let first = sent.iter().filter(|segment| segment.seq == next).count();
    assert!(first > 1, "the first segment is sent again: {sent:?}");
    // The peer has all 2,000 bytes, its acknowledgements are lost, and it sends something itself.
    let data = Raw {
        payload: b"out of step".to_vec(),
        ..raw(ACK | PSH, IRS + 1, next)
    };
    world.medium.start_tap();
    world.inject(data.frame());
    world.run_for(SECOND / 50);
    let replies = world.medium.take_tap();
    let replies = replies.iter().filter_map(|frame| Raw::of(frame));
    let bare: Vec<_> = replies.filter(|reply| reply.payload.is_empty()).collect();
    assert_eq!(bare.len(), 1, "{bare:?}");
    let numbers = (bare[0].seq, bare[0].ack);
    assert_eq!(numbers, (next.wrapping_add(2000), IRS + 12));
}
