// SPDX-License-Identifier: BSD-2-Clause

//! ICMP: echoes, and what errors mean for sockets.

use smoltcp::wire::IpProtocol;
use socket_proto::{Errno, SocketKind};

use crate::frames::TxQueue;
use crate::ip::icmp::{self, Error, Message, Why};
use crate::ip::packet::{Packet, Tuple};
use crate::protocol::window::Window;
use crate::server::Server;

/// Codes of "destination unreachable" (RFC 792).
pub(crate) const PROTOCOL: u8 = 2;
pub(crate) const PORT: u8 = 3;

impl<W: Window> Server<W> {
    /// Handles an ICMP message.
    pub(crate) fn icmp<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) {
        match icmp::parse(packet.payload, self.stack.address()) {
            None => self.counters.drops_malformed += 1,
            // An echo from all hosts would be an amplifier (RFC 1122 section 3.2.2.6 lets us be
            // silent).
            Some(Message::Echo) if packet.to_all => {}
            Some(Message::Echo) => {
                if self.may_send_icmp(packet) {
                    if self.stack.send_echo(packet, tx, &mut self.counters) {
                        self.counters.icmp_echo_replies += 1;
                    } else {
                        self.counters.drops_no_tx_buffer += 1;
                    }
                }
            }
            Some(Message::Error(error)) if !packet.to_all => self.undelivered(error),
            Some(Message::Error(_) | Message::Other) => {}
        }
    }

    fn may_send_icmp(&mut self, packet: &Packet) -> bool {
        let now = self.stack.now();
        let allowed = self.stack.limits.icmp.allow(packet.source, now);
        self.counters.replies_limited += u64::from(!allowed);
        allowed
    }

    /// Tells a sender that there is no such port or protocol here, unless it said so to all hosts
    /// (RFC 1122 section 3.2.2).
    pub(crate) fn refuse<T: TxQueue>(&mut self, code: u8, packet: &Packet, tx: &mut T) {
        if packet.to_all || packet.source.is_unspecified() || !self.may_send_icmp(packet) {
            return;
        }
        let counters = &mut self.counters;
        if !self.stack.send_unreachable(code, packet, tx, counters) {
            self.counters.drops_no_tx_buffer += 1;
        }
    }

    /// A packet of ours did not arrive, says somebody. Believed if such a packet may be on its way.
    fn undelivered(&mut self, error: Error) {
        let believed = match error.protocol {
            IpProtocol::Tcp => self.segment_undelivered(error),
            IpProtocol::Udp => self.datagram_undelivered(error),
            _ => false,
        };
        self.counters.icmp_ignored += u64::from(!believed);
    }

    fn segment_undelivered(&mut self, error: Error) -> bool {
        let Some(index) = self.tuples.get(&error.tuple) else {
            return false;
        };
        let index = index as usize;
        let connection = self.tcp.get(index);
        if !connection.is_in_flight(error.sequence) {
            return false;
        }
        match error.why {
            Why::TooBig { mtu } => self.path_narrows(error, mtu),
            // An established connection goes on: its own timers decide (RFC 1122 section 4.2.3.9).
            Why::Failed { errno, .. } if connection.connecting => self.attempt_failed(index, errno),
            Why::Failed { .. } => {}
        }
        true
    }

    fn datagram_undelivered(&mut self, error: Error) -> bool {
        if !self.may_have_sent(error.tuple) {
            return false;
        }
        match error.why {
            Why::TooBig { mtu } => {
                self.path_narrows(error, mtu);
                self.datagram_failed(error.tuple, Errno::EMSGSIZE);
            }
            Why::Failed { errno, fatal: true } => self.datagram_failed(error.tuple, errno),
            Why::Failed { .. } => {}
        }
        true
    }

    /// Whether a datagram socket with this name exists: a connected one sends to its peer.
    fn may_have_sent(&mut self, tuple: Tuple) -> bool {
        let found = self.ports.get(SocketKind::Datagram, tuple.local.1);
        let remote = found.and_then(|owner| {
            let client = self.clients.get_mut(usize::from(owner.client))?.as_mut()?;
            Some(client.datagram_mut(usize::from(owner.slot))?.remote)
        });
        remote.is_some_and(|remote| remote.is_none_or(|remote| remote == tuple.remote))
    }

    fn path_narrows(&mut self, error: Error, mtu: u16) {
        let (to, now) = (error.tuple.remote.0, self.stack.now());
        let (length, mtu) = (error.length, usize::from(mtu));
        let narrower = self.stack.paths.too_big(to, length, mtu, now);
        self.counters.path_mtu_changes += u64::from(narrower);
    }

    /// A connected datagram socket is told that what it sent did not arrive.
    pub(crate) fn datagram_failed(&mut self, tuple: Tuple, errno: Errno) {
        if let Some(owner) = self.ports.get(SocketKind::Datagram, tuple.local.1)
            && let Some(Some(client)) = self.clients.get_mut(usize::from(owner.client))
            && let Some(datagram) = client.datagram_mut(usize::from(owner.slot))
            && datagram.remote == Some(tuple.remote)
        {
            datagram.error = Some(errno);
            self.refresh(owner);
        }
    }
}
