// SPDX-License-Identifier: BSD-2-Clause

//! What picoserve accepts and this server does not.
//!
//! The lines of a head are well-formed when they come here (see `screen`). picoserve takes any
//! third word for a version, any method, does not ask for `Host`, reads a `Content-Length` that is
//! no number as 0, ignores `Transfer-Encoding`, so that a body would be taken for the next request,
//! and finds `close` only as the whole of the first `Connection`. Here such requests are refused,
//! and the connection is closed with it (RFC 9112).

use picoserve::response::StatusCode;

use crate::screen::MAX_LENGTH_DIGITS;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The response's status.
    pub status: StatusCode,
    /// One line for people.
    pub reason: &'static str,
}

const fn refusal(status: StatusCode, reason: &'static str) -> Refusal {
    Refusal { status, reason }
}

const fn bad(reason: &'static str) -> Refusal {
    refusal(StatusCode::BAD_REQUEST, reason)
}

/// The methods of RFC 9110 that this server knows and has no use for.
const KNOWN_METHODS: [&str; 7] = [
    "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT",
];

/// What is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted<'r> {
    /// The path, without scheme and authority if the target had them.
    pub path: &'r str,
    /// The client wants no further response on this connection.
    pub closes: bool,
}

/// Looks at the request line and the header fields.
///
/// # Errors
/// What to answer instead of serving the request. The connection must be closed then: where the
/// next request starts is unknown.
pub fn check<'r>(
    method: &str,
    target: &'r str,
    version: &str,
    fields: impl Iterator<Item = (&'r [u8], &'r [u8])>,
) -> Result<Accepted<'r>, Refusal> {
    check_version(version)?;
    let closes = check_fields(version, fields)?;
    check_method(method)?;
    let path = path_of(target)?;
    Ok(Accepted { path, closes })
}

fn check_version(version: &str) -> Result<(), Refusal> {
    match version {
        "HTTP/1.1" | "HTTP/1.0" => Ok(()),
        _ => match version.strip_prefix("HTTP/").map(str::as_bytes) {
            Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit() => {
                Err(refusal(
                    StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                    "HTTP/1.0 and HTTP/1.1 only",
                ))
            }
            _ => Err(bad("no HTTP version")),
        },
    }
}

fn check_method(method: &str) -> Result<(), Refusal> {
    match method {
        "GET" | "HEAD" => Ok(()),
        _ if KNOWN_METHODS.contains(&method) => {
            Err(refusal(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only"))
        }
        _ => Err(refusal(StatusCode::NOT_IMPLEMENTED, "unknown method")),
    }
}

/// Returns whether the client asks for the connection to be closed.
fn check_fields<'r>(
    version: &str,
    fields: impl Iterator<Item = (&'r [u8], &'r [u8])>,
) -> Result<bool, Refusal> {
    let mut hosts = 0;
    let mut length: Option<&[u8]> = None;
    let mut is_encoded = false;
    let mut closes = false;
    for (name, value) in fields {
        if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            is_encoded = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            let mut options = value.split(|&b| b == b',').map(<[u8]>::trim_ascii);
            closes |= options.any(|option| option.eq_ignore_ascii_case(b"close"));
        } else if name.eq_ignore_ascii_case(b"content-length") {
            // No sign, no list: RFC 9112 section 6.3 lets a list of equal numbers be refused.
            let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            if !is_number || value.len() > MAX_LENGTH_DIGITS {
                return Err(bad("impossible Content-Length"));
            }
            if length.replace(value).is_some_and(|other| other != value) {
                return Err(bad("two values of Content-Length"));
            }
        }
    }
    // RFC 9112 section 3.2.
    if hosts > 1 || (hosts == 0 && version == "HTTP/1.1") {
        return Err(bad("not one Host field"));
    }
    // RFC 9112 section 6.1: with a length or in HTTP/1.0 nobody knows where the body ends.
    match is_encoded {
        true if length.is_some() || version != "HTTP/1.1" => Err(bad("body of unknown length")),
        true => Err(refusal(
            StatusCode::NOT_IMPLEMENTED,
            "no Transfer-Encoding in requests",
        )),
        false => Ok(closes),
    }
}

