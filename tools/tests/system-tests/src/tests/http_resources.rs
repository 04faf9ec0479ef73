// SPDX-License-Identifier: BSD-2-Clause
//! What the HTTP server serves.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use host_peer::contents;
use host_peer::http::{Connection, Response};
use serde_json::Value;

use crate::suite::{Test, test_list};
use crate::world::Sockets;

pub const TESTS: &[Test] = test_list![Sockets:
    http_index_is_a_page,
    http_file_is_not_sent_again_if_current,
    http_stats_are_json_and_grow,
    http_bytes_of_all_sizes,
    http_bytes_64_mib,
    http_head_has_no_body,
    http_unknown_path_is_404,
];

/// Expects a status.
pub fn expect_status(response: &Response, status: u16) -> Result<()> {
    ensure!(
        response.head.status == status,
        "status {} instead of {status}",
        response.head.status
    );
    Ok(())
}

fn http_index_is_a_page(world: &mut Sockets) -> Result<()> {
    let page = world.connect_http()?.get("/")?;
    expect_status(&page, 200)?;
    let kind = page.head.header("content-type").unwrap_or_default();
    ensure!(kind.starts_with("text/html"), "Content-Type is {kind:?}");
    let text = String::from_utf8(page.body).context("the page is not UTF-8")?;
    ensure!(text.trim_start().starts_with('<'), "no HTML: {text:.60}");
    Ok(())
}

/// A file of the image has a tag, and a client that has the file is told so (RFC 9110 section
/// 13.1.2).
fn http_file_is_not_sent_again_if_current(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    let first = connection.get("/")?;
    expect_status(&first, 200)?;
    let tag = first.head.header("etag").context("the page has no ETag")?;
    let again = |tag: &str| format!("GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n\r\n");
    connection.send(again(tag).as_bytes())?;
    let current = connection.response("GET")?;
    expect_status(&current, 304)?;
    ensure!(current.body.is_empty(), "304 with a body");
    connection.send(again("\"another\"").as_bytes())?;
    let other = connection.response("GET")?;
    expect_status(&other, 200)?;
    ensure!(other.body == first.body, "the page has changed");
    Ok(())
}

/// All numbers of a JSON value by the path that leads to them.
fn numbers(value: &Value, path: &str, found: &mut BTreeMap<String, f64>) {
    match value {
        Value::Number(number) => {
            found.insert(path.to_owned(), number.as_f64().unwrap_or_default());
        }
        Value::Object(members) => {
            for (key, member) in members {
                numbers(member, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(members) => {
            for (i, member) in members.iter().enumerate() {
                numbers(member, &format!("{path}/{i}"), found);
            }
        }
        _ => {}
    }
}

/// The counters that the server shows.
pub fn stats(world: &Sockets) -> Result<BTreeMap<String, f64>> {
    let response = world.connect_http()?.get("/stats.json")?;
    expect_status(&response, 200)?;
    let value: Value = serde_json::from_slice(&response.body).context("/stats.json is not JSON")?;
    let mut found = BTreeMap::new();
    numbers(&value, "", &mut found);
    Ok(found)
}

fn http_stats_are_json_and_grow(world: &mut Sockets) -> Result<()> {
    let before = stats(world)?;
    ensure!(before.values().any(|n| *n > 0.0), "all counters are zero");
    for _ in 0..10 {
        expect_status(&world.connect_http()?.get("/")?, 200)?;
    }
    let after = stats(world)?;
    for word in ["requests", "connections"] {
        let grew_by_ten = after.iter().any(|(path, n)| {
            path.contains("http_server")
                && path.contains(word)
                && n - before.get(path).copied().unwrap_or_default() >= 10.0
        });
        ensure!(
            grew_by_ten,
            "no counter of {word} grew by ten in ten requests: {after:?}"
        );
    }
    Ok(())
}

/// Gets /bytes/N and compares it as it comes.
pub fn get_bytes<S: std::io::Read + std::io::Write>(
    connection: &mut Connection<S>,
    size: u64,
) -> Result<()> {
    let path = format!("/bytes/{size}");
    connection.send(host_peer::http::get_request(&path).as_bytes())?;
    let mut at = 0;
    let mut expected = Vec::new();
    let head = connection
        .response_into("GET", |piece| {
            expected.resize(piece.len(), 0);
            contents::fill_pattern(at, &mut expected);
            contents::compare(&expected, piece)
                .with_context(|| format!("the piece from byte {at} on"))?;
            at += piece.len() as u64;
            Ok(())
        })
        .with_context(|| path.clone())?;
    ensure!(head.status == 200, "{path}: status {}", head.status);
    ensure!(at == size, "{path}: {at} bytes");
    Ok(())
}

fn http_bytes_of_all_sizes(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    for size in [
        0, 1, 2, 1023, 1024, 1459, 1460, 4096, 65_535, 65_536, 65_537, 1_000_000,
    ] {
        get_bytes(&mut connection, size)?;
    }
    Ok(())
}

fn http_bytes_64_mib(world: &mut Sockets) -> Result<()> {
    get_bytes(&mut world.connect_http()?, 64 << 20)
}

fn http_head_has_no_body(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    connection.send(b"HEAD /bytes/1000 HTTP/1.1\r\nHost: isthmus\r\n\r\n")?;
    let response = connection.response("HEAD")?;
    expect_status(&response, 200)?;
    let length = response.head.header("content-length");
    ensure!(
        length == Some("1000"),
        "Content-Length of HEAD is {length:?}"
    );
    // A body that should not be there would stand before the next response.
    get_bytes(&mut connection, 10)
}

fn http_unknown_path_is_404(world: &mut Sockets) -> Result<()> {
    let mut connection = world.connect_http()?;
    for path in [
        "/no/such/page",
        "/index.html.bak",
        "/../etc/passwd",
        "/%2e%2e/x",
    ] {
        expect_status(&connection.get(path)?, 404).context(path)?;
    }
    // The connection is still good.
    expect_status(&connection.get("/")?, 200)
}
