// SPDX-License-Identifier: BSD-2-Clause

//! Heads of requests, and whole requests on the simulated link.

use std::time::Duration;

use http_fetch::{Buffers, HEAD_LEN, Head, MAX_HEADERS, Proxy, Target};
use proptest::prelude::*;
use resolver::Resolver;
use stats::{HttpClient as Counter, Writer};
use test_world::{Tasks, Wire, page};

const PORT: u16 = 3128;

#[test]
fn heads_are_read() {
    let bytes =
        b"PUT http://a.test:81/x?y HTTP/1.1\r\nHost: other\r\nX-Note: n\r\nTE: trailers\r\n\
        Content-Length: 5\r\nProxy-Connection: keep-alive\r\n\r\nhello";
    let (head, length) = Head::parse(bytes).expect("a request").expect("whole");
    let target = Target {
        is_secure: false,
        authority: "a.test:81",
        host: "a.test",
        port: 81,
        path: "/x?y",
    };
    assert_eq!((head.target, head.body), (target, Some(5)));
    assert_eq!(head.headers, [("X-Note", "n"), ("Connection", "close")]);
    assert_eq!(&bytes[length..], b"hello");
    let whole = |head: &str| Head::parse(head.as_bytes()).map(|parsed| parsed.is_some());
    assert_eq!(whole("GET http://a/ HTTP/1.1\r\nX: y\r\n"), Ok(false));
    let many = "X: y\r\n".repeat(MAX_HEADERS);
    let long = format!("X: {}", "y".repeat(HEAD_LEN));
    for (line, headers, status) in [
        ("GET /x HTTP/1.1", "", 400),
        ("GET ftp://a/ HTTP/1.1", "", 400),
        ("GET http://a:99999/ HTTP/1.1", "", 400),
        ("GET http://[::1/ HTTP/1.1", "", 400),
        ("GET http://[::1]x/ HTTP/1.1", "", 400),
        ("GET http://a?x HTTP/1.1", "", 400),
        ("GET http:///x HTTP/1.1", "", 400),
        ("GET http://me:pass@a/ HTTP/1.1", "", 400),
        ("GET http://a/", "", 400),
        ("CONNECT a:443 HTTP/1.1", "", 501),
        ("GET http://a/ HTTP/1.1", &many, 431),
        ("GET http://a/ HTTP/1.1", &long, 431),
        ("GET http://a/ HTTP/1.1", "Content-Length: +1\r\n", 400),
        (
            "GET http://a/ HTTP/1.1",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            400,
        ),
        (
            "GET http://a/ HTTP/1.1",
            "Transfer-Encoding: chunked\r\n",
            411,
        ),
    ] {
        let head = format!("{line}\r\n{headers}\r\n");
        let refusal = Head::parse(head.as_bytes()).expect_err(&head);
        assert_eq!(refusal.status, status, "{line} {headers}");
    }
}

proptest! {
    #[test]
    fn any_head_is_taken(bytes in "(GET|PUT)? ?(http://)?[a-z@:/?#.]{0,9}( HTTP/1.1)?(\r\n[a-zA-Z-]{0,6}:?.{0,6}){0,4}(\r\n\r\n)?") {
        let _ = Head::parse(bytes.as_bytes());
    }
}

/// What a peer gets for `request`, when the server at port 80 of the test peer says `response` and
/// then ends the stream if `ends`. Returns the request at the server, and the response.
fn fetch(request: &str, response: &str, ends: bool) -> (String, String, Writer<Counter>) {
    let wire = Wire::simple();
    let net = wire.net();
    let stats = Writer::attach(page(), 0);
    let server = wire.listen(80);
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        let dns = Resolver::<_, 0>::new(&net, [], "").expect("a resolver");
        let proxy = Proxy {
            net: &net,
            dns,
            stats,
            trust: None,
        };
        net.serve::<2>(PORT, async |guest| {
            proxy.serve(guest, &mut Buffers::new()).await
        })
        .await;
    });
    tasks.run(&net);
    let peer = wire.connect(PORT);
    assert_eq!(peer.send(request.as_bytes()), request.len());
    let (mut asked, mut received, mut said) = (Vec::new(), Vec::new(), false);
    for _ in 0..1500 {
        tasks.run_until(&net, wire.time() + Duration::from_millis(10));
        asked.extend(server.recv());
        received.extend(peer.recv());
        if !said && asked.windows(4).any(|end| end == b"\r\n\r\n") {
            said = true;
            assert_eq!(server.send(response.as_bytes()), response.len());
            if ends {
                server.finish();
            }
        }
    }
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(asked), text(received), stats)
}

#[test]
fn a_request_and_its_response() {
    let (asked, received, stats) = fetch(
        "POST http://10.0.2.2/x HTTP/1.1\r\nHost: y\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhi",
        "HTTP/1.1 201 Created\r\nContent-Length: 3\r\nX-C: d\r\nConnection: keep-alive\r\n\r\nyes",
        false,
    );
    assert_eq!(
        asked,
        "POST /x HTTP/1.1\r\nHost: 10.0.2.2\r\nContent-Length: 2\r\nX-A: b\r\nConnection: close\r\n\r\nhi"
    );
    assert_eq!(
        received,
        "HTTP/1.1 201 \r\nContent-Length: 3\r\nX-C: d\r\nConnection: close\r\n\r\nyes"
    );
    let counts = [
        Counter::Requests,
        Counter::ResponsesGood,
        Counter::BytesIn,
        Counter::BytesOut,
    ];
    assert_eq!(counts.map(|counter| stats.get(counter)), [1, 1, 3, 2]);
}

#[test]
fn a_body_until_the_end_of_the_stream() {
    let get = "GET http://10.0.2.2/ HTTP/1.1\r\n\r\n";
    let (_, received, _) = fetch(get, "HTTP/1.0 404 No\r\n\r\nbody", true);
    assert_eq!(received, "HTTP/1.1 404 \r\nConnection: close\r\n\r\nbody");
}

#[test]
fn servers_that_make_no_sense_or_say_nothing() {
    let get = "GET http://10.0.2.2/ HTTP/1.1\r\n\r\n";
    for (response, status, counter) in [
        ("nonsense\r\n\r\n", 502, Counter::Failed),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            502,
            Counter::Failed,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nmore",
            502,
            Counter::Failed,
        ),
        ("HTTP/1.1 ", 504, Counter::TimedOut),
    ] {
        let (_, received, stats) = fetch(get, response, false);
        let begin = format!("HTTP/1.1 {status} ");
        assert!(received.starts_with(&begin), "{response:?}: {received:?}");
        assert_eq!(stats.get(counter), 1);
    }
}

#[test]
fn nobody_there_and_no_such_name() {
    for host in ["10.0.2.2:81", "no.such.name"] {
        let (_, received, _) = fetch(&format!("GET http://{host}/ HTTP/1.1\r\n\r\n"), "", false);
        assert!(received.starts_with("HTTP/1.1 502 "), "{received:?}");
    }
}
