// SPDX-License-Identifier: BSD-2-Clause

//! Commands and their replies, and the store against a map.

use std::collections::HashMap;

use key_value_service::{
    Full, MAX_ARGUMENTS, ProtocolError, REQUEST_LEN, Reply, Service, Store, parse,
};
use proptest::prelude::*;
use socket_client::Instant;
use stats::{KeyValue, Writer};
use test_world::page;

const SECOND: u64 = 1_000_000_000;

struct Session {
    service: Service,
    now: Instant,
    reply: Reply,
}

impl Session {
    fn new(blocks: usize) -> Self {
        let store = Store::new(blocks, (1, 2));
        Session {
            service: Service::new(store, Writer::attach(page(), 0)),
            now: Instant::from_nanos(SECOND),
            reply: Reply::new(),
        }
    }

    /// Returns the reply to a command.
    fn say(&mut self, words: &[&str]) -> String {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.reply.clear();
        self.service
            .answer(&words, self.now, &mut self.reply)
            .expect("room");
        String::from_utf8(self.reply.bytes().to_vec()).expect("text")
    }

    /// Checks commands, words with spaces in between, with their replies.
    #[track_caller]
    fn check(&mut self, expected: &[(&str, &str)]) {
        for (command, reply) in expected {
            let words: Vec<&str> = command.split(' ').collect();
            assert_eq!(self.say(&words), *reply, "{command}");
        }
    }
}

