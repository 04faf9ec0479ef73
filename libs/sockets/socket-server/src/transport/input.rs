// SPDX-License-Identifier: BSD-2-Clause

//! TCP segments that come in: to their connection, to what is left of one, to a listening socket,
//! or to nobody (RFC 9293 section 3.10.7, RFC 5961).

use super::congestion::Acknowledged;
use super::engine::State;
use super::opening::Listening;
use super::segment::{self, ControlSegment, Glance, Segment, before};
use super::tcp::Tcp;
use super::time_wait::Remains;
use crate::frames::TxQueue;
use crate::ip::Network;
use crate::ip::packet::{Packet, Tuple};
use crate::tables::id::ConnectionId;
use crate::transport::ending::Cause;

impl Tcp {
    /// Takes a segment of a connection.
    pub(crate) fn receive<T: TxQueue>(
        &mut self,
        packet: &Packet,
        id: ConnectionId,
        net: &mut Network,
        tx: &mut T,
    ) {
        let Some(glance) = segment::glance(packet) else {
            net.counters.drops_malformed += 1;
            return;
        };
        let sent = self.connections[id].snd_max();
        if !glance.control && glance.ack.is_none_or(|ack| !before(sent, ack)) {
            // smoltcp checks all of it.
            return self.deliver(packet, glance, id, net, tx);
        }
        match segment::parse(packet, self.engine.checksums()) {
            Some(segment) => self.unusual_segment(packet, glance, segment, id, net, tx),
            None => net.counters.drops_malformed += 1,
        }
    }

    /// A segment for a connection that could do harm if somebody else had sent it: a SYN, a reset,
    /// or an acknowledgement of what was never sent. Only what its sender could not have guessed
    /// has an effect; the rest is answered with where the connection stands.
    fn unusual_segment<T: TxQueue>(
        &mut self,
        packet: &Packet,
        glance: Glance,
        segment: Segment,
        id: ConnectionId,
        net: &mut Network,
        tx: &mut T,
    ) {
        let connection = &mut self.connections[id];
        let Some(tuple) = connection.tuple else {
            return;
        };
        match connection.state() {
            // Nothing is known of the peer yet; smoltcp takes only what acknowledges our SYN.
            State::SynSent => {
                if segment.syn {
                    connection.set_peer(segment.seq, segment.options);
                }
                return self.deliver(packet, glance, id, net, tx);
            }
            State::Closed => return reset(segment, &tuple, net, tx),
            _ => {}
        }
        let expected = connection.rcv_nxt();
        if segment.rst && !segment.syn && segment.seq == expected {
            return self.deliver(packet, glance, id, net, tx);
        }
        let in_window = segment.seq.wrapping_sub(expected) < connection.window();
        if !segment.rst || segment.syn || in_window {
            self.challenge(segment, &tuple, id, net, tx);
        }
    }

    /// Sends an acknowledgement, from which an honest peer learns what to send instead (RFC 5961).
    /// A segment just before the window makes smoltcp send one, not too many a second.
    fn challenge<T: TxQueue>(
        &mut self,
        segment: Segment,
        tuple: &Tuple,
        id: ConnectionId,
        net: &mut Network,
        tx: &mut T,
    ) {
        net.counters.tcp_challenges += 1;
        let connection = &mut self.connections[id];
        let before_window = connection.rcv_nxt().wrapping_sub(1);
        let probe = ControlSegment::ack(before_window, connection.snd_una(), segment.window);
        let mut buffer = ControlSegment::buffer();
        let probe = probe.emit_as_peer(tuple, &mut buffer);
        let socket = &mut connection.socket;
        self.engine.ingress(socket, probe, segment.mac, net, tx);
    }

    /// Gives an ordinary segment to its connection.
    pub(super) fn deliver<T: TxQueue>(
        &mut self,
        packet: &Packet,
        glance: Glance,
        id: ConnectionId,
        net: &mut Network,
        tx: &mut T,
    ) {
        let connection = &mut self.connections[id];
        let before = connection.snd_una();
        if connection.is_duplicate(glance) {
            // smoltcp does not see it: it would count it, and send again what is not lost.
            if segment::parse(packet, self.engine.checksums()).is_none() {
                net.counters.drops_malformed += 1;
                return;
            }
            self.note_acknowledged(id, before, true, net);
        } else {
            let socket = &mut connection.socket;
            let sent = self
                .engine
                .ingress(socket, packet.bytes, packet.sender, net, tx);
            connection.reached |= sent.packets > 0;
            let after = connection.snd_una();
            let begins_time_wait =
                connection.state() == State::TimeWait && connection.seen != State::TimeWait;
            if glance.ack == Some(after) {
                connection.flow.offer(glance.window);
                self.note_acknowledged(id, before, false, net);
            }
            if begins_time_wait {
                self.enter_time_wait(packet, id, net, tx);
            }
        }
        self.settle(id, Cause::Packet, net);
        self.wake(id);
    }

