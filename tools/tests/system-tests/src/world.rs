// SPDX-License-Identifier: BSD-2-Clause
//! What a test finds around it.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use host_peer::http::Connection;
use qemu_harness::{Console, Guest};
use smoltcp::wire::EthernetAddress;

use crate::link::Link;

/// How long anything may take that should happen at once: no test fails because a machine is slow.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The guest's services at ports of the host.
#[derive(Debug)]
pub struct Sockets {
    /// echo, TCP and UDP
    pub echo: SocketAddr,
    /// HTTP
    pub http: SocketAddr,
    /// a port of the guest that nobody listens on, TCP
    pub closed: SocketAddr,
    /// where the hostile client of the test image takes commands, UDP
    pub hostile: SocketAddr,
    /// where the test image takes names to look up, TCP
    pub lookup: SocketAddr,
    /// the echo in C of the test image, TCP and UDP
    pub c_echo: SocketAddr,
    /// the HTTP client in C of the test image, TCP
    pub c_get: SocketAddr,
    /// the guest, none if host servers stand in for it
    pub guest: Option<Arc<Guest>>,
}

impl Sockets {
    /// Connects to the echo service.
    ///
    /// # Errors
    /// As `connect(2)`.
    pub fn connect_echo(&self) -> Result<TcpStream> {
        connect(self.echo)
    }

    /// Connects to the HTTP server.
    ///
    /// # Errors
    /// As `connect(2)`.
    pub fn connect_http(&self) -> Result<Connection<TcpStream>> {
        Ok(Connection::new(connect(self.http)?))
    }

    /// The guest's console.
    ///
    /// # Errors
    /// If there is no guest.
    pub fn console(&self) -> Result<&Console> {
        Ok(self.guest()?.console())
    }

    /// The guest.
    ///
    /// # Errors
    /// If there is none.
    pub fn guest(&self) -> Result<&Guest> {
        self.guest.as_deref().context("this test needs a guest")
    }
}

/// The same of a guest whose machine has no random number generator.
#[derive(Debug)]
pub struct WithoutRng(pub Sockets);

/// Connects with [`TIMEOUT`] for each operation.
///
/// # Errors
/// As `connect(2)`.
pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)
        .with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// The other end of the guest's Ethernet.
#[derive(Debug)]
pub struct Ethernet {
    /// frames to and from the guest
    pub link: Link,
    /// the guest's address, as its first frame said
    pub guest_mac: EthernetAddress,
    /// the guest, none if a host's stack stands in for it
    pub guest: Option<Arc<Guest>>,
}
