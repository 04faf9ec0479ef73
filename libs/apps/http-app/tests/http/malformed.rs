// SPDX-License-Identifier: BSD-2-Clause

//! What others get: a status and a close, in bounded time, and never a panic.

use http_app::{BUFFER_LEN, Ended};
use proptest::prelude::*;
use stats::HttpServer;

use super::peer::{INDEX, TestPeer, Then, site};

const GET_INDEX: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn refused_requests_end_the_connection_and_what_follows_is_not_served() {
    for (request, status) in [
        (&b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"[..], 405),
        (b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        (b"GET / FTP\r\nHost: x\r\n\r\n", 400),
        (b"GET index.html HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551610\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            501,
        ),
    ] {
        let site = site();
        let client = TestPeer::sending(&[request, GET_INDEX], Then::Waits);
        let name = String::from_utf8_lossy(request);
        assert_eq!(client.run(&site), Ended::Closed, "{name}");
        let responses = client.responses(&["GET"]);
        assert_eq!(responses[0].status, status, "{name}");
        assert_eq!(responses[0].field("connection"), Some("close"), "{name}");
        assert_eq!(responses[0].field("allow").is_some(), status == 405);
        assert!(!responses[0].body.is_empty());
        assert!(client.finished.get());
        let counted = site.stats.get(HttpServer::Responses4xx) + site.stats.get(HttpServer::Responses5xx);
        assert_eq!(counted, 1, "{name}");
    }
}

#[test]
fn a_refused_head_request_gets_no_body() {
    let client = TestPeer::sending(&[b"HEAD / HTTP/1.1\r\n\r\n"], Then::Waits);
    client.run(&site());
    assert_eq!(client.responses(&["HEAD"])[0].status, 400);
}

#[test]
fn what_is_no_request_gets_400() {
    let long_line = [b"GET /", &[b'a'; BUFFER_LEN][..], b" HTTP/1.1\r\n\r\n"].concat();
    let many_fields = [
        &b"GET / HTTP/1.1\r\nHost: x\r\n"[..],
        &b"Field: value\r\n".repeat(BUFFER_LEN / 14),
        b"\r\n",
    ]
    .concat();
    for request in [
        &b"\r\n\r\n"[..],
        b"hello\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1 more\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"\xff\xfe\xfd\n\n",
        &[0; 20_000],
        &long_line,
        &many_fields,
        // Ended in the middle.
        b"GET / HTTP/1.1\r\nHo",
        b"GET",
    ] {
        let site = site();
        let client = TestPeer::sending(&[request], Then::Ends);
        let name = String::from_utf8_lossy(&request[..request.len().min(40)]).into_owned();
        assert_eq!(client.run(&site), Ended::Malformed, "{name}");
        let responses = client.responses(&["GET"]);
        assert_eq!(responses[0].status, 400, "{name}");
        assert_eq!(responses[0].field("connection"), Some("close"));
        assert!(client.finished.get(), "{name}");
        assert_eq!(site.stats.get(HttpServer::Responses4xx), 1);
    }
}

#[test]
fn heads_that_others_may_read_differently_are_no_requests_and_nothing_behind_them_is() {
    for head in [
        // RFC 9112 section 5.2: folded lines. 5.1: white space in front of the colon.
        &b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n folded\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\n Content-Length: 30\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 30\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding\t: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent\0-Length: 30\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\0Content-Length: 30\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n \r\nContent-Length: 30\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\t\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\x0c\r\n",
        b"GET / HTTP/1.1\r\nHost: x\rContent-Length: 30\r\n\r\n",
        b"GET\x0b/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
    ] {
        for at_once in [1, 10, 1000] {
            let site = site();
            let sent = [GET_INDEX, head, GET_INDEX].concat();
            let pieces: Vec<&[u8]> = sent.chunks(at_once).collect();
            let client = TestPeer::sending(&pieces, Then::Waits);
            let name = String::from_utf8_lossy(head).into_owned();
            assert_eq!(client.run(&site), Ended::Malformed, "{name:?}");
            let statuses: Vec<u16> = client
                .responses(&["GET"; 3])
                .iter()
                .map(|response| response.status)
                .collect();
            assert_eq!(statuses, [200, 400], "{name:?}");
            assert_eq!(client.elapsed.get(), 0, "{name:?}");
        }
    }
}

#[test]
fn a_refusal_does_not_wait_for_the_body() {
    for (fields, status) in [
        ("Content-Length: 30\r\nContent-Length: 31\r\n", 400),
        ("Content-Length: 31\r\nContent-Length: 0\r\n", 400),
        ("Content-Length: 30, 30\r\n", 400),
        ("Content-Length: 30\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        let client = TestPeer::sending(&[request.as_bytes()], Then::Waits);
        assert_eq!(client.run(&site()), Ended::Closed, "{fields}");
        assert_eq!(client.responses(&["GET"])[0].status, status, "{fields}");
        assert_eq!(client.elapsed.get(), 0, "{fields}");
    }
    let post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    let client = TestPeer::sending(&[post], Then::Waits);
    client.run(&site());
    assert_eq!(client.responses(&["POST"])[0].status, 405);
    assert_eq!(client.elapsed.get(), 0);
}

#[test]
fn a_request_that_does_not_go_on_is_dropped_in_time() {
    for request in [
        &b"GET / HTTP/1.1\r\nHo"[..],
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it",
    ] {
        let client = TestPeer::sending(&[request], Then::Waits);
        assert_ne!(client.run(&site()), Ended::Malformed);
        let mut responses = client.responses(&["GET"]);
        // The last one is complete but for a body that nobody asked for.
        if let Some(response) = responses.pop() {
            assert_eq!(response.body, INDEX);
        }
        assert_eq!(client.elapsed.get(), 10_000);
    }
    let silent = TestPeer::sending(&[], Then::Waits);
    assert_eq!(silent.run(&site()), Ended::Closed);
    assert!(silent.received.borrow().is_empty());
    assert_eq!(silent.elapsed.get(), 30_000);
    let idle = TestPeer::sending(&[GET_INDEX], Then::Waits);
    assert_eq!(idle.run(&site()), Ended::Closed);
    assert_eq!(idle.responses(&["GET"])[0].body, INDEX);
    assert_eq!(idle.elapsed.get(), 30_000);
    let reset = TestPeer::sending(&[b"GET / HTTP/1.1\r\nHo"], Then::Resets);
    assert_eq!(reset.run(&site()), Ended::Failed);
    assert_eq!(reset.elapsed.get(), 0);
}

#[test]
fn a_client_that_does_not_read_is_dropped_in_time() {
    for request in [
        &b"GET /bytes/1000000 HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        &GET_INDEX.repeat(50),
    ] {
        let client = TestPeer::sending(&[request], Then::Waits).reading(None);
        assert_eq!(client.run(&site()), Ended::Failed);
        assert_eq!(client.received.borrow().len(), 1000);
        // The time of a write, and a second for what is left.
        assert!((30_000..=31_000).contains(&client.elapsed.get()));
    }
}

const PIECES: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\n",
    b"HEAD /bytes/70 HTTP/1.1\r\n",
    b"Host: x\r\n",
    b"\r\n",
    b"Content-Length: 7\r\n",
    b"Content-Length: 18446744073709551600\r\n",
    b"Connection: upgrade\r\nUpgrade: x\r\n",
    b"\0\0\0:\0\r\n",
    b" folded: x\r\n",
    b": \r\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Pieces of requests and garbage in any order: the server always comes to an end, and a
    /// request behind them on another connection is served.
    #[test]
    fn no_bytes_keep_the_server_from_ending(
        pieces in prop::collection::vec(
            prop::sample::select(PIECES),
            0..12,
        ),
        garbage in prop::collection::vec(any::<u8>(), 0..300),
        repeat in 1usize..400,
        at in any::<prop::sample::Index>(),
        then in prop_oneof![Just(Then::Ends), Just(Then::Waits), Just(Then::Resets)],
        reads in prop::option::of(1usize..3000),
    ) {
        let mut pieces = pieces;
        let garbage = garbage.repeat(repeat.min(40));
        pieces.insert(at.index(pieces.len() + 1), &garbage);
        let site = site();
        TestPeer::sending(&pieces, then).reading(reads).run(&site);
        let next = TestPeer::sending(&[GET_INDEX], Then::Ends);
        prop_assert_eq!(next.run(&site), Ended::Closed);
        prop_assert_eq!(&next.responses(&["GET"])[0].body, INDEX);
    }
}