    /// Tells the congestion control of an acknowledgement, and does what it wants: has smoltcp send
    /// the oldest unacknowledged segment again, which it does after three duplicates of an
    /// acknowledgement that it knows.
    fn note_acknowledged(
        &mut self,
        id: ConnectionId,
        before: u32,
        duplicate: bool,
        net: &mut Network,
    ) {
        let connection = &mut self.connections[id];
        let by = Acknowledged {
            before,
            after: connection.snd_una(),
            highest: connection.snd_max(),
            duplicate,
        };
        if connection.flow.congestion.acknowledged(by) && connection.is_sending() {
            let window = connection.flow.window();
            connection.flow.resend = true;
            for _ in 0..4 {
                self.acknowledge(id, window, net);
            }
        }
    }

    /// Gives smoltcp an acknowledgement that repeats what it knows, but for the window.
    pub(super) fn acknowledge(&mut self, id: ConnectionId, window: u16, net: &Network) {
        let connection = &mut self.connections[id];
        if let Some(tuple) = connection.tuple {
            let segment = ControlSegment::ack(connection.rcv_nxt(), connection.snd_una(), window);
            let socket = &mut connection.socket;
            self.engine.inject(socket, segment, &tuple, net.now());
        }
    }

    /// Both sides have closed, and this side closed first: the connection's buffers are not needed
    /// any more.
    fn enter_time_wait<T: TxQueue>(
        &mut self,
        packet: &Packet,
        id: ConnectionId,
        net: &mut Network,
        tx: &mut T,
    ) {
        let connection = &self.connections[id];
        let Some(tuple) = connection.tuple else {
            return;
        };
        let (next, expected) = (connection.snd_nxt_closed(), connection.rcv_nxt());
        self.time_wait.insert(tuple, next, expected, net.now());
        self.forget_tuple(id);
        if let Some(segment) = segment::parse(packet, self.engine.checksums()) {
            let ack = ControlSegment::ack(next, expected, 0);
            net.send_segment(ack, &tuple, segment.mac, tx);
        }
    }

    /// Takes a segment that belongs to no connection: it may be for what is left of one, or for the
    /// socket that listens there, if there is one. Returns the connection that it has established.
    pub(crate) fn receive_stray<T: TxQueue>(
        &mut self,
        packet: &Packet,
        tuple: Tuple,
        listening: Option<Listening>,
        net: &mut Network,
        tx: &mut T,
    ) -> Option<ConnectionId> {
        let Some(segment) = segment::parse(packet, self.engine.checksums()) else {
            net.counters.drops_malformed += 1;
            return None;
        };
        if let Some(remains) = self.time_wait.get(&tuple) {
            self.late_segment(segment, tuple, remains, listening, net, tx);
            None
        } else if let Some(half_open) = self.half_open.get(&tuple) {
            self.confirmation(packet, segment, half_open, listening, net, tx)
        } else {
            self.stray_segment(packet, segment, tuple, listening, net, tx)
        }
    }

    /// A segment for a connection in TIME-WAIT (RFC 9293 section 3.10.7.4, RFC 6191 section 2).
    fn late_segment<T: TxQueue>(
        &mut self,
        segment: Segment,
        tuple: Tuple,
        remains: Remains,
        listening: Option<Listening>,
        net: &mut Network,
        tx: &mut T,
    ) {
        let Remains { next, expected, .. } = remains;
        if segment.rst {
            if segment.seq == expected {
                self.time_wait.remove(&tuple);
            }
            return;
        }
        if segment.syn
            && segment.ack.is_none()
            && before(expected, segment.seq)
            && let Some(listening) = listening
        {
            // A new connection between the same ends: its numbers are higher than any old ones.
            self.time_wait.remove(&tuple);
            return self.request_to_open(segment, tuple, listening, net, tx);
        }
        if segment.fin {
            self.time_wait.insert(tuple, next, expected, net.now());
        }
        if segment.syn || segment.fin || segment.data > 0 || segment.seq != expected {
            let ack = ControlSegment::ack(next, expected, 0);
            net.send_segment(ack, &tuple, segment.mac, tx);
        }
    }

    /// A segment that belongs to no connection (RFC 9293 sections 3.10.7.1 and 3.10.7.2).
    pub(super) fn stray_segment<T: TxQueue>(
        &mut self,
        packet: &Packet,
        segment: Segment,
        tuple: Tuple,
        listening: Option<Listening>,
        net: &mut Network,
        tx: &mut T,
    ) -> Option<ConnectionId> {
        if segment.rst {
            return None;
        }
        if let Some(listening) = listening {
            match segment.ack {
                None if segment.syn => {
                    self.request_to_open(segment, tuple, listening, net, tx);
                    return None;
                }
                // It can belong to nothing that this machine has sent.
                None => {
                    net.counters.drops_no_socket += 1;
                    return None;
                }
                Some(_) if segment.syn => {}
                Some(ack) => {
                    if let Some(half_open) = self.redeem(segment, ack, tuple, net) {
                        return self.establish(packet, &half_open, listening, net, tx);
                    }
                }
            }
        }
        net.counters.drops_no_socket += 1;
        reset(segment, &tuple, net, tx);
        None
    }
}

/// Tells the sender of a segment that there is no such connection, unless it was told so often of
/// late.
pub(super) fn reset<T: TxQueue>(segment: Segment, tuple: &Tuple, net: &mut Network, tx: &mut T) {
    if !segment.rst && net.may_reset(tuple.remote.0) {
        net.counters.tcp_resets_sent += 1;
        net.send_segment(ControlSegment::reset(&segment), tuple, segment.mac, tx);
    }
}
