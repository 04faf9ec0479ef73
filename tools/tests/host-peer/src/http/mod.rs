// SPDX-License-Identifier: BSD-2-Clause
//! A small HTTP/1.x client that takes nothing on trust: what a response says about itself is
//! compared with what comes.

mod body;
mod head;

use std::io::{Read, Write};

use anyhow::{Context, Result, ensure};

pub use head::{Framing, Head};

/// A response with its whole body.
#[derive(Debug)]
pub struct Response {
    /// status line and headers
    pub head: Head,
    /// the body, decoded if it was chunked
    pub body: Vec<u8>,
}

/// A connection that requests are written to and responses read from.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: Read + Write> Connection<S> {
    /// Uses a connected stream.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The stream, for its options.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// As the stream's.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream
            .write_all(bytes)
            .context("cannot send the request")
    }

    /// Sends a GET with a Host header and reads the response.
    ///
    /// # Errors
    /// If the connection fails or the response is not HTTP.
    pub fn get(&mut self, path: &str) -> Result<Response> {
        self.send(get_request(path).as_bytes())?;
        self.response("GET").with_context(|| format!("GET {path}"))
    }

    /// Reads one whole response to a request with the given method.
    ///
    /// # Errors
    /// If the connection fails or ends early, or the response is not HTTP.
    pub fn response(&mut self, method: &str) -> Result<Response> {
        let mut body = Vec::new();
        let head = self.response_into(method, |piece| {
            body.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(Response { head, body })
    }

    /// Reads one response and hands its body to `sink` as it comes.
    ///
    /// # Errors
    /// As [`Connection::response`], and what `sink` gives.
    pub fn response_into(
        &mut self,
        method: &str,
        sink: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Head> {
        let head = self.head()?;
        body::read(self, head.framing(method)?, sink)?;
        Ok(head)
    }

    /// Reads status line and headers only.
    ///
    /// # Errors
    /// If the connection fails or ends early, or they are malformed.
    pub fn head(&mut self) -> Result<Head> {
        loop {
            if let Some((head, len)) = Head::parse(&self.buffer)? {
                self.buffer.drain(..len);
                return Ok(head);
            }
            ensure!(
                self.fill()? > 0,
                "the connection ended before the end of the headers"
            );
        }
    }

    /// Reads until the peer closes; the bytes that were left.
    ///
    /// # Errors
    /// If the connection fails other than by an orderly end.
    pub fn rest(&mut self) -> Result<Vec<u8>> {
        while self.fill()? > 0 {}
        Ok(std::mem::take(&mut self.buffer))
    }

    /// Reads once into the buffer; 0 at the end of the stream.
    fn fill(&mut self) -> Result<usize> {
        let old = self.buffer.len();
        self.buffer.resize(old + 64 * 1024, 0);
        let result = self.stream.read(&mut self.buffer[old..]);
        let n = *result.as_ref().unwrap_or(&0);
        self.buffer.truncate(old + n);
        result.context("cannot read the response")
    }
}

/// A GET request with a Host header, which keeps the connection.
#[must_use]
pub fn get_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: isthmus\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use super::*;

    /// A stream that gives one byte a read, the worst cut that TCP may make.
    struct Dribble(Cursor<Vec<u8>>);

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }

    impl Write for Dribble {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            Ok(buffer.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn connection(text: &str) -> Connection<Dribble> {
        Connection::new(Dribble(Cursor::new(text.into())))
    }

    #[test]
    fn responses_follow_one_another() {
        let mut c = connection(
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc\
             HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\nA: b\r\n\r\n\
             HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n\
             HTTP/1.0 200 OK\r\n\r\nto the end",
        );
        assert_eq!(c.get("/").unwrap().body, b"abc");
        assert_eq!(c.get("/").unwrap().body, b"def");
        let head = c.response("HEAD").unwrap();
        assert_eq!((head.head.status, head.body.len()), (404, 0));
        assert_eq!(c.get("/").unwrap().body, b"to the end");
        assert!(c.get("/").is_err());
    }

    #[test]
    fn a_body_that_ends_early_is_an_error() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Len",
        ] {
            assert!(connection(text).response("GET").is_err(), "{text}");
        }
    }

    #[test]
    fn the_sink_stops_the_reading() {
        let mut c = connection("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
        assert!(
            c.response_into("GET", |_| anyhow::bail!("no more"))
                .is_err()
        );
    }
}
