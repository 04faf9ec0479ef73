// SPDX-License-Identifier: BSD-2-Clause
//! UDP echo. Datagrams may be lost, so each is sent again until it has come back; one that
//! comes back with other contents is an error at once.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use host_peer::contents;

use super::echoing::join;
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT};

pub const TESTS: &[Test] = test_list![Sockets:
    udp_echo_sizes,
    udp_many_at_once,
];

/// What fits one Ethernet frame: MTU 1500 less IPv4 header 20 and UDP header 8 (RFC 791, RFC 768).
const LARGEST: usize = 1472;
/// After this time without an answer a datagram is sent again.
const RESEND: Duration = Duration::from_secs(1);

fn udp_echo_sizes(world: &mut Sockets) -> Result<()> {
    let mut peer = Peer::new(world.echo)?;
    for size in (1..=64).chain([512, 1000, 1024, LARGEST - 1, LARGEST]) {
        peer.exchange(&[contents::random(size as u64, size)])
            .with_context(|| format!("{size} bytes"))?;
    }
    Ok(())
}

/// Eight sockets of 32 datagrams each, all under way at once.
fn udp_many_at_once(world: &mut Sockets) -> Result<()> {
    let echo = world.echo;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn(move || {
                    let mut peer = Peer::new(echo)?;
                    for round in 0..10 {
                        let seeds = (number * 10 + round) * 32..;
                        let batch: Vec<_> = seeds
                            .take(32)
                            .map(|seed: usize| contents::random(seed as u64, 16 + seed * 7 % 1400))
                            .collect();
                        peer.exchange(&batch)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(join)
    })
}

/// How often a datagram went out and came back.
#[derive(Default)]
struct Count {
    sent: usize,
    received: usize,
}

/// A socket that resends until everything has come back.
pub struct Peer {
    socket: UdpSocket,
    /// Every datagram ever sent here: an answer may come after the next batch has begun.
    counts: HashMap<Vec<u8>, Count>,
}

impl Peer {
    /// Connects to the echo service.
    pub fn new(echo: SocketAddr) -> Result<Self> {
        let any: IpAddr = match echo {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(echo)?;
        socket.set_read_timeout(Some(RESEND))?;
        Ok(Self {
            socket,
            counts: HashMap::new(),
        })
    }

    fn is_missing(&self, datagram: &[u8]) -> bool {
        self.counts
            .get(datagram)
            .is_none_or(|count| count.received == 0)
    }

    /// Sends the datagrams, and those that do not come back again, until all have come back.
    pub fn exchange(&mut self, batch: &[Vec<u8>]) -> Result<()> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let missing: Vec<_> = batch.iter().filter(|d| self.is_missing(d)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{} datagrams did not come back",
                missing.len()
            );
            for datagram in missing {
                self.counts.entry(datagram.clone()).or_default().sent += 1;
                self.socket.send(datagram)?;
            }
            while batch.iter().any(|d| self.is_missing(d)) && self.receive()? {}
        }
    }

    /// Takes one datagram; false if none came in time.
    fn receive(&mut self) -> Result<bool> {
        let mut buffer = [0; 65536];
        let n = match self.socket.recv(&mut buffer) {
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(e) => return Err(e).context("cannot receive"),
        };
        let Some(count) = self.counts.get_mut(&buffer[..n]) else {
            bail!("{n} bytes came back that were never sent");
        };
        count.received += 1;
        ensure!(
            count.received <= count.sent,
            "a datagram of {n} bytes came back twice"
        );
        Ok(true)
    }
}
