// SPDX-License-Identifier: BSD-2-Clause
//! Boots a guest and waits until it serves.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use qemu_harness::{Command, Forward, Guest, LogFolder, Netdev, Transport, ports};

use crate::link::{Link, probe};
use crate::runner::World;
use crate::world::{Ethernet, Sockets, TIMEOUT, WithoutRng, connect};

/// Ports of the guest.
pub const ECHO: u16 = 7;
pub const HTTP: u16 = 80;
/// Nobody listens here: 9 is the discard service, which the image has not.
pub const CLOSED: u16 = 9;
/// QEMU's random number generator.
const RNG: &str = "virtio-rng-device";
/// Commands for the hostile client, which the test image alone has.
pub const HOSTILE: u16 = 6666;
/// Names to look up, which the test image alone has.
pub const LOOKUP: u16 = 5353;
/// The programs in C of the test image.
pub const C_ECHO: u16 = 7070;
pub const C_GET: u16 = 7071;
/// Another program may take a port between our look and QEMU's: then others are tried.
const ATTEMPTS: usize = 3;
/// How long the answer to one byte is waited for before the next connection is tried.
const FIRST_BYTE: Duration = Duration::from_secs(2);

/// What every boot of this run has in common.
#[derive(Clone, Debug)]
pub struct Boots {
    /// QEMU's command line with the image in it
    pub command: Command,
    /// where the logs go
    pub logs: Arc<LogFolder>,
    /// whether logs of passed tests stay
    pub keep_logs: bool,
}

impl Boots {
    /// The log of this guest is of no interest any more.
    pub fn passed(&self, guest: &Guest) {
        if !self.keep_logs {
            guest.discard_log();
        }
    }

    /// Boots the image on a network.
    ///
    /// # Errors
    /// If QEMU cannot be started.
    pub fn boot(&self, netdev: &Netdev, name: &str) -> Result<Arc<Guest>> {
        let command = self.command.clone().with_netdev(netdev)?;
        Ok(Arc::new(Guest::boot(&command, &self.logs, name)?))
    }
}

/// Tries `boot` again with other ports if QEMU ended by itself.
fn with_retries<W>(boot: impl Fn() -> Result<(Arc<Guest>, Result<W>)>) -> Result<W> {
    for attempt in 1.. {
        let (guest, result) = boot()?;
        match result {
            Ok(world) => return Ok(world),
            Err(_) if !guest.is_running() && attempt < ATTEMPTS => {}
            Err(error) => {
                return Err(error.context(format!(
                    "the guest did not come up; log: {}",
                    guest.log().display()
                )));
            }
        }
    }
    bail!("no attempt to boot was made")
}

impl World for Sockets {
    fn boot(boots: &Boots, name: &str) -> Result<Self> {
        with_retries(|| {
            let [echo, http, closed, hostile, lookup, c_echo, c_get] = ports::free_ports()?;
            let forward = |transport, host, guest| Forward {
                transport,
                host,
                guest,
            };
            let netdev = Netdev::User(vec![
                forward(Transport::Tcp, echo, ECHO),
                forward(Transport::Udp, echo, ECHO),
                forward(Transport::Tcp, http, HTTP),
                forward(Transport::Tcp, closed, CLOSED),
                forward(Transport::Udp, hostile, HOSTILE),
                forward(Transport::Tcp, lookup, LOOKUP),
                forward(Transport::Tcp, c_echo, C_ECHO),
                forward(Transport::Udp, c_echo, C_ECHO),
                forward(Transport::Tcp, c_get, C_GET),
            ]);
            let guest = boots.boot(&netdev, name)?;
            let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let world = Self {
                echo: at(echo),
                http: at(http),
                closed: at(closed),
                hostile: at(hostile),
                lookup: at(lookup),
                c_echo: at(c_echo),
                c_get: at(c_get),
                guest: Some(Arc::clone(&guest)),
            };
            let result = await_services(&guest, &world);
            Ok((guest, result.map(|()| world)))
        })
    }

    fn guest(&self) -> Option<Arc<Guest>> {
        self.guest.clone()
    }
}

impl World for WithoutRng {
    fn boot(boots: &Boots, name: &str) -> Result<Self> {
        let boots = Boots {
            command: boots.command.clone().without_device(RNG)?,
            ..boots.clone()
        };
        Sockets::boot(&boots, name).map(Self)
    }

    fn guest(&self) -> Option<Arc<Guest>> {
        self.0.guest.clone()
    }
}

impl World for Ethernet {
    fn boot(boots: &Boots, name: &str) -> Result<Self> {
        with_retries(|| {
            let [port] = ports::free_ports()?;
            let link = Link::open(port)?;
            let netdev = Netdev::Datagram {
                guest: port,
                peer: link.port()?,
            };
            let guest = boots.boot(&netdev, name)?;
            let result = probe::await_and_answer(&link).map(|guest_mac| Self {
                link,
                guest_mac,
                guest: Some(Arc::clone(&guest)),
            });
            Ok((guest, result))
        })
    }

    fn guest(&self) -> Option<Arc<Guest>> {
        self.guest.clone()
    }
}

/// Waits until both services answer.
///
/// # Errors
/// If one does not in time, or the guest ends.
pub fn await_services(guest: &Guest, world: &Sockets) -> Result<()> {
    until(guest, || echoes_a_byte(world.echo)).context("the echo service does not answer")?;
    until(guest, || world.connect_http()?.get("/").map(drop))
        .context("the HTTP server does not answer")
}

/// Sends a byte and expects it back.
pub fn echoes_a_byte(address: SocketAddr) -> Result<()> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(FIRST_BYTE))?;
    stream.write_all(b"?")?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    ensure!(byte == *b"?", "{byte:?} came back instead of \"?\"");
    Ok(())
}

/// Tries until it works, the guest ends or the time is up.
pub fn until(guest: &Guest, attempt: impl Fn() -> Result<()>) -> Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(error) if !guest.is_running() => return Err(error.context("QEMU has ended")),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}
