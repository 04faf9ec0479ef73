// SPDX-License-Identifier: BSD-2-Clause

//! What picoserve accepts and this server does not.
//!
//! picoserve splits a request into words and lines and answers 400 if it cannot. It takes any third word for a version, any
//! method, does not ask for `Host`, reads a `Content-Length` that is no number as 0 and ignores `Transfer-Encoding`, so that a body would be
//! taken for the next request. Here such requests are refused, and the connection is closed with it (RFC 9112).

use picoserve::response::StatusCode;

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

/// Looks at the request line and the header fields. Answers the path, without scheme and authority if the target had them.
///
/// # Errors
/// What to answer instead of serving the request. The connection must be closed then: where the next request starts is unknown.
pub fn check<'r>(
    method: &str,
    target: &'r str,
    version: &str,
    fields: impl Iterator<Item = (&'r [u8], &'r [u8])>,
) -> Result<&'r str, Refusal> {
    check_version(version)?;
    check_fields(version, fields)?;
    check_method(method)?;
    path_of(target)
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
        _ if method.bytes().all(is_token) => {
            Err(refusal(StatusCode::NOT_IMPLEMENTED, "unknown method"))
        }
        _ => Err(bad("malformed method")),
    }
}

fn check_fields<'r>(
    version: &str,
    fields: impl Iterator<Item = (&'r [u8], &'r [u8])>,
) -> Result<(), Refusal> {
    let mut hosts = 0;
    let mut length: Option<&[u8]> = None;
    for (name, value) in fields {
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(bad("malformed field name"));
        }
        if value.iter().any(|&b| b < b' ' && b != b'\t' || b == 0x7f) {
            return Err(bad("control character in a field"));
        }
        if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Err(refusal(
                StatusCode::NOT_IMPLEMENTED,
                "no Transfer-Encoding in requests",
            ));
        } else if name.eq_ignore_ascii_case(b"content-length") {
            // Nine digits are below 1 GB, and far from where arithmetic would overflow.
            if value.is_empty() || value.len() > 9 || !value.iter().all(u8::is_ascii_digit) {
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
    Ok(())
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

/// `tchar` of RFC 9110 section 5.6.2.
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
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
            .map(str::to_owned)
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
            ("G(T", "/", "HTTP/1.1", &[HOST], 400),
            ("GET", "*", "HTTP/1.1", &[HOST], 400),
            ("GET", "ftp://x/", "HTTP/1.1", &[HOST], 400),
            ("GET", "/", "HTTP/1.1", &[HOST, ("", "x")], 400),
            ("GET", "/", "HTTP/1.1", &[HOST, ("a b", "x")], 400),
            ("GET", "/", "HTTP/1.1", &[HOST, ("a", "x\0y")], 400),
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
}
