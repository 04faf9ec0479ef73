// SPDX-License-Identifier: BSD-2-Clause
//! A host that the test plays, with what a host must do: answer ARP.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use smoltcp::wire::{ArpOperation, EthernetAddress, IpProtocol};
use testnet::RawPort;

use super::Lan;
use super::packets::{Host, Packet, arp_reply, arp_request};
use crate::link::GUEST_IP;
use crate::link::frames::{Echo, describe};
use crate::world::TIMEOUT;

/// How often a request is repeated that nobody answers.
const REPEAT: Duration = Duration::from_secs(1);

/// A host beside the guest.
#[derive(Clone, Copy, Debug)]
pub struct Station<'l> {
    lan: &'l Lan,
    /// its addresses
    pub host: Host,
}

impl Lan {
    /// The host with this number.
    pub fn station(&self, number: u16) -> Station<'_> {
        Station {
            lan: self,
            host: Host::numbered(number),
        }
    }
}

impl Station<'_> {
    /// Sends an IPv4 packet to the guest.
    pub fn send(&self, protocol: IpProtocol, payload: &[u8]) -> Result<()> {
        let frame = self.host.ipv4(self.lan.guest_mac, protocol, payload);
        self.lan.raw.send(&frame)
    }

    /// Sends a frame to the guest.
    pub fn send_frame(&self, frame: &[u8]) -> Result<()> {
        self.lan.raw.send(frame)
    }

    /// The guest's Ethernet address.
    pub fn guest(&self) -> EthernetAddress {
        self.lan.guest_mac
    }

    /// Waits for a packet to this host that `wanted` takes. With `request` it sends that frame
    /// first, and again each second.
    ///
    /// # Errors
    /// If none has come in time.
    pub fn wait_for<T>(
        &self,
        request: Option<&[u8]>,
        timeout: Duration,
        mut wanted: impl FnMut(&Packet) -> Option<T>,
    ) -> Result<T> {
        self.wait_for_frame(request, timeout, |frame| {
            let packet = Packet::read(frame)?;
            if packet.to.ip == self.host.ip {
                wanted(&packet)
            } else {
                None
            }
        })
    }

    /// As [`Station::wait_for`], with every frame that comes to the test's port.
    ///
    /// # Errors
    /// If none has come in time.
    pub fn wait_for_frame<T>(
        &self,
        request: Option<&[u8]>,
        timeout: Duration,
        mut wanted: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + timeout;
        let mut last = Vec::new();
        while Instant::now() < deadline {
            if let Some(frame) = request {
                self.lan.raw.send(frame)?;
            }
            let next = deadline.min(Instant::now() + REPEAT);
            while let Some(frame) = self.lan.raw.receive(next)? {
                if let Some(found) = wanted(&frame) {
                    return Ok(found);
                }
                self.answer_arp(&frame)?;
                last = frame;
            }
        }
        let last = describe(&last);
        bail!("the packet did not come; the last other frame: {last}");
    }

    /// Answers an ARP request for this host.
    pub fn answer_arp(&self, frame: &[u8]) -> Result<()> {
        match arp_request(frame) {
            Some((asker, target)) if target == self.host.ip => {
                let reply = self.host.arp(ArpOperation::Reply, asker);
                self.lan.raw.send(&reply)
            }
            _ => Ok(()),
        }
    }

    /// A ping that must be answered; `seen` gets every frame that comes before the answer.
    ///
    /// # Errors
    /// If no answer comes.
    pub fn ping(&self, sequence: u16, mut seen: impl FnMut(&[u8])) -> Result<()> {
        let echo = Echo {
            ident: 0x6c61,
            sequence,
            data: b"a host".to_vec(),
        };
        let ping = self.host.ping(self.lan.guest_mac, &echo);
        self.wait_for_frame(Some(&ping), TIMEOUT, |frame| {
            let answered = Packet::read(frame)
                .is_some_and(|p| p.to.ip == self.host.ip && p.pong() == Some(sequence));
            if !answered {
                seen(frame);
            }
            answered.then_some(())
        })
        .context("no answer to a ping")
    }
}

/// The guest's Ethernet address.
pub fn ask_for_guest(raw: &RawPort) -> Result<EthernetAddress> {
    let target = Host {
        mac: EthernetAddress([0; 6]),
        ip: GUEST_IP,
    };
    let request = Host::numbered(0).arp(ArpOperation::Request, target);
    let deadline = Instant::now() + TIMEOUT;
    while Instant::now() < deadline {
        raw.send(&request)?;
        while let Some(frame) = raw.receive(deadline.min(Instant::now() + REPEAT))? {
            if let Some(guest) = arp_reply(&frame).filter(|host| host.ip == GUEST_IP) {
                return Ok(guest.mac);
            }
        }
    }
    bail!("the guest does not answer ARP");
}