#[test]
fn values() {
    let mut session = Session::new(100);
    session.check(&[
        ("GET a", "$-1\r\n"),
        ("set a 1", "+OK\r\n"),
        ("GET a", "$1\r\n1\r\n"),
        ("SET a 2 NX", "$-1\r\n"),
        ("SET b 2 XX", "$-1\r\n"),
        ("SET a two xx", "+OK\r\n"),
        ("STRLEN a", ":3\r\n"),
        ("MSET a 1 b 2 a 3", "+OK\r\n"),
        ("MGET a b c", "*3\r\n$1\r\n3\r\n$1\r\n2\r\n$-1\r\n"),
        ("EXISTS a b c a", ":3\r\n"),
        ("DBSIZE", ":2\r\n"),
        ("DEL a c a", ":1\r\n"),
        ("KEYS *", "*1\r\n$1\r\nb\r\n"),
        ("KEYS a*", "*0\r\n"),
        ("FLUSHALL", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
    ]);
}

#[test]
fn numbers() {
    let mut session = Session::new(100);
    let not_a_number = "-ERR value is not an integer or out of range\r\n";
    let overflow = "-ERR increment or decrement would overflow\r\n";
    session.check(&[
        ("INCR n", ":1\r\n"),
        ("INCRBY n 41", ":42\r\n"),
        ("DECR n", ":41\r\n"),
        ("DECRBY n 50", ":-9\r\n"),
        ("GET n", "$2\r\n-9\r\n"),
        ("INCRBY n x", not_a_number),
        ("SET n 9223372036854775807", "+OK\r\n"),
        ("INCR n", overflow),
        ("DECRBY n -9223372036854775808", overflow),
        ("SET n 1.5", "+OK\r\n"),
        ("INCR n", not_a_number),
        ("SET n 123456789012345678901", "+OK\r\n"),
        ("INCR n", not_a_number),
    ]);
}

#[test]
fn times() {
    let mut session = Session::new(100);
    session.check(&[
        ("TTL a", ":-2\r\n"),
        ("SET a 1", "+OK\r\n"),
        ("TTL a", ":-1\r\n"),
        ("PERSIST a", ":0\r\n"),
        ("EXPIRE a 10", ":1\r\n"),
        ("EXPIRE b 10", ":0\r\n"),
        ("TTL a", ":10\r\n"),
        ("PTTL a", ":10000\r\n"),
        // A number that is counted up keeps its time.
        ("INCR a", ":2\r\n"),
        ("SET b 1 PX 1500", "+OK\r\n"),
        ("SET b 1 EX 0", "-ERR invalid expire time\r\n"),
        (
            "SET b 1 EX 9223372036854775807",
            "-ERR invalid expire time\r\n",
        ),
        ("SET b 1 EX 1 PX 1", "-ERR syntax error\r\n"),
        ("SET c 1 EX 10", "+OK\r\n"),
        ("PERSIST c", ":1\r\n"),
        ("EXPIRE c -1", ":1\r\n"),
        ("GET c", "$-1\r\n"),
    ]);
    session.now = Instant::from_nanos(SECOND + 2 * SECOND);
    session.check(&[
        ("GET b", "$-1\r\n"),
        ("TTL a", ":8\r\n"),
        ("DBSIZE", ":1\r\n"),
    ]);
    session.now = Instant::from_nanos(SECOND + 10 * SECOND);
    session.check(&[("DBSIZE", ":0\r\n"), ("EXISTS a", ":0\r\n")]);
}

#[test]
fn what_tools_ask_first() {
    let mut session = Session::new(2);
    session.check(&[
        ("PING", "+PONG\r\n"),
        ("PING x", "$1\r\nx\r\n"),
        ("ECHO x", "$1\r\nx\r\n"),
        ("COMMAND DOCS", "*0\r\n"),
        ("CONFIG GET save", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
        ("config get max*", "*2\r\n$9\r\nmaxmemory\r\n$3\r\n120\r\n"),
        ("CONFIG GET nothing", "*0\r\n"),
        ("SELECT 0", "+OK\r\n"),
        ("SELECT 1", "-ERR DB index is out of range\r\n"),
        ("GET", "-ERR wrong number of arguments\r\n"),
        ("MSET a", "-ERR wrong number of arguments\r\n"),
        ("LPUSH a 1", "-ERR unknown command\r\n"),
        ("averyveryverylongcommand", "-ERR unknown command\r\n"),
    ]);
    assert!(session.say(&["INFO"]).contains("\r\nmaxmemory:120\r\n"));
}

#[test]
fn memory_ends_with_an_error_and_nothing_lost() {
    let mut session = Session::new(4);
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    let long = "x".repeat(119);
    assert_eq!(session.say(&["SET", "a", &long]), "+OK\r\n");
    // The new value has to fit beside the old one.
    assert_eq!(session.say(&["SET", "a", &"y".repeat(200)]), oom);
    assert_eq!(session.say(&["GET", "a"]), format!("$119\r\n{long}\r\n"));
    assert_eq!(session.say(&["MSET", "b", "1", "c", "2", "d", "3"]), oom);
    session.check(&[
        ("EXISTS b c d", ":0\r\n"),
        ("MSET b 1 c 2", "+OK\r\n"),
        ("INCR d", oom),
        ("EXPIRE b 1", ":1\r\n"),
    ]);
    // What has expired makes room.
    session.now = Instant::from_nanos(3 * SECOND);
    session.check(&[("INCR d", ":1\r\n"), ("EXISTS a b c d", ":3\r\n")]);
    assert_eq!(session.service.stats().get(KeyValue::OutOfMemory), 3);
    assert_eq!(session.service.stats().get(KeyValue::Memory), 240);
}

#[test]
fn replies_that_do_not_fit() {
    let mut session = Session::new(1000);
    let long = "x".repeat(5000);
    assert_eq!(session.say(&["SET", "a", &long]), "+OK\r\n");
    assert_eq!(session.say(&["GET", "a"]).len(), 5000 + 9);
    // Beside that one there is no room: nothing of the second reply is left.
    let words: [&[u8]; 2] = [b"GET", b"a"];
    let again = session
        .service
        .answer(&words, session.now, &mut session.reply);
    assert_eq!((again, session.reply.bytes().len()), (Err(Full), 5009));
    // There never is room for two of them.
    session.check(&[("MGET a a", "-ERR reply too long\r\n")]);
}

#[test]
fn commands_are_found() {
    let words = |bytes| {
        let (command, length) = parse(bytes).expect("well-formed").expect("whole");
        let words = command
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned());
        (words.collect::<Vec<_>>().join(" "), length)
    };
    let array = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1";
    assert_eq!(words(array), ("GET a".into(), 20));
    assert_eq!(words(b" ping  x \r\n*"), ("ping x".into(), 11));
    assert_eq!(words(b"\n"), (String::new(), 1));
    assert_eq!(words(b"*0\r\n"), (String::new(), 4));
    for (bytes, error) in [
        (&b"*x\r\n"[..], ProtocolError::Length),
        (b"*-1\r\n", ProtocolError::Length),
        (b"*65\r\n", ProtocolError::TooLong),
        (b"*1\r\n+OK\r\n", ProtocolError::String),
        (b"*1\r\n$2\r\nabc\r\n", ProtocolError::String),
        (b"*1\r\n$4294967295\r\n", ProtocolError::TooLong),
        (b"*1\r\n$8200\r\n", ProtocolError::TooLong),
    ] {
        assert_eq!(parse(bytes), Err(error), "{}", bytes.escape_ascii());
    }
    assert_eq!(parse(&[b'a'; REQUEST_LEN]), Err(ProtocolError::TooLong));
    assert_eq!(parse(&[b'a'; REQUEST_LEN - 1]), Ok(None));
}

fn encode(words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).into_bytes());
        bytes.extend(word);
        bytes.extend(b"\r\n");
    }
    bytes
}

