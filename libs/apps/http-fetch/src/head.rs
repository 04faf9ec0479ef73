// SPDX-License-Identifier: BSD-2-Clause

//! A request's head: what is asked for, and what of it goes on to the server.

use heapless::Vec;
use httparse::{EMPTY_HEADER, Request, Status};
use reqwless::request::Method;

/// Bytes of the longest head, of a request or a response.
pub const HEAD_LEN: usize = 4096;
/// Headers of a request at most.
pub const MAX_HEADERS: usize = 32;

/// Headers that are about one connection (RFC 9110 section 7.6.1), or that reqwless writes itself.
const NOT_PASSED_ON: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Returns whether a header is about one connection only.
pub(crate) fn is_of_connection(name: &str) -> bool {
    NOT_PASSED_ON
        .iter()
        .any(|other| name.eq_ignore_ascii_case(other))
}

/// Why a request is not done: a status and what to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the response.
    pub status: u16,
    /// Its body.
    pub text: &'static str,
}

/// Makes a refusal.
pub(crate) const fn refusal(status: u16, text: &'static str) -> Refusal {
    Refusal { status, text }
}

/// The parts of a URL (RFC 9110 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'h> {
    /// Whether it is `https`.
    pub is_secure: bool,
    /// Host and port as they stand there.
    pub authority: &'h str,
    /// The host: a name or an address.
    pub host: &'h str,
    /// The port.
    pub port: u16,
    /// The path, with what follows a question mark.
    pub path: &'h str,
}

impl<'h> Target<'h> {
    fn parse(url: &'h str) -> Option<Self> {
        let (is_secure, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        // Without the brackets around an address of IPv6.
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if port.is_empty() => {
                if is_secure {
                    443
                } else {
                    80
                }
            }
            None => return None,
        };
        let target = Target {
            is_secure,
            authority,
            host,
            port,
            path: if path.is_empty() { "/" } else { path },
        };
        let is_plain = !host.is_empty() && !authority.contains('@') && target.path.starts_with('/');
        is_plain.then_some(target)
    }
}

/// The head of a request.
#[derive(Debug)]
pub struct Head<'h> {
    /// What to do.
    pub method: Method,
    /// Where the request goes.
    pub target: Target<'h>,
    /// Headers that go on.
    pub headers: Vec<(&'h str, &'h str), MAX_HEADERS>,
    /// Bytes of the body, if it has one.
    pub body: Option<usize>,
}

impl<'h> Head<'h> {
    /// Reads a head. Returns it with the number of its bytes, or `None` if more has to come.
    ///
    /// # Errors
    /// What cannot be done.
    pub fn parse(bytes: &'h [u8]) -> Result<Option<(Self, usize)>, Refusal> {
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut request = Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() < HEAD_LEN => return Ok(None),
            Ok(Status::Partial) => return Err(refusal(431, "the head is too long")),
            Err(_) => return Err(refusal(400, "no request")),
        };
        let method = method(request.method.unwrap_or_default());
        let url = request.path.unwrap_or_default();
        let mut head = Head {
            method: method.ok_or(refusal(501, "this method is not done"))?,
            target: Target::parse(url).ok_or(refusal(400, "no URL of http or https"))?,
            headers: Vec::new(),
            body: None,
        };
        for header in request.headers {
            head.take(header)?;
        }
        // The connection is for this request.
        let close = head.headers.push(("Connection", "close"));
        close.map_err(|_| refusal(431, "too many headers"))?;
        Ok(Some((head, length)))
    }

    fn take(&mut self, header: &httparse::Header<'h>) -> Result<(), Refusal> {
        let malformed = refusal(400, "a header makes no sense");
        let value = core::str::from_utf8(header.value).map_err(|_| malformed)?;
        let is = |name| header.name.eq_ignore_ascii_case(name);
        if is("transfer-encoding") {
            return Err(refusal(411, "the length of the body is needed"));
        }
        if is("content-length") {
            // `parse` takes a sign.
            let length = Some(value).filter(|value| value.bytes().all(|b| b.is_ascii_digit()));
            let length = length
                .and_then(|value| value.parse().ok())
                .ok_or(malformed)?;
            if self
                .body
                .replace(length)
                .is_some_and(|other| other != length)
            {
                return Err(malformed);
            }
        }
        if !is_of_connection(header.name) {
            let pushed = self.headers.push((header.name, value));
            pushed.map_err(|_| refusal(431, "too many headers"))?;
        }
        Ok(())
    }
}

fn method(name: &str) -> Option<Method> {
    Some(match name {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "DELETE" => Method::DELETE,
        "PATCH" => Method::PATCH,
        "OPTIONS" => Method::OPTIONS,
        _ => return None,
    })
}