/// Origin form or absolute form (RFC 9112 section 3.2); picoserve has cut off the query.
fn path_of(target: &str) -> Result<&str, Refusal> {
    if target.starts_with('/') {
        return Ok(target);
    }
    let (scheme, rest) = target
        .split_once("://")
        .ok_or(bad("malformed request target"))?;
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(bad("malformed request target"));
    }
    Ok(rest.find('/').map_or("/", |slash| &rest[slash..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(
        method: &str,
        target: &str,
        version: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, u16> {
        let fields = fields.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes()));
        check(method, target, version, fields)
            .map(|accepted| accepted.path.to_owned())
            .map_err(|refusal| refusal.status.as_u16())
    }

    const HOST: (&str, &str) = ("Host", "example");

    #[test]
    fn ordinary_requests_pass() {
        assert_eq!(status("GET", "/", "HTTP/1.1", &[HOST]), Ok("/".into()));
        assert_eq!(status("HEAD", "/a/b", "HTTP/1.0", &[]), Ok("/a/b".into()));
        let with_body = [HOST, ("content-length", "12"), ("Content-Length", "12")];
        assert!(status("GET", "/", "HTTP/1.1", &with_body).is_ok());
        let absolute = status("GET", "HTTP://example:8080/a", "HTTP/1.1", &[HOST]);
        assert_eq!(absolute, Ok("/a".into()));
        assert_eq!(
            status("GET", "http://example", "HTTP/1.1", &[HOST]),
            Ok("/".into())
        );
    }

    #[test]
    fn others_are_refused_with_the_right_status() {
        for (method, target, version, fields, expected) in [
            ("GET", "/", "HTTP/2.0", &[HOST][..], 505),
            ("GET", "/", "HTTP/1.10", &[HOST], 400),
            ("GET", "/", "http/1.1", &[HOST], 400),
            ("GET", "/", "junk", &[HOST], 400),
            ("GET", "/", "HTTP/1.1", &[], 400),
            ("GET", "/", "HTTP/1.1", &[HOST, HOST], 400),
            ("POST", "/", "HTTP/1.1", &[HOST], 405),
            ("BREW", "/", "HTTP/1.1", &[HOST], 501),
            ("get", "/", "HTTP/1.1", &[HOST], 501),
            ("GET", "*", "HTTP/1.1", &[HOST], 400),
            ("GET", "ftp://x/", "HTTP/1.1", &[HOST], 400),
            (
                "GET",
                "/",
                "HTTP/1.1",
                &[HOST, ("Transfer-Encoding", "chunked")],
                501,
            ),
            ("GET", "/", "HTTP/1.1", &[HOST, ("Content-Length", "")], 400),
            (
                "GET",
                "/",
                "HTTP/1.1",
                &[HOST, ("Content-Length", "-1")],
                400,
            ),
            (
                "GET",
                "/",
                "HTTP/1.1",
                &[HOST, ("Content-Length", "18446744073709551615")],
                400,
            ),
            (
                "GET",
                "/",
                "HTTP/1.1",
                &[HOST, ("Content-Length", "1"), ("Content-Length", "2")],
                400,
            ),
        ] {
            let got = status(method, target, version, fields);
            assert_eq!(got, Err(expected), "{method} {target} {version} {fields:?}");
        }
    }

    #[test]
    fn bodies_of_unclear_length_are_refused() {
        let encoded = ("Transfer-Encoding", "chunked");
        for (version, fields, expected) in [
            ("HTTP/1.1", &[HOST, ("Content-Length", "+5")][..], 400),
            ("HTTP/1.1", &[HOST, ("Content-Length", "5, 5")], 400),
            ("HTTP/1.1", &[HOST, ("Content-Length", "5 5")], 400),
            ("HTTP/1.1", &[HOST, ("Content-Length", "0x5")], 400),
            ("HTTP/1.1", &[HOST, ("Content-Length", "0000000005")], 400),
            (
                "HTTP/1.1",
                &[HOST, ("Content-Length", "5"), ("content-length", "05")],
                400,
            ),
            ("HTTP/1.1", &[HOST, encoded, ("Content-Length", "5")], 400),
            ("HTTP/1.1", &[HOST, ("Content-Length", "5"), encoded], 400),
            ("HTTP/1.0", &[HOST, encoded], 400),
            ("HTTP/1.1", &[HOST, ("transfer-encoding", "")], 501),
        ] {
            let got = status("GET", "/", version, fields);
            assert_eq!(got, Err(expected), "{version} {fields:?}");
        }
    }

    #[test]
    fn close_is_found_wherever_it_stands() {
        let closes = |fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes()));
            let fields = fields.chain([(&b"Host"[..], &b"x"[..])]);
            check("GET", "/", "HTTP/1.1", fields).unwrap().closes
        };
        assert!(closes(&[("Connection", "close")]));
        assert!(closes(&[("connection", "TE, Close")]));
        assert!(closes(&[("Connection", "close,TE")]));
        assert!(closes(&[("Connection", "TE"), ("Connection", "close")]));
        assert!(!closes(&[("Connection", "keep-alive")]));
        assert!(!closes(&[("Connection", "closed, not-close")]));
        assert!(!closes(&[("TE", "close")]));
    }
}