proptest! {
    #[test]
    fn parse_takes_anything(bytes in proptest::collection::vec(prop_oneof![
        Just(b'*'), Just(b'$'), Just(b'\r'), Just(b'\n'), b'0'..=b'9', any::<u8>(),
    ], 0..200)) {
        if let Ok(Some((command, length))) = parse(&bytes) {
            prop_assert!(length <= bytes.len() && command.len() <= MAX_ARGUMENTS);
        }
    }

    #[test]
    fn commands_round_trip_however_they_are_cut(
        words in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..8),
        cut in 0.0..1.0,
    ) {
        let bytes = encode(&words);
        let cut = (bytes.len() as f64 * cut) as usize;
        prop_assert_eq!(parse(&bytes[..cut]), Ok(None));
        let (command, length) = parse(&bytes).unwrap().unwrap();
        prop_assert_eq!(length, bytes.len());
        prop_assert_eq!(command.as_slice(), words.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }

    #[test]
    fn the_store_is_a_map_with_limits(steps in proptest::collection::vec(
        (0..5u8, 0..6usize, 0..200usize, 0..5u64), 1..200,
    )) {
        let keys = ["", "a", "b", "key", &"k".repeat(60), &"k".repeat(61)];
        let mut store = Store::new(12, (3, 4));
        let mut model = HashMap::<&str, (Vec<u8>, u64)>::new();
        let mut now = 0;
        for (what, key, len, time) in steps {
            let (key, instant) = (keys[key], Instant::from_nanos(now));
            model.retain(|_, (_, expires)| *expires > now);
            match what {
                0 | 1 => {
                    let value = vec![len as u8; len];
                    let at = if what == 0 { u64::MAX } else { now + time };
                    let expires = Some(Instant::from_nanos(at));
                    if store.set(key.as_bytes(), &value, expires, instant).is_ok() {
                        model.insert(key, (value, at));
                    }
                }
                2 => prop_assert_eq!(store.remove(key.as_bytes(), instant), model.remove(key).is_some()),
                3 => now += time,
                _ => {
                    store.sweep(instant);
                    prop_assert_eq!(store.len(), model.len());
                    prop_assert_eq!(store.keys().count(), model.len());
                }
            }
            let instant = Instant::from_nanos(now);
            model.retain(|_, (_, expires)| *expires > now);
            for key in keys {
                let value = store.get(key.as_bytes(), instant).map(|value| value.copy::<256>());
                let expected = model.get(key).map(|(value, _)| value.as_slice());
                prop_assert_eq!(value.as_ref().map(|value| value.as_deref().unwrap()), expected);
            }
            let blocks: usize = model.iter().map(|(key, (value, _))| (key.len() + value.len()).div_ceil(60).max(1)).sum();
            store.sweep(instant);
            prop_assert_eq!(store.used(), blocks * 60);
        }
    }
}
