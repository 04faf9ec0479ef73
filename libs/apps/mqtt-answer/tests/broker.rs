// SPDX-License-Identifier: BSD-2-Clause

//! A broker that the test plays, on the simulated link.

use std::cell::RefCell;
use std::time::Duration;

use mqtt_answer::{Failure, KEEP_ALIVE, MqttAnswer, Settings};
use socket_client::{Errno, Net};
use stats::{MqttClient as Counter, Writer};
use test_world::{PEER_IP, Stream, Tasks, Wire, page};

const PORT: u16 = 1883;
/// The broker's reply to CONNECT (MQTT 5.0 section 3.2), and that to SUBSCRIBE number 1.
const CONNACK: &[u8] = &[0x20, 3, 0, 0, 0];
const SUBACK: &[u8] = &[0x90, 4, 0, 1, 0, 2];
const STATUS: &[u8] = b"\x31\x0f\0\x06status\0online";

fn settings() -> Settings {
    Settings {
        broker: (PEER_IP, PORT).into(),
        id: "me",
        user: "user",
        password: "password",
        ask: "ask",
        answer: "answer",
        status: "status",
    }
}

/// The client and its broker.
struct Broker<'w, 't> {
    wire: &'w Wire,
    net: &'w Net<&'w Wire>,
    tasks: Tasks<'t>,
    stream: Stream<'w>,
}

impl Broker<'_, '_> {
    fn go_on(&mut self, time: Duration) {
        self.tasks.run_until(self.net, self.wire.time() + time);
    }

    fn received(&mut self) -> Vec<u8> {
        let mut received = Vec::new();
        for _ in 0..20 {
            self.go_on(Duration::from_millis(5));
            received.extend(self.stream.recv());
        }
        received
    }

    /// Takes a new connection until the client has said that it is online.
    fn welcome(&mut self) -> Vec<u8> {
        let connect = self.received();
        assert_eq!(connect.first(), Some(&0x10));
        self.stream.send(CONNACK);
        let rest = self.received();
        let rest = rest.strip_prefix(b"\x82\x09\0").expect("SUBSCRIBE");
        assert_eq!(&rest[1..8], b"\0\0\x03ask\x02");
        self.stream.send(SUBACK);
        rest[8..].to_vec()
    }

    fn again(&mut self) {
        self.stream = self.wire.listen(PORT);
        self.go_on(Duration::from_millis(600));
    }
}

/// Runs `body` as the broker. Returns the counters, and why connections have ended.
fn with_broker(body: impl FnOnce(&mut Broker<'_, '_>)) -> (Writer<Counter>, Vec<Failure>) {
    let wire = Wire::simple();
    let net = wire.net();
    let stats = Writer::attach(page(), 0);
    let failures = RefCell::new(Vec::new());
    let stream = wire.listen(PORT);
    let client = MqttAnswer::new(&net, settings(), stats);
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        client
            .run(|failure| failures.borrow_mut().push(failure))
            .await;
    });
    tasks.run(&net);
    body(&mut Broker {
        wire: &wire,
        net: &net,
        tasks,
        stream,
    });
    (stats, failures.take())
}

#[test]
fn messages_are_answered_and_repeated_on_a_new_connection() {
    let (stats, failures) = with_broker(|broker| {
        assert_eq!(broker.welcome(), STATUS);
        broker.stream.send(b"\x30\x08\0\x03ask\0hi");
        assert_eq!(broker.received(), b"\x30\x0b\0\x06answer\0hi");
        // Quality of service 1: acknowledged, and the answer has a number.
        broker.stream.send(b"\x32\x0a\0\x03ask\0\x07\0hi");
        let received = broker.received();
        let answer = received
            .strip_prefix(b"\x40\x04\0\x07\0\0")
            .expect("PUBACK");
        let number = &answer[10..12];
        assert_eq!(answer, [b"\x32\x0d\0\x06answer", number, b"\0hi"].concat());
        broker.stream.reset();
        broker.again();
        // The session is gone with this CONNACK: the answer is a new message.
        let mut rest = broker.welcome();
        rest.extend(broker.received());
        let answer = rest.strip_prefix(STATUS).expect("online");
        assert!(answer.starts_with(b"\x32\x0d\0\x06answer") && answer.ends_with(b"\0hi"));
        broker.stream.send(&[0x40, 2, answer[10], answer[11]]);
        broker.go_on(Duration::from_millis(10));
    });
    let counts = [
        Counter::Connections,
        Counter::Received1,
        Counter::Sent,
        Counter::Repeated,
        Counter::Confirmed,
    ];
    assert_eq!(counts.map(|counter| stats.get(counter)), [2, 1, 2, 1, 1]);
    assert_eq!(failures, [Failure::Network]);
}

#[test]
fn a_silent_broker_is_given_up() {
    let (stats, failures) = with_broker(|broker| {
        broker.welcome();
        broker.go_on(Duration::from_secs(u64::from(KEEP_ALIVE) * 2 + 5));
    });
    assert!(stats.get(Counter::Pings) >= 2);
    assert_eq!(failures[0], Failure::Socket(Errno::ETIMEDOUT));
    assert_eq!(stats.get(Counter::Connected), 0);
}

#[test]
fn what_makes_no_sense_or_is_too_long_ends_the_connection() {
    for said in [
        &b"\xff\xff\xff\xff\xff"[..],
        b"\x30\xff\xff\xff\x7f",
        b"\x32\x05\0\x63ask",
        b"\x20\x03\0\0\0",
    ] {
        let (_, failures) = with_broker(|broker| {
            broker.welcome();
            broker.stream.send(said);
            broker.go_on(Duration::from_millis(100));
        });
        assert_eq!(failures.len(), 1, "{said:?}");
    }
    // The first packet of all, too.
    let (_, failures) = with_broker(|broker| {
        broker.received();
        broker
            .stream
            .send(b"\x20\xff\xff\xff\x7f\0\0\x10\x12\x34\x56");
        broker.go_on(Duration::from_millis(100));
    });
    assert_eq!(failures.len(), 1);
}
