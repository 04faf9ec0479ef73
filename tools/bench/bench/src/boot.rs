// SPDX-License-Identifier: BSD-2-Clause
//! From the start of QEMU to the first byte that a service answers.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use host_peer::http::Connection;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use qemu_harness::{Command, Forward, Guest, LogFolder, Netdev, Transport, ports};

use crate::load::{TIMEOUT, Target};
use crate::plan::{Booted, Servers};

/// A new connection is tried this often: one that came too early is not answered at once when
/// the guest comes up, because QEMU repeats its first packet only after seconds.
const RETRY: Duration = Duration::from_millis(10);
/// After the first answer the other attempts may still come to the guest.
const SETTLE: Duration = Duration::from_millis(500);

/// Boots the image, and waits until all of its services answer.
///
/// # Errors
/// If one does not.
pub fn boot(command: &Command, logs: &LogFolder) -> Result<Servers> {
    let [echo, http] = ports::free_ports()?;
    let forward = |transport, host, guest| Forward {
        transport,
        host,
        guest,
    };
    let netdev = Netdev::User(vec![
        forward(Transport::Tcp, echo, 7),
        forward(Transport::Udp, echo, 7),
        forward(Transport::Tcp, http, 80),
    ]);
    let guest = Guest::boot(&command.clone().with_netdev(&netdev)?, logs, "bench")?;
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let target = Target {
        echo: at(echo),
        http: at(http),
    };
    let log = || format!("log: {}", guest.log().display());
    let answered = first_answer(&guest, target.echo).with_context(log)?;
    let boot = answered.duration_since(guest.started()).as_secs_f64();
    thread::sleep(SETTLE);
    http_answers(target.http).with_context(log)?;
    Ok(Servers {
        target,
        image: Some(Booted { guest, boot }),
    })
}

/// Opens connections until a byte comes back on one of them.
fn first_answer(guest: &Guest, address: SocketAddr) -> Result<Instant> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(64);
    let mut attempts: Vec<TcpStream> = Vec::new();
    let deadline = Instant::now() + TIMEOUT;
    let mut next = Instant::now();
    while Instant::now() < deadline {
        if Instant::now() >= next {
            ensure!(guest.is_running(), "QEMU has ended");
            let mut stream = TcpStream::connect(address)?;
            let token = Token(attempts.len());
            poll.registry().register(
                &mut stream,
                token,
                Interest::READABLE | Interest::WRITABLE,
            )?;
            attempts.push(stream);
            next += RETRY;
        }
        let wait = next.saturating_duration_since(Instant::now());
        poll.poll(&mut events, Some(wait))?;
        for event in &events {
            let Some(stream) = attempts.get_mut(event.token().0) else {
                continue;
            };
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => {
                    let now = Instant::now();
                    ensure!(byte == *b"!", "{byte:?} came back instead of \"!\"");
                    return Ok(now);
                }
                // Refused before QEMU listens, ended while the guest is not ready: the next one
                // may do better.
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock && event.is_writable() => {
                    let _ = stream.write(b"!");
                }
                Err(_) => {}
            }
        }
    }
    bail!("no echo within {} s", TIMEOUT.as_secs())
}

/// The HTTP server may be ready a moment later than the echo.
fn http_answers(address: SocketAddr) -> Result<()> {
    let attempt = || -> Result<()> {
        let stream = std::net::TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        Connection::new(stream).get("/").map(drop)
    };
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context("the HTTP server does not answer"));
            }
            Err(_) => thread::sleep(RETRY),
        }
    }
}
