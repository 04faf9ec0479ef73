// SPDX-License-Identifier: BSD-2-Clause
//! Servers on the host with the image's interface: echo over TCP and UDP, and HTTP.
//!
//! The system tests run against them to show that a test passes when all is right and, with a
//! [`Flaw`], that it fails when something is wrong. The benchmark runs against them to show how
//! fast the load generator is without a guest.

mod echo;
mod http;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;

/// Something that the test peer does wrong on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flaw {
    /// It does nothing.
    #[default]
    None,
    /// The last byte of every piece of an echo or of a body is changed.
    ChangesBytes,
    /// The last byte of every piece of an echo or of a body is left out.
    LosesBytes,
    /// A connection is never closed, whatever the peer does.
    NeverCloses,
    /// Every request is answered with 200 and a body, also a malformed one or one for a file
    /// that does not exist.
    AcceptsAnything,
    /// The counters stand still.
    StuckCounters,
}

/// The running servers. They end with the process.
#[derive(Debug)]
pub struct TestPeer {
    /// where the echo listens, TCP and UDP
    pub echo: SocketAddr,
    /// where HTTP listens
    pub http: SocketAddr,
}

impl TestPeer {
    /// Starts the servers on free ports of the loopback.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start(flaw: Flaw) -> io::Result<Self> {
        let (tcp, udp) = same_port()?;
        let http = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addresses = Self {
            echo: tcp.local_addr()?,
            http: http.local_addr()?,
        };
        thread::spawn(move || echo::datagrams(&udp, flaw));
        serve_each(tcp, move |stream| echo::stream(stream, flaw));
        let counters = Arc::new(http::Counters::default());
        serve_each(http, move |stream| {
            http::connection(stream, flaw, &counters)
        });
        Ok(addresses)
    }
}

/// A TCP listener and a UDP socket on one port.
fn same_port() -> io::Result<(TcpListener, UdpSocket)> {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr()?) {
            return Ok((tcp, udp));
        }
    }
}

/// A thread for each connection. What goes wrong on one ends that one.
fn serve_each(
    listener: TcpListener,
    serve: impl Fn(&TcpStream) -> io::Result<()> + Clone + Send + 'static,
) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let _ = serve(&stream);
            });
        }
    });
}

/// Applies a flaw to a piece of an answer; the length that is left of it.
fn spoil(flaw: Flaw, piece: &mut [u8]) -> usize {
    match (flaw, piece.last_mut()) {
        (Flaw::ChangesBytes, Some(last)) => *last ^= 1,
        (Flaw::LosesBytes, Some(_)) => return piece.len() - 1,
        _ => {}
    }
    piece.len()
}

/// Never returns for the flaw that keeps connections open.
fn hold_open_if(flaw: Flaw) {
    if flaw == Flaw::NeverCloses {
        loop {
            thread::park();
        }
    }
}
