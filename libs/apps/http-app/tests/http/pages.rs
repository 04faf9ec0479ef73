// SPDX-License-Identifier: BSD-2-Clause

//! What well-behaved clients get.

use http_app::{Ended, pattern};
use stats::HttpServer;

use super::peer::{INDEX, LARGE, TestPeer, Then, site};

const GET_INDEX: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn a_connection_serves_one_request_after_the_other_with_one_call_each() {
    let site = site();
    let client = TestPeer::sending(
        &[
            GET_INDEX,
            b"HEAD /large.txt HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /?query=1 HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"1234\"\r\n\r\n",
            b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /bytes/1024 HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
        Then::Ends,
    );
    assert_eq!(client.run(&site), Ended::Closed);
    assert!(client.finished.get());
    assert_eq!(client.sends_seen.get(), 5);
    let responses = client.responses(&["GET", "HEAD", "GET", "GET", "GET"]);
    let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    assert_eq!(statuses, [200, 200, 304, 404, 200]);
    assert_eq!(responses[0].body, INDEX);
    assert_eq!(
        responses[0].field("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(responses[1].field("content-length"), Some("50000"));
    assert_eq!(responses[2].field("etag"), Some("\"1234\""));
    assert_eq!(responses[4].body.len(), 1024);
    for response in &responses {
        assert_eq!(response.field("connection"), Some("keep-alive"));
    }
    assert_eq!(site.stats.get(HttpServer::Requests), 5);
    assert_eq!(site.stats.get(HttpServer::Responses2xx), 3);
    assert_eq!(site.stats.get(HttpServer::Responses3xx), 1);
    assert_eq!(site.stats.get(HttpServer::Responses4xx), 1);
    let sent = client.received.borrow().len() as u64;
    assert_eq!(site.stats.get(HttpServer::BytesOut), sent);
}

#[test]
fn http_1_0_and_connection_close_get_one_response() {
    for request in [
        &b"GET / HTTP/1.0\r\n\r\n"[..],
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: TE, close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: TE\r\nConnection: Close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: TE, close\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let client = TestPeer::sending(&[request, GET_INDEX], Then::Waits);
        assert_eq!(client.run(&site()), Ended::Closed);
        let responses = client.responses(&["GET"]);
        assert_eq!(responses[0].body, INDEX);
        assert_eq!(responses[0].field("connection"), Some("close"));
        assert!(client.finished.get());
    }
}

#[test]
fn a_client_whose_turn_is_over_is_told_so_with_a_response() {
    for requests in [
        &[GET_INDEX; 5][..],
        &[&GET_INDEX.repeat(5)],
        &[&b"GET /bytes/300000 HTTP/1.1\r\nHost: x\r\n\r\n".repeat(5)],
    ] {
        let site = site();
        let client = TestPeer::sending(requests, Then::Waits)
            .reading(Some(700))
            .with_turn(3);
        assert_eq!(client.run(&site), Ended::Closed);
        let responses = client.responses(&["GET"; 5]);
        let connection: Vec<_> = responses
            .iter()
            .map(|response| response.field("connection").unwrap())
            .collect();
        assert_eq!(connection, ["keep-alive", "keep-alive", "close"]);
        assert!(responses.iter().all(|response| response.status == 200));
        assert_eq!(site.stats.get(HttpServer::Requests), 3);
        assert!(client.finished.get());
    }
}

#[test]
fn requests_may_come_in_pieces_or_all_at_once() {
    let bytes: Vec<&[u8]> = GET_INDEX.chunks(1).collect();
    let client = TestPeer::sending(&bytes, Then::Ends);
    assert_eq!(client.run(&site()), Ended::Closed);
    assert_eq!(client.responses(&["GET"])[0].body, INDEX);

    let many = GET_INDEX.repeat(40);
    let client = TestPeer::sending(&[&many], Then::Ends);
    assert_eq!(client.run(&site()), Ended::Closed);
    let responses = client.responses(&["GET"; 40]);
    assert!(responses.iter().all(|response| response.body == INDEX));
    assert_eq!(responses.len(), 40);
}

#[test]
fn bodies_arrive_whole_however_slowly_they_are_read() {
    for (len, reads) in [
        (0, 1),
        (1, 1),
        (1025, 3),
        (5_000, 1),
        (5_000, 700),
        (100_000, 999),
        (100_000, 40_000),
        (3_000_000, 100_000),
    ] {
        let request = format!(
            "GET /bytes/{len} HTTP/1.1\r\nHost: x\r\n\r\nGET /large.txt HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        let client = TestPeer::sending(&[request.as_bytes()], Then::Ends).reading(Some(reads));
        assert_eq!(client.run(&site()), Ended::Closed);
        let responses = client.responses(&["GET", "GET"]);
        let mut expected = vec![0; len];
        pattern::fill(0, &mut expected);
        assert_eq!(
            responses[0].field("content-length"),
            Some(&*len.to_string())
        );
        assert!(
            responses[0].body == expected,
            "{len} bytes, {reads} at once"
        );
        assert_eq!(responses[1].body, LARGE);
    }
}

#[test]
fn a_large_body_takes_few_calls() {
    let client = TestPeer::sending(
        &[b"GET /bytes/1000000 HTTP/1.1\r\nHost: x\r\n\r\n"],
        Then::Ends,
    );
    client.run(&site());
    // The window of the test holds 32 KiB.
    assert!(client.sends_seen.get() <= 1_000_000 / (16 * 1024) + 2);
    assert_eq!(client.responses(&["GET"])[0].body.len(), 1_000_000);
}

#[test]
fn the_largest_body_can_be_asked_for_and_no_larger_one() {
    let client = TestPeer::sending(
        &[
            b"HEAD /bytes/1073741824 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /bytes/1073741825 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /bytes/99999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /bytes/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /bytes/+1 HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
        Then::Ends,
    );
    client.run(&site());
    let responses = client.responses(&["HEAD", "GET", "GET", "GET", "GET"]);
    assert_eq!(responses[0].field("content-length"), Some("1073741824"));
    let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    assert_eq!(statuses, [200, 400, 400, 404, 404]);
}

#[test]
fn the_counters_of_all_pds_are_valid_json() {
    let client = TestPeer::sending(
        &[
            GET_INDEX,
            b"GET /stats.json HTTP/1.1\r\nHost: x\r\n\r\n",
            b"HEAD /stats.json HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
        Then::Ends,
    )
    .reading(Some(300));
    client.run(&site());
    let responses = client.responses(&["GET", "GET", "HEAD"]);
    assert_eq!(responses[1].field("content-type"), Some("application/json"));
    assert_eq!(responses[1].field("cache-control"), Some("no-store"));
    let stats: serde_json::Value = serde_json::from_slice(&responses[1].body).unwrap();
    assert_eq!(stats["hostname"], "is\"thmus");
    assert_eq!(stats["address"], "10.0.2.15/24");
    assert_eq!(stats["gateway"], "10.0.2.2");
    assert_eq!(stats["now_ns"], 3_000_000_000u64);
    assert_eq!(stats["tick_hz"], 62_500_000);
    let driver = &stats["pds"]["net_driver"];
    assert_eq!(driver["state"], "up");
    assert_eq!(driver["uptime_ns"], 2_000_000_000u64);
    assert_eq!(driver["counters"]["starts"], 1);
    assert_eq!(driver["counters"]["rx_frames"], 17);
    assert_eq!(driver["counters"]["mac_address"], "52:54:00:12:34:56");
    assert_ne!(stats["pds"]["console"]["state"], "up");
    assert_eq!(stats["pds"]["http_server"]["counters"]["requests"], 2);
    assert_eq!(stats["pds"]["http_server"]["counters"]["responses_2xx"], 2);
}
