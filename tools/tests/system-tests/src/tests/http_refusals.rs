// SPDX-License-Identifier: BSD-2-Clause
//! Requests that are wrong: each gets a 4xx or a close, and others do not notice.

use anyhow::{Context, Result, ensure};
use host_peer::http::Connection;

use super::echoing::is_disconnection;
use super::http_resources::{expect_status, get_bytes};
use crate::suite::{Test, test_list};
use crate::world::Sockets;

pub const TESTS: &[Test] = test_list![Sockets:
    http_malformed_requests_are_refused,
    http_oversized_header_is_refused,
    http_malformed_heads_hide_no_request,
    lengths_that_contradict_are_refused_at_once,
    http_half_sent_request_is_dropped,
    http_silent_connection_disturbs_nobody,
    http_too_many_bytes_are_refused,
];

const MALFORMED: [&[u8]; 8] = [
    b"\r\n\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GE\x00T / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nNo colon here\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS \r\n\r\n",
    b"NOSUCHMETHOD / HTTP/1.1\r\nHost: x\r\n\r\n",
];

/// Expects a 4xx or 5xx response or the end of the connection.
fn expect_refusal<S: std::io::Read + std::io::Write>(connection: &mut Connection<S>) -> Result<()> {
    let answer = match connection.rest() {
        Ok(answer) => answer,
        Err(error) => {
            let kind = error
                .downcast_ref::<std::io::Error>()
                .map(std::io::Error::kind);
            ensure!(
                kind.is_some_and(is_disconnection),
                "neither refused nor closed: {error:#}"
            );
            return Ok(());
        }
    };
    if answer.is_empty() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).unwrap_or_default();
    ensure!(
        text.starts_with("HTTP/1.") && (status.starts_with('4') || status.starts_with('5')),
        "not refused: {text:.60}"
    );
    Ok(())
}

/// Sends what is wrong; a server that closes while it is sent is right, too.
fn send_wrong(world: &Sockets, request: &[u8]) -> Result<()> {
    let mut connection = world.connect_http()?;
    let sent = connection.send(request);
    // Says that no more will come, so that what could be a beginning has to be judged.
    let _ = connection.stream().shutdown(std::net::Shutdown::Write);
    match sent {
        Ok(()) => expect_refusal(&mut connection),
        Err(_) => Ok(()),
    }
}

fn http_malformed_requests_are_refused(world: &mut Sockets) -> Result<()> {
    let mut bystander = world.connect_http()?;
    for request in MALFORMED {
        let shown = String::from_utf8_lossy(request).into_owned();
        send_wrong(world, request).with_context(|| format!("{shown:?}"))?;
        get_bytes(&mut bystander, 1000).context("another connection")?;
    }
    Ok(())
}

fn http_oversized_header_is_refused(world: &mut Sockets) -> Result<()> {
    let mut bystander = world.connect_http()?;
    let long_value = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "y".repeat(100_000)
    );
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "z".repeat(100_000));
    let many = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(20_000)
    );
    let endless = "G".repeat(200_000);
    for (name, request) in [
        ("a long value", long_value),
        ("a long path", long_path),
        ("many headers", many),
        ("no end of the method", endless),
    ] {
        send_wrong(world, request.as_bytes()).context(name)?;
        get_bytes(&mut bystander, 1000).context("another connection")?;
    }
    Ok(())
}

/// What follows is a body to one reader and a request to another: it must not be answered (RFC 9112
/// sections 5.1, 5.2 and 11.2).
fn expect_one_refusal(world: &Sockets, head: &[u8], status: &str) -> Result<()> {
    let mut connection = world.connect_http()?;
    let behind = host_peer::http::get_request("/bytes/7");
    connection.send(&[head, behind.as_bytes()].concat())?;
    let answer = connection.rest().context("the server does not close")?;
    let text = String::from_utf8_lossy(&answer);
    ensure!(
        text.starts_with(&format!("HTTP/1.1 {status}")),
        "not refused: {text:.60}"
    );
    ensure!(text.matches("HTTP/1.").count() == 1, "two answers: {text}");
    Ok(())
}

fn http_malformed_heads_hide_no_request(world: &mut Sockets) -> Result<()> {
    for head in [
        &b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 40\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent\0-Length: 40\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n \r\nContent-Length: 40\r\n\r\n",
    ] {
        let shown = String::from_utf8_lossy(head).into_owned();
        expect_one_refusal(world, head, "400").with_context(|| format!("{shown:?}"))?;
    }
    Ok(())
}

/// Neither of the bodies that were announced is sent.
fn lengths_that_contradict_are_refused_at_once(world: &mut Sockets) -> Result<()> {
    for (fields, status) in [
        ("Content-Length: 1000\r\nContent-Length: 0\r\n", "400"),
        ("Content-Length: 1000, 1000\r\n", "400"),
        (
            "Content-Length: 1000\r\nTransfer-Encoding: chunked\r\n",
            "400",
        ),
        ("Transfer-Encoding: chunked\r\n", "501"),
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        expect_one_refusal(world, head.as_bytes(), status).context(fields)?;
    }
    Ok(())
}

/// The server gives up on a request that does not go on, within the time that a read may take.
fn http_half_sent_request_is_dropped(world: &mut Sockets) -> Result<()> {
    let mut half = world.connect_http()?;
    half.send(b"GET / HTTP/1.1\r\nHost: isth")?;
    for _ in 0..5 {
        get_bytes(&mut world.connect_http()?, 5000).context("another connection meanwhile")?;
    }
    expect_refusal(&mut half).context("the half-sent request")
}

fn http_silent_connection_disturbs_nobody(world: &mut Sockets) -> Result<()> {
    let mut silent = Vec::new();
    for _ in 0..16 {
        silent.push(world.connect_http()?);
        get_bytes(&mut world.connect_http()?, 2000)?;
    }
    Ok(())
}

fn http_too_many_bytes_are_refused(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    for path in [
        "/bytes/1073741825",
        "/bytes/18446744073709551616",
        "/bytes/-1",
        "/bytes/0x10",
        "/bytes/",
        "/bytes/1/2",
    ] {
        let response = connection.get(path)?;
        ensure!(
            (400..500).contains(&response.head.status),
            "{path}: status {}",
            response.head.status
        );
    }
    expect_status(&connection.get("/")?, 200)
}
