// SPDX-License-Identifier: BSD-2-Clause
//! The guest's Ethernet cable, seen from its other end: frames are datagrams on the loopback.

pub mod checksum;
pub mod fragments;
pub mod frames;
pub mod probe;
#[cfg(test)]
pub mod test_peer;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use smoltcp::wire::{EthernetAddress, Ipv4Address};

/// The address of the guest, from the declaration.
pub const GUEST_IP: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
/// The address of the gateway, which we play.
pub const GATEWAY_IP: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);
/// Our Ethernet address: locally administered, as QEMU's own gateway has it.
pub const GATEWAY_MAC: EthernetAddress = EthernetAddress([0x52, 0x55, 0x0a, 0x00, 0x02, 0x02]);
/// How often a request is repeated that nobody answers: frames may be lost.
const REPEAT: Duration = Duration::from_secs(1);

/// Our end of the cable.
#[derive(Debug)]
pub struct Link {
    socket: UdpSocket,
    guest: SocketAddr,
}

impl Link {
    /// Opens our end before QEMU opens the other at `guest_port` of the loopback, so that no
    /// frame is missed.
    ///
    /// # Errors
    /// If no socket can be had.
    pub fn open(guest_port: u16) -> Result<Self> {
        Ok(Self {
            socket: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?,
            guest: (Ipv4Addr::LOCALHOST, guest_port).into(),
        })
    }

    /// The port that QEMU has to send to.
    ///
    /// # Errors
    /// As `getsockname(2)`.
    pub fn port(&self) -> Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    /// Sends a frame. Before QEMU is there it is lost, as on a cable that nobody holds.
    ///
    /// # Errors
    /// As `sendto(2)`.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        match self.socket.send_to(frame, self.guest) {
            Ok(_) => Ok(()),
            Err(e) if e.kind() == ErrorKind::ConnectionRefused => Ok(()),
            Err(e) => Err(e).context("cannot send a frame"),
        }
    }

    /// Receives one frame; none if the time passes first.
    ///
    /// # Errors
    /// As `recvfrom(2)`.
    pub fn receive(&self, deadline: Instant) -> Result<Option<Vec<u8>>> {
        let mut buffer = [0; 65536];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left))?;
            match self.socket.recv_from(&mut buffer) {
                Ok((n, sender)) if sender == self.guest => {
                    return Ok(Some(buffer.get(..n).unwrap_or_default().to_vec()));
                }
                Ok(_) => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                // The answer to a frame sent before QEMU was there.
                Err(e) if e.kind() == ErrorKind::ConnectionRefused => {}
                Err(e) => return Err(e).context("cannot receive a frame"),
            }
        }
    }

    /// Waits for a frame that `wanted` takes, and meanwhile answers for the gateway, as a host
    /// on the network must. With `request` it sends that frame first, and again each second.
    ///
    /// # Errors
    /// If none has come in time.
    pub fn wait_for<T>(
        &self,
        request: Option<&[u8]>,
        timeout: Duration,
        mut wanted: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + timeout;
        let mut others = Vec::new();
        while Instant::now() < deadline {
            if let Some(frame) = request {
                self.send(frame)?;
            }
            let next = deadline.min(Instant::now() + REPEAT);
            while let Some(frame) = self.receive(next)? {
                if let Some(found) = wanted(&frame) {
                    return Ok(found);
                }
                self.answer_for_gateway(&frame)?;
                others.push(frames::describe(&frame));
            }
        }
        let from = others.len().saturating_sub(5);
        let others = others.get(from..).unwrap_or_default();
        bail!("the frame did not come; the last of the others: {others:?}");
    }

    /// Answers an ARP request for the gateway.
    fn answer_for_gateway(&self, frame: &[u8]) -> Result<()> {
        match frames::arp_request_for(frame, GATEWAY_IP) {
            Some(asker) => self.send(&frames::arp_reply(asker)),
            None => Ok(()),
        }
    }
}
