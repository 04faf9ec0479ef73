// SPDX-License-Identifier: BSD-2-Clause
//! How long an HTTP connection lives, and what may be on it at once.

use anyhow::{Context, Result, ensure};
use host_peer::contents;

use super::http_resources::{expect_status, get_bytes};
use crate::suite::{Test, test_list};
use crate::world::Sockets;

pub const TESTS: &[Test] = test_list![Sockets:
    http_keep_alive_many_requests,
    http_pipelined_requests_in_order,
    http_request_in_single_bytes,
    http_1_0_closes,
    http_1_0_keep_alive_if_asked,
    http_connection_close_is_obeyed,
];

fn http_keep_alive_many_requests(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    for number in 0..500 {
        get_bytes(&mut connection, number * 7 % 3000)
            .with_context(|| format!("request {number}"))?;
    }
    Ok(())
}

fn http_pipelined_requests_in_order(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    let requests: String = (0..20)
        .map(|n| host_peer::http::get_request(&format!("/bytes/{}", n * 100 + 1)))
        .collect();
    connection.send(requests.as_bytes())?;
    for n in 0..20 {
        let response = connection
            .response("GET")
            .with_context(|| format!("response {n}"))?;
        expect_status(&response, 200)?;
        let mut expected = vec![0; n * 100 + 1];
        contents::fill_pattern(0, &mut expected);
        contents::compare(&expected, &response.body).with_context(|| format!("response {n}"))?;
    }
    Ok(())
}

fn http_request_in_single_bytes(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    for byte in host_peer::http::get_request("/bytes/5").as_bytes() {
        connection.send(&[*byte])?;
    }
    let response = connection.response("GET")?;
    expect_status(&response, 200)?;
    ensure!(response.body.len() == 5, "{} bytes", response.body.len());
    Ok(())
}

fn http_1_0_closes(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    connection.send(b"GET /bytes/100 HTTP/1.0\r\n\r\n")?;
    let response = connection.response("GET")?;
    expect_status(&response, 200)?;
    ensure!(response.body.len() == 100, "{} bytes", response.body.len());
    let rest = connection.rest().context("the server does not close")?;
    ensure!(rest.is_empty(), "{} bytes behind the response", rest.len());
    Ok(())
}

/// HTTP/1.0 has no persistent connections unless both say so (RFC 9112 section 9.3): the server
/// may agree or close, but it must do what it says.
fn http_1_0_keep_alive_if_asked(world: &mut Sockets) -> Result<()> {
    const REQUEST: &[u8] = b"GET /bytes/3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let mut connection = world.connect_http()?;
    connection.send(REQUEST)?;
    let response = connection.response("GET")?;
    expect_status(&response, 200)?;
    let agreed = response
        .head
        .header("connection")
        .is_some_and(|value| value.eq_ignore_ascii_case("keep-alive"));
    if agreed {
        connection.send(REQUEST)?;
        expect_status(&connection.response("GET")?, 200)
    } else {
        let rest = connection.rest().context("neither kept nor closed")?;
        ensure!(rest.is_empty(), "{} bytes behind the response", rest.len());
        Ok(())
    }
}

fn http_connection_close_is_obeyed(world: &mut Sockets) -> Result<()> {
    for option in ["close", "TE, close"] {
        let mut connection = world.connect_http()?;
        let request = format!("GET /bytes/100 HTTP/1.1\r\nHost: x\r\nConnection: {option}\r\n\r\n");
        connection.send(request.as_bytes())?;
        let response = connection.response("GET")?;
        expect_status(&response, 200)?;
        ensure!(
            response.head.closes(),
            "the response does not say that the connection closes"
        );
        let rest = connection.rest().context("the server does not close")?;
        ensure!(rest.is_empty(), "{} bytes behind the response", rest.len());
    }
    Ok(())
}
