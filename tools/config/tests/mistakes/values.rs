// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes in net.toml alone.

use crate::sample::{CONFIG, SYSTEM, errors, expect};

#[test]
fn form() {
    let expect = |from: &str, to: &str, at, words: &str| expect("net.toml", from, to, at, words);
    expect("gateway =", "gatway =", (4, 1), "unknown field `gatway`");
    expect("[buffers]", "[bufers]", (6, 2), "unknown field `bufers`");
    expect("slot = 1", "slots = 1", (20, 1), "unknown field `slots`");
    expect(
        "gateway = \"10.0.2.2\"\n",
        "",
        (1, 1),
        "missing field `gateway`",
    );
    expect("slot = 1\n", "", (19, 1), "missing field `slot`");
    expect("slot = 1", "slot = \"one\"", (20, 8), "invalid type");
    expect("slot = 1", "slot = -1", (20, 8), "invalid value");
    expect("slot = 1", "slot = ", (20, 8), "");
    expect("slot = 1", "slot = 1\nslot = 1", (21, 1), "duplicate key");
    expect(
        "stream_receive = 65536",
        "stream_receive = 99999999999",
        (7, 18),
        "invalid value",
    );
}

#[test]
fn interface() {
    let expect = |from: &str, to: &str, at, words: &str| expect("net.toml", from, to, at, words);
    expect("\"isthmus\"", "\"-isthmus\"", (2, 12), "no host name");
    expect("\"isthmus\"", "\"ist hmus\"", (2, 12), "no host name");
    expect(
        "10.0.2.15/24",
        "10.0.2.15",
        (3, 11),
        "no IPv4 address with a prefix",
    );
    expect(
        "10.0.2.15/24",
        "10.0.2.256/24",
        (3, 11),
        "no IPv4 address with a prefix",
    );
    expect("10.0.2.15/24", "10.0.2.15/31", (3, 11), "prefix of 31 bits");
    expect(
        "10.0.2.15/24",
        "10.0.2.255/24",
        (3, 11),
        "broadcast address",
    );
    expect("10.0.2.15/24", "10.0.2.0/24", (3, 11), "the network itself");
    expect("10.0.2.15/24", "10.0.2.2/24", (4, 11), "own address");
    expect(
        "\"10.0.2.2\"",
        "\"10.0.3.2\"",
        (4, 11),
        "outside the network 10.0.2.0/24",
    );
    expect(
        "\"10.0.2.2\"",
        "\"10.0.2.255\"",
        (4, 11),
        "broadcast address",
    );
    expect("\"10.0.2.2\"", "\"ten\"", (4, 11), "no IPv4 address");
}

#[test]
fn clients() {
    let expect = |from: &str, to: &str, at, words: &str| expect("net.toml", from, to, at, words);
    expect("[80, \"8000-8010\"]", "[0]", (23, 15), "invalid value");
    expect("\"8000-8010\"", "\"8010-8000\"", (23, 19), "invalid value");
    expect(
        "[80, \"8000-8010\"]",
        "[80, 7]",
        (23, 19),
        "TCP port 7 clashes with 7 of echo in line 16",
    );
    expect(
        "[80, \"8000-8010\"]",
        "[80, \"70-90\"]",
        (23, 19),
        "clashes with 80 of web in line 23",
    );
    expect(
        "[80, \"8000-8010\"]",
        "[1,2,3,4,5,6,80,8,9]",
        (23, 32),
        "too many ports",
    );
    expect("10.0.2.2:*", "10.0.2.2", (24, 16), "no destination");
    expect(
        "datagram_sockets = 2",
        "datagram_sockets = 0",
        (15, 20),
        "no datagram sockets",
    );
    expect(
        "datagram_receive = 8192",
        "datagram_receive = 100",
        (9, 20),
        "a buffer of 100 bytes",
    );
    expect(
        "stream_send = 65536",
        "stream_send = 1048576",
        (7, 18),
        "20 stream sockets, 64 connections that are closing and 2 datagram sockets need 96751616 bytes",
    );
}

#[test]
fn too_many_sockets_for_a_page_and_for_the_heap() {
    let many = errors(
        &CONFIG.replace("datagram_sockets = 2", "datagram_sockets = 1000"),
        SYSTEM,
    );
    let places: Vec<_> = many.iter().map(|e| (e.line, e.column)).collect();
    assert_eq!(places, [(7, 18), (14, 18)]);
    assert!(many[1].help.contains("at most 880 sockets"));
}

#[test]
fn slots() {
    expect(
        "net.toml",
        "slot = 1",
        "slot = 0",
        (20, 8),
        "slot 0 is taken by echo in line 13",
    );
    expect(
        "net.toml",
        "slot = 1",
        "slot = 8",
        (20, 8),
        "slot 8: net_server has slots 0 to 7",
    );
}

/// Names in another order than that of the alphabet.
#[test]
fn of_two_that_clash_the_second_is_blamed() {
    let zoo = |config: &str| {
        let found = errors(
            &config.replace("echo", "zoo"),
            &SYSTEM.replace("echo", "zoo"),
        );
        found
            .into_iter()
            .map(|error| (error.line, error.message))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        zoo(&CONFIG.replace("slot = 1", "slot = 0")),
        [(20, "slot 0 is taken by zoo in line 13".to_string())]
    );
    assert_eq!(
        zoo(&CONFIG.replace("[80, ", "[7, ")),
        [(
            23,
            "TCP port 7 clashes with 7 of zoo in line 16".to_string()
        )]
    );
}
