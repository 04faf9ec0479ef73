// SPDX-License-Identifier: BSD-2-Clause

//! Messages and counts, and whole tests on the simulated link.

use std::time::Duration;

use proptest::prelude::*;
use stats::{Throughput as Counter, Writer};
use test_world::{Stream, Tasks, Wire, page};
use throughput_service::protocol::{
    Header, IperfError, MAX_RESULTS, Parameters, State, parameters, results, udp_welcome,
};
use throughput_service::{Count, MAX_STREAMS, Throughput};

const PORT: u16 = 5201;
const SECOND: u64 = 1_000_000_000;

#[test]
fn parameters_are_read() {
    let json = br#"{"tcp":true,"omit":1,"time":10,"num":0,"blockcount":0,"MSS":1400,
        "parallel":4,"reverse":true,"len":131072,"bandwidth":12000000000,"fqrate":0,
        "pacing_timer":1000,"congestion":"cubic","extra":[1,{"a":-1.5e3}],"title":null,
        "client_version":"3.12"}"#;
    let wanted = Parameters {
        omit: 1,
        time: 10,
        parallel: 4,
        reverse: true,
        len: 131_072,
        bandwidth: 12_000_000_000,
        ..Parameters::default()
    };
    assert_eq!(parameters(json), Ok(wanted));
    let udp = parameters(br#"{"udp":true,"len":1460}"#).expect("parameters");
    assert!(udp.udp && udp.parallel == 0);
    for (json, error) in [
        (r#"{"bidirectional":true}"#, IperfError::NotImplemented),
        (r#"{"parallel":17}"#, IperfError::Streams),
        (r#"{"parallel":-1}"#, IperfError::NotImplemented),
        ("", IperfError::NotImplemented),
    ] {
        assert_eq!(parameters(json.as_bytes()), Err(error), "{json}");
    }
}

#[test]
fn the_longest_results_fit() {
    let mut count = Count::default();
    (count.bytes, count.packets, count.lost) = (u64::MAX, u64::MAX, u64::MAX);
    count.jitter = f32::MIN_POSITIVE;
    let mut buf = [0; MAX_RESULTS];
    let length = results(&[count; MAX_STREAMS], f32::MAX, &mut buf).expect("they fit");
    let text = str::from_utf8(&buf[..length]).expect("text");
    assert!(
        text.contains(r#"{"id":1,"bytes":18446744073709551615,"#) && text.contains(r#""id":17,"#)
    );
    assert!(!text.contains(r#""id":2,"#));
}

#[test]
fn hellos_of_both_orders_and_ages() {
    assert_eq!(udp_welcome(*b"9876"), Some(*b"6789"));
    assert_eq!(udp_welcome(*b"6789"), Some(*b"9876"));
    let old = udp_welcome(123_456_789_u32.to_be_bytes());
    assert_eq!(old, Some(987_654_321_u32.to_be_bytes()));
    assert_eq!(udp_welcome(*b"1234"), None);
}

#[test]
fn losses_and_jitter() {
    let mut count = Count::default();
    for (number, sent, now) in [(1, 0, 100), (2, 10, 110), (5, 20, 120), (4, 15, 130)] {
        let at = |time| time * SECOND / 1000;
        count.datagram(
            Header {
                number,
                sent: at(sent),
            },
            100,
            at(now),
        );
    }
    assert_eq!((count.bytes, count.packets, count.lost), (400, 5, 1));
    // The last one took 15 ms longer.
    assert!(
        (count.jitter - 0.015 / 16.0).abs() < 1e-6,
        "{}",
        count.jitter
    );
    count.omit();
    assert_eq!((count.bytes, count.packets, count.lost), (0, 5, 0));
}

proptest! {
    #[test]
    fn headers_round_trip(sent in 0..u64::from(u32::MAX), number: u32, wide: bool) {
        let header = Header { sent: sent * 1000, number: number.into() };
        prop_assert_eq!(Header::parse(&header.encode(wide), wide), Some(header));
    }

    #[test]
    fn any_datagram_and_any_parameters_are_taken(
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        wide: bool, now: u64, json in "[\\[\\]{}\":,0-9a-z.-]{0,60}",
    ) {
        let mut count = Count::default();
        if let Some(header) = Header::parse(&bytes, wide) {
            count.datagram(header, 10, now);
            count.datagram(header, 10, now);
        }
        let _ = parameters(json.as_bytes());
    }
}

/// The world with a server and the control connection of a test.
struct Client<'w, 't> {
    wire: &'w Wire,
    net: &'w socket_client::Net<&'w Wire>,
    tasks: Tasks<'t>,
    control: Stream<'w>,
}

impl Client<'_, '_> {
    fn go_on(&mut self) {
        self.tasks
            .run_until(self.net, self.wire.time() + Duration::from_millis(2));
    }

    /// Waits for bytes on the control connection.
    #[track_caller]
    fn expect(&mut self, expected: &[u8]) {
        let mut received = Vec::new();
        for _ in 0..100 {
            self.go_on();
            received.extend(self.control.recv());
            if received.len() >= expected.len() {
                break;
            }
        }
        assert_eq!(received, expected);
    }

    fn message(&mut self, json: &str) {
        self.control.send(&(json.len() as u32).to_be_bytes());
        self.control.send(json.as_bytes());
    }
}

fn byte(state: State) -> [u8; 1] {
    [state.byte()]
}

/// Runs `body` as a client that has opened its control connection.
fn with_client(body: impl FnOnce(&mut Client<'_, '_>)) -> Writer<Counter> {
    let wire = Wire::simple();
    let net = wire.net();
    let stats = Writer::attach(page(), 0);
    let server = Throughput::new(&net, PORT, stats);
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        server.run(|_| {}).await;
    });
    tasks.run(&net);
    let control = wire.connect(PORT);
    let mut client = Client {
        wire: &wire,
        net: &net,
        tasks,
        control,
    };
    client.control.send(&[b'c'; 37]);
    client.expect(&byte(State::ParameterExchange));
    body(&mut client);
    stats
}

/// The end of a test, with what the server says about its streams.
fn end(client: &mut Client<'_, '_>) -> String {
    client.control.send(&byte(State::TestEnd));
    client.expect(&byte(State::ExchangeResults));
    client.message("{}");
    let mut results = Vec::new();
    for _ in 0..20 {
        client.go_on();
        results.extend(client.control.recv());
    }
    assert_eq!(results.pop(), Some(State::DisplayResults.byte()));
    client.control.send(&byte(State::Done));
    client.go_on();
    String::from_utf8(results.split_off(4)).expect("text")
}

#[test]
fn a_test_over_tcp() {
    let stats = with_client(|client| {
        client.message(r#"{"tcp":true,"time":1,"parallel":2}"#);
        client.expect(&byte(State::CreateStreams));
        let other = client.wire.connect(PORT);
        other.send(&[b'x'; 37]);
        let streams = [(); 2].map(|()| client.wire.connect(PORT));
        for stream in streams {
            stream.send(&[b'c'; 37]);
        }
        client.expect(&[State::TestStart.byte(), State::TestRunning.byte()]);
        assert_eq!(other.recv(), byte(State::AccessDenied));
        for (stream, bytes) in streams.iter().zip([1000, 500]) {
            assert_eq!(stream.send(&vec![0; bytes]), bytes);
        }
        client.go_on();
        let results = end(client);
        assert!(results.contains(r#"{"id":1,"bytes":1000,"#), "{results}");
        assert!(results.contains(r#"{"id":3,"bytes":500,"#), "{results}");
    });
    let counts = [
        Counter::Tests,
        Counter::TestsDone,
        Counter::Denied,
        Counter::BytesIn,
    ];
    assert_eq!(counts.map(|counter| stats.get(counter)), [1, 1, 1, 1500]);
}

#[test]
fn a_test_from_the_server_at_a_limit() {
    with_client(|client| {
        client.message(r#"{"tcp":true,"time":1,"reverse":true,"bandwidth":800000}"#);
        client.expect(&byte(State::CreateStreams));
        let stream = client.wire.connect(PORT);
        stream.send(&[b'c'; 37]);
        client.expect(&[State::TestStart.byte(), State::TestRunning.byte()]);
        let mut received = 0;
        for _ in 0..500 {
            client.go_on();
            received += stream.recv().len();
        }
        // A second at 800 kbit/s.
        assert!((90_000..110_000).contains(&received), "{received}");
        end(client);
    });
}

#[test]
fn clients_that_fall_silent_are_given_up() {
    let stats = with_client(|client| {
        client
            .tasks
            .run_until(client.net, client.wire.time() + Duration::from_secs(11));
        assert!(client.control.saw_end());
        client.control = client.wire.connect(PORT);
        client.control.send(&[b'c'; 37]);
        client.expect(&byte(State::ParameterExchange));
    });
    assert_eq!(stats.get(Counter::Tests), 2);
}
