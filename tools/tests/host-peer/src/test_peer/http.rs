// SPDX-License-Identifier: BSD-2-Clause
//! An HTTP server with the resources and the limits of the image's.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Flaw, hold_open_if, spoil};
use crate::contents;

/// The longest head of a request, bytes.
const MAX_HEAD: usize = 8 * 1024;
/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(2);
/// The page's tag.
const TAG: &str = "\"1\"";
/// The largest N of /bytes/N.
const MAX_BYTES: u64 = 1 << 30;

/// What /stats.json shows.
#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    connections: AtomicU64,
}

struct Request {
    method: String,
    path: String,
    keep: bool,
    if_none_match: Option<String>,
}

enum Next {
    Request(Request),
    /// The status to answer before the connection is closed.
    Refuse(u16),
    End,
}

pub(super) fn connection(
    mut stream: &TcpStream,
    flaw: Flaw,
    counters: &Counters,
) -> io::Result<()> {
    if flaw != Flaw::StuckCounters {
        counters.connections.fetch_add(1, Ordering::Relaxed);
    }
    if flaw != Flaw::NeverCloses {
        stream.set_read_timeout(Some(PATIENCE))?;
    }
    let mut buffer = Vec::new();
    loop {
        match next(stream, &mut buffer)? {
            Next::Request(request) => {
                if flaw != Flaw::StuckCounters {
                    counters.requests.fetch_add(1, Ordering::Relaxed);
                }
                answer(stream, &request, flaw, counters)?;
                if !request.keep && flaw != Flaw::NeverCloses {
                    break;
                }
            }
            Next::Refuse(status) => {
                let status = if flaw == Flaw::AcceptsAnything {
                    200
                } else {
                    status
                };
                write!(
                    stream,
                    "HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )?;
                break;
            }
            Next::End => break,
        }
    }
    hold_open_if(flaw);
    stream.shutdown(std::net::Shutdown::Write)?;
    // Let the peer read the answer before a reset because of unread bytes can overtake it.
    while stream.read(&mut [0; 4096])? > 0 {}
    Ok(())
}

fn next(mut stream: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<Next> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(buffer) {
            Err(_) => return Ok(Next::Refuse(400)),
            Ok(httparse::Status::Complete(len)) => {
                let field = |name: &str| {
                    let field = request
                        .headers
                        .iter()
                        .find(|h| h.name.eq_ignore_ascii_case(name))?;
                    Some(String::from_utf8_lossy(field.value).into_owned())
                };
                let found = Request {
                    method: request.method.unwrap_or_default().to_owned(),
                    path: request.path.unwrap_or_default().to_owned(),
                    keep: {
                        let options = field("connection").unwrap_or_default().to_lowercase();
                        let has = |word| options.split(',').any(|option| option.trim() == word);
                        !has("close") && (has("keep-alive") || request.version == Some(1))
                    },
                    if_none_match: field("if-none-match"),
                };
                buffer.drain(..len);
                return Ok(Next::Request(found));
            }
            Ok(httparse::Status::Partial) if buffer.len() > MAX_HEAD => {
                return Ok(Next::Refuse(431));
            }
            Ok(httparse::Status::Partial) => {}
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) => return Ok(Next::End),
            Ok(n) => buffer.extend_from_slice(piece.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Next::Refuse(408)),
            Err(e) => return Err(e),
        }
    }
}

fn answer(
    mut stream: &TcpStream,
    request: &Request,
    flaw: Flaw,
    counters: &Counters,
) -> io::Result<()> {
    let head = |status: u16, kind: &str, length: u64| {
        let connection = if request.keep { "keep-alive" } else { "close" };
        format!(
            "HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             ETag: {TAG}\r\nConnection: {connection}\r\n\r\n"
        )
    };
    let with_body = request.method == "GET";
    let (status, kind, body) = match (request.method.as_str(), request.path.as_str()) {
        ("GET" | "HEAD", "/") if request.if_none_match.as_deref() == Some(TAG) => {
            let head = format!("HTTP/1.1 304 Not Modified\r\nETag: {TAG}\r\n\r\n");
            return stream.write_all(head.as_bytes());
        }
        ("GET" | "HEAD", "/") => (200, "text/html", "<html>test peer</html>".to_owned()),
        ("GET" | "HEAD", "/stats.json") => (200, "application/json", counters.json()),
        ("GET" | "HEAD", path) => match path.strip_prefix("/bytes/").map(str::parse::<u64>) {
            Some(Ok(n)) if n <= MAX_BYTES => {
                let mut out = head(200, "application/octet-stream", n).into_bytes();
                if !with_body {
                    return stream.write_all(&out);
                }
                let mut at = 0;
                while at < n {
                    let start = out.len();
                    let len = usize::try_from(n - at).unwrap_or(usize::MAX).min(64 * 1024);
                    out.resize(start + len, 0);
                    let piece = out.get_mut(start..).unwrap_or_default();
                    contents::fill_pattern(at, piece);
                    let kept = spoil(flaw, piece);
                    out.truncate(start + kept);
                    stream.write_all(&out)?;
                    out.clear();
                    at += len as u64;
                }
                return stream.write_all(&out);
            }
            _ if flaw == Flaw::AcceptsAnything => (200, "text/plain", "anything".to_owned()),
            Some(_) => (400, "text/plain", "not a number of bytes".to_owned()),
            None => (404, "text/plain", "no such page".to_owned()),
        },
        _ => (405, "text/plain", "GET or HEAD".to_owned()),
    };
    let mut out = head(status, kind, body.len() as u64);
    if with_body || !matches!(status, 200) && request.method != "HEAD" {
        out.push_str(&body);
    }
    stream.write_all(out.as_bytes())
}

impl Counters {
    /// In the form of the image's.
    fn json(&self) -> String {
        serde_json::json!({
            "hostname": "test peer",
            "pds": {
                "http_server": {
                    "state": "up",
                    "counters": {
                        "requests": self.requests.load(Ordering::Relaxed),
                        "connections": self.connections.load(Ordering::Relaxed),
                    },
                },
            },
        })
        .to_string()
    }
}
