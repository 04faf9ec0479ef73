// SPDX-License-Identifier: BSD-2-Clause
//! TCP echo with a window of unanswered bytes.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use host_peer::contents;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::{Meter, TIMEOUT, Target};

/// Bytes that may be on their way on each connection.
const WINDOW: usize = 60_000;
/// Length after which the contents repeat: a prime, so that no buffer's size hides a shift.
const PERIOD: usize = 1_048_573;

struct Connection {
    stream: TcpStream,
    data: Vec<u8>,
    sent: usize,
    received: usize,
}

impl Connection {
    /// A part of the contents from a place in the stream, as long as they go on without a break.
    fn piece(&self, from: usize, longest: usize) -> &[u8] {
        let start = from % self.data.len();
        let end = (start + longest).min(self.data.len());
        self.data.get(start..end).unwrap_or_default()
    }

    /// Sends what the window allows and the socket takes.
    fn send(&mut self) -> Result<()> {
        loop {
            let room = WINDOW - (self.sent - self.received);
            if room == 0 {
                return Ok(());
            }
            let piece = self.piece(self.sent, room);
            match (&self.stream).write(piece) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) => return Err(e).context("cannot send"),
            }
        }
    }

    /// Receives and compares all that is there; how much it was.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut total = 0;
        loop {
            match (&self.stream).read(buffer) {
                Ok(0) => bail!("the connection was closed"),
                Ok(n) => {
                    self.compare(buffer.get(..n).unwrap_or_default())?;
                    total += n;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(total),
                Err(e) => return Err(e).context("cannot receive"),
            }
        }
    }

    fn compare(&mut self, mut got: &[u8]) -> Result<()> {
        ensure!(
            self.received + got.len() <= self.sent,
            "more bytes came back than were sent"
        );
        while !got.is_empty() {
            let expected = self.piece(self.received, got.len());
            let (here, rest) = got.split_at(expected.len());
            contents::compare(expected, here)
                .with_context(|| format!("from byte {} on", self.received))?;
            self.received += here.len();
            got = rest;
        }
        Ok(())
    }
}

/// Echoes on some connections at once: megabytes per second that came back on all of them.
pub fn echo(target: &Target, duration: Duration, connections: u64) -> Result<Vec<f64>> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(64);
    let mut open = Vec::new();
    for seed in 0..connections {
        // One after the other, because QEMU's user network listens with a backlog of 1.
        let stream = std::net::TcpStream::connect_timeout(&target.echo, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry()
            .register(&mut stream, Token(open.len()), interest)?;
        open.push(Connection {
            stream,
            data: contents::random(seed, PERIOD),
            sent: 0,
            received: 0,
        });
    }
    let mut buffer = vec![0; 256 * 1024];
    let mut meter = Meter::start(duration);
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
            let n = connection.receive(&mut buffer)?;
            connection.send()?;
            if n > 0 && !meter.note(n as u64) {
                return Ok(vec![meter.rate() / 1e6]);
            }
        }
    }
}
