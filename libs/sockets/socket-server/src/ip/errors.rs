// SPDX-License-Identifier: BSD-2-Clause

//! ICMP: echoes are answered, errors are handed up, and senders are told of what found nobody.

use super::Network;
use super::icmp::{self, Error, Message};
use super::packet::Packet;
use crate::counters::Counter;
use crate::frames::TxQueue;

/// Codes of "destination unreachable" (RFC 792).
pub(crate) const PROTOCOL: u8 = 2;
pub(crate) const PORT: u8 = 3;

impl Network {
    /// Handles an ICMP message. Returns what it says about a packet that claims to be ours.
    pub(crate) fn icmp<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) -> Option<Error> {
        match icmp::parse(packet.payload, self.address()) {
            None => self.stats.inc(Counter::DropsMalformed),
            // An echo from all hosts would be an amplifier (RFC 1122 section 3.2.2.6 lets us be
            // silent).
            Some(_) if packet.to_all => {}
            Some(Message::Echo) => {
                if self.may_send_icmp(packet) {
                    match self.send_echo(packet, tx) {
                        Some(()) => self.stats.inc(Counter::IcmpEchoReplies),
                        None => self.stats.inc(Counter::DropsNoTxBuffer),
                    }
                }
            }
            Some(Message::Error(error)) => return Some(error),
            Some(Message::Other) => {}
        }
        None
    }

    fn may_send_icmp(&mut self, packet: &Packet) -> bool {
        let allowed = self.limits.icmp.allow(packet.source, self.now);
        self.stats.add(Counter::RepliesLimited, u64::from(!allowed));
        allowed
    }

    /// Tells a sender that there is no such port or protocol here, unless it said so to all hosts
    /// (RFC 1122 section 3.2.2).
    pub(crate) fn refuse<T: TxQueue>(&mut self, code: u8, packet: &Packet, tx: &mut T) {
        if packet.to_all || packet.source.is_unspecified() || !self.may_send_icmp(packet) {
            return;
        }
        if self.send_unreachable(code, packet, tx).is_none() {
            self.stats.inc(Counter::DropsNoTxBuffer);
        }
    }

    /// A router says that a packet of ours was too long for its next link.
    pub(crate) fn path_narrows(&mut self, error: Error, mtu: u16) {
        let (to, length) = (error.tuple.remote.0, error.length);
        let narrower = self.paths.too_big(to, length, mtu.into(), self.now);
        self.stats.add(Counter::PathMtuChanges, u64::from(narrower));
    }
}
