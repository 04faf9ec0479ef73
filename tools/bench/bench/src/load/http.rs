// SPDX-License-Identifier: BSD-2-Clause
//! Small HTTP requests on connections that are kept.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use host_peer::contents;
use host_peer::http::{Framing, Head, get_request};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::{Meter, TIMEOUT, Target};

const SIZE: usize = 1024;

struct Connection {
    stream: TcpStream,
    /// What has come of the response so far.
    received: Vec<u8>,
}

/// What every request is, and what every body has to be.
struct Exchange {
    request: Vec<u8>,
    body: Vec<u8>,
}

impl Exchange {
    fn new() -> Self {
        let mut body = vec![0; SIZE];
        contents::fill_pattern(0, &mut body);
        Self {
            request: get_request(&format!("/bytes/{SIZE}")).into_bytes(),
            body,
        }
    }

    /// Whether the response is complete; an error if it is not the one expected.
    fn is_complete(&self, response: &[u8]) -> Result<bool> {
        let Some((head, len)) = Head::parse(response)? else {
            return Ok(false);
        };
        ensure!(head.status == 200, "status {}", head.status);
        ensure!(
            head.framing("GET")? == Framing::Length(SIZE as u64),
            "the response does not say its length"
        );
        ensure!(!head.closes(), "the server closes the connection");
        let body = response.get(len..).unwrap_or_default();
        if body.len() < SIZE {
            return Ok(false);
        }
        contents::compare(&self.body, body)?;
        Ok(true)
    }

    /// Connects and makes the first request, so that the next connection finds room in the
    /// backlog of QEMU's user network, which is 1.
    fn open(&self, address: SocketAddr) -> Result<Connection> {
        let mut stream = std::net::TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(&self.request)?;
        let mut received = Vec::new();
        let mut piece = [0; 4096];
        while !self.is_complete(&received)? {
            let n = stream.read(&mut piece).context("no response")?;
            ensure!(n > 0, "the connection was closed");
            received.extend_from_slice(piece.get(..n).unwrap_or_default());
        }
        received.clear();
        stream.set_nonblocking(true)?;
        Ok(Connection {
            stream: TcpStream::from_std(stream),
            received,
        })
    }

    /// Requests are much smaller than a socket's buffer and are sent only when all before are
    /// answered: they are always taken whole.
    fn send(&self, connection: &mut Connection) -> Result<()> {
        connection
            .stream
            .write_all(&self.request)
            .context("cannot send the request")
    }

    /// Takes what has come; whether that made the response complete.
    fn receive(&self, connection: &mut Connection) -> Result<bool> {
        let mut piece = [0; 4096];
        loop {
            match connection.stream.read(&mut piece) {
                Ok(0) => bail!("the connection was closed"),
                Ok(n) => {
                    let piece = piece.get(..n).unwrap_or_default();
                    connection.received.extend_from_slice(piece);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e).context("cannot receive"),
            }
        }
        let complete = !connection.received.is_empty() && self.is_complete(&connection.received)?;
        if complete {
            connection.received.clear();
        }
        Ok(complete)
    }
}

/// Each connection asks again as soon as it is answered: requests per second on all of them.
pub fn keep_alive(target: &Target, duration: Duration, connections: usize) -> Result<Vec<f64>> {
    let exchange = Exchange::new();
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(connections.max(16));
    let mut open = Vec::with_capacity(connections);
    for number in 0..connections {
        let mut connection = exchange
            .open(target.http)
            .with_context(|| format!("connection {number}"))?;
        poll.registry()
            .register(&mut connection.stream, Token(number), Interest::READABLE)?;
        open.push(connection);
    }
    let mut meter = Meter::start(duration);
    for connection in &mut open {
        exchange.send(connection)?;
    }
    loop {
        poll.poll(&mut events, Some(TIMEOUT))?;
        ensure!(
            !events.is_empty(),
            "nothing came for {} s",
            TIMEOUT.as_secs()
        );
        for event in &events {
            let Some(connection) = open.get_mut(event.token().0) else {
                continue;
            };
            if exchange.receive(connection)? {
                if !meter.note(1) {
                    return Ok(vec![meter.rate()]);
                }
                exchange.send(connection)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_judged() {
        let exchange = Exchange::new();
        let mut response = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n".to_vec();
        assert!(!exchange.is_complete(&response[..20]).unwrap());
        response.extend_from_slice(&exchange.body);
        assert!(
            !exchange
                .is_complete(&response[..response.len() - 1])
                .unwrap()
        );
        assert!(exchange.is_complete(&response).unwrap());
        let mut longer = response.clone();
        longer.push(0);
        assert!(exchange.is_complete(&longer).is_err());
        *response.last_mut().unwrap() ^= 1;
        assert!(exchange.is_complete(&response).is_err());
        assert!(
            exchange
                .is_complete(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1024\r\n\r\n")
                .is_err()
        );
    }
}
