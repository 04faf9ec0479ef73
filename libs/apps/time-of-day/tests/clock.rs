// SPDX-License-Identifier: BSD-2-Clause

//! A time server that the test plays, on the simulated link.

use std::cell::RefCell;
use std::time::Duration;

use socket_client::{Errno, Instant};
use stats::{WallClock as Counter, Writer};
use test_world::{PEER_IP, Tasks, Wire, page};
use time_of_day::{Failure, WallClock, date};

const NTP: u16 = 123;
/// 2030-01-01 00:00:00 UTC, since 1970 and in the era of NTP.
const THEN: u64 = 1_893_456_000;
const THEN_NTP: u32 = 4_102_444_800;

/// The reply of a server (RFC 5905 section 7.3) to a question, at `THEN` and so many seconds.
fn reply(question: &[u8], seconds: u32) -> Vec<u8> {
    let mut reply = vec![0; 48];
    // Version 4, server, stratum 2.
    reply[..2].copy_from_slice(&[0x24, 2]);
    reply[24..32].copy_from_slice(&question[40..48]);
    for at in [16, 32, 40] {
        reply[at..at + 4].copy_from_slice(&(THEN_NTP + seconds).to_be_bytes());
    }
    reply
}

/// Runs a clock for some seconds, with a server that makes its replies so; none if it is empty.
fn run(
    seconds: u64,
    answer: impl Fn(&[u8], u32) -> Vec<u8>,
) -> (WallClock, Instant, Writer<Counter>, Vec<Failure>) {
    let wire = Wire::simple();
    let net = wire.net();
    let stats = Writer::attach(page(), 0);
    let (clock, failures) = (WallClock::default(), RefCell::new(Vec::new()));
    let server = wire.world.borrow_mut().peer.bind(NTP);
    let mut tasks = Tasks::default();
    let keep = clock.keep(&net, (PEER_IP, NTP).into(), Some(stats), |failure| {
        failures.borrow_mut().push(failure);
    });
    tasks.spawn(async {
        keep.await;
    });
    let start = wire.time();
    for _ in 0..seconds * 100 {
        tasks.run_until(&net, wire.time() + Duration::from_millis(10));
        let passed = (wire.time() - start).as_secs() as u32;
        let mut world = wire.world.borrow_mut();
        let mut question = [0; 100];
        while let Ok((count, from)) = world.peer.udp(server).recv_slice(&mut question) {
            let reply = answer(&question[..count], passed);
            if !reply.is_empty() {
                let sent = world.peer.udp(server).send_slice(&reply, from);
                sent.expect("room for the datagram");
            }
        }
    }
    drop(tasks);
    (clock, wire.time(), stats, failures.take())
}

#[test]
fn the_time_is_the_servers_and_goes_on() {
    let (clock, now, stats, failures) = run(10, reply);
    assert_eq!(failures, []);
    let time = clock.at(now).expect("known");
    assert!(
        time.abs_diff(Duration::from_secs(THEN + 10)) < Duration::from_millis(50),
        "{time:?}"
    );
    let text = format!(
        "{:?}",
        date(Duration::from_millis(THEN * 1000 + 5)).expect("a date")
    );
    assert_eq!(text, "2030-01-01T00:00:00.005Z");
    assert_eq!(
        [Counter::Replies, Counter::Known].map(|counter| stats.get(counter)),
        [1, 1]
    );
}

#[test]
fn replies_to_other_questions_and_nonsense_are_not_believed() {
    for spoil in [
        |reply: &mut Vec<u8>| reply[24] ^= 1,
        |reply: &mut Vec<u8>| reply[1] = 0,
        |reply: &mut Vec<u8>| reply[0] = 0xe4,
        |reply: &mut Vec<u8>| reply.truncate(40),
    ] {
        let (clock, now, stats, failures) = run(8, |question, seconds| {
            let mut reply = reply(question, seconds);
            spoil(&mut reply);
            reply
        });
        assert_eq!((clock.at(now), stats.get(Counter::Known)), (None, 0));
        assert!(matches!(failures[0], Failure::Reply(_)), "{failures:?}");
    }
}

#[test]
fn a_server_that_says_nothing_is_asked_again() {
    let (_, _, stats, failures) = run(40, |_, _| Vec::new());
    // After 2 s of waiting each: at 0, 4, 10, 20 and 38 s.
    assert_eq!(stats.get(Counter::Questions), 5);
    assert_eq!(failures, [Failure::Socket(Errno::ETIMEDOUT); 5]);
}
