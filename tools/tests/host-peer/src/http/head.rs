// SPDX-License-Identifier: BSD-2-Clause
//! Status line and headers.

use anyhow::{Context, Result, bail, ensure};

/// The most headers that a response may have.
const MAX_HEADERS: usize = 64;

/// Status line and headers of a response.
#[derive(Clone, Debug)]
pub struct Head {
    /// 0 for HTTP/1.0, 1 for HTTP/1.1
    pub minor_version: u8,
    /// status code
    pub status: u16,
    headers: Vec<(String, String)>,
}

/// How the end of a body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes.
    Length(u64),
    /// In chunks, the last of length 0.
    Chunked,
    /// To the end of the connection.
    UntilClose,
}

impl Head {
    /// Parses the start of a response: the head and its length, or `None` if it is not complete.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let len = match response.parse(bytes) {
            Ok(httparse::Status::Complete(len)) => len,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(e) => {
                let start = bytes.get(..bytes.len().min(80)).unwrap_or_default();
                bail!(
                    "not an HTTP response ({e}): {:?}",
                    String::from_utf8_lossy(start)
                );
            }
        };
        let headers = response
            .headers
            .iter()
            .map(|h| {
                let value = std::str::from_utf8(h.value)
                    .with_context(|| format!("header {} is not text", h.name))?;
                Ok((h.name.to_ascii_lowercase(), value.to_owned()))
            })
            .collect::<Result<_>>()?;
        let head = Self {
            minor_version: response.version.context("no version")?,
            status: response.code.context("no status")?,
            headers,
        };
        Ok(Some((head, len)))
    }

    /// The value of a header, its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// How the body of a response to a request with this method ends.
    ///
    /// # Errors
    /// If the headers contradict each other.
    pub fn framing(&self, method: &str) -> Result<Framing> {
        let length = self
            .header("content-length")
            .map(|text| {
                text.parse::<u64>()
                    .with_context(|| format!("Content-Length: {text}"))
            })
            .transpose()?;
        let coding = self.header("transfer-encoding");
        ensure!(
            length.is_none() || coding.is_none(),
            "both Content-Length and Transfer-Encoding (RFC 9112 section 6.2 forbids it)"
        );
        if method == "HEAD" || matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        match (length, coding) {
            (Some(length), _) => Ok(Framing::Length(length)),
            (None, Some("chunked")) => Ok(Framing::Chunked),
            (None, Some(other)) => bail!("Transfer-Encoding: {other} was not asked for"),
            (None, None) => Ok(Framing::UntilClose),
        }
    }

    /// Whether the peer says that it closes the connection after this response.
    #[must_use]
    pub fn closes(&self) -> bool {
        match self.header("connection") {
            Some(value) => value.eq_ignore_ascii_case("close"),
            None => self.minor_version == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        Head::parse(text.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn framing_follows_the_headers() {
        let framing = |text, method| head(text).framing(method).ok();
        let length = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n";
        assert_eq!(framing(length, "GET"), Some(Framing::Length(12)));
        assert_eq!(framing(length, "HEAD"), Some(Framing::Length(0)));
        let both = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(framing(both, "GET"), None);
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\n\r\n", "GET"),
            Some(Framing::UntilClose)
        );
        assert_eq!(
            framing("HTTP/1.1 204 No\r\n\r\n", "GET"),
            Some(Framing::Length(0))
        );
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "GET"),
            None
        );
    }

    #[test]
    fn incomplete_and_malformed_differ() {
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\nA: ").unwrap().is_none());
        assert!(Head::parse(b"SSH-2.0\r\n\r\n").is_err());
    }

    #[test]
    fn who_closes_is_known() {
        assert!(head("HTTP/1.0 200 OK\r\n\r\n").closes());
        assert!(!head("HTTP/1.1 200 OK\r\n\r\n").closes());
        assert!(head("HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n").closes());
        assert!(!head("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n").closes());
    }
}
