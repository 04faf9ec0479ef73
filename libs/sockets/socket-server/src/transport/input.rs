// SPDX-License-Identifier: BSD-2-Clause

//! TCP segments that come in: to their connection, to what is left of one, to a listening socket,
//! or to nobody (RFC 9293 section 3.10.7, RFC 5961).

use super::congestion::Acknowledged;
use super::ending::Cause;
use super::engine::State;
use super::opening::Listening;
use super::segment::{self, Control, Segment, before};
use super::tcp::Tcp;
use super::time_wait::Remains;
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::ip::Network;
use crate::ip::output::Marks;
use crate::ip::packet::{Packet, Tuple};
use crate::tables::id::ConnectionId;

/// A segment that has come, and what is at hand to deal with it.
pub(crate) struct Arrival<'a, T> {
    pub packet: &'a Packet<'a>,
    /// Its ends.
    pub tuple: Tuple,
    pub tcp: &'a mut Tcp,
    pub net: &'a mut Network,
    pub tx: &'a mut T,
}

impl<T: TxQueue> Arrival<'_, T> {
    /// It belongs to a connection.
    pub(crate) fn for_connection(mut self, id: ConnectionId) {
        let Some(segment) = segment::glance(self.packet) else {
            self.net.stats.inc(Counter::DropsMalformed);
            return;
        };
        let sent = self.tcp.connections[id].snd_max();
        if !segment.is_sudden() && segment.ack.is_none_or(|ack| !before(sent, ack)) {
            return self.deliver(segment, id);
        }
        if let Some(segment) = self.parse() {
            self.unusual(segment, id);
        }
    }

    /// It belongs to no connection: it may be for what is left of one, or for the socket that
    /// listens there, if there is one. Returns the connection that it has established.
    pub(crate) fn for_no_connection(
        mut self,
        listening: Option<Listening>,
    ) -> Option<ConnectionId> {
        let segment = self.parse()?;
        if let Some(remains) = self.tcp.time_wait.get(&self.tuple) {
            self.late(segment, remains, listening);
            None
        } else if let Some(half_open) = self.tcp.half_open.get(&self.tuple) {
            self.confirmation(segment, half_open, listening)
        } else {
            self.stray(segment, listening)
        }
    }

    fn parse(&mut self) -> Option<Segment> {
        let segment = segment::parse(self.packet);
        self.net
            .stats
            .add(Counter::DropsMalformed, u64::from(segment.is_none()));
        segment
    }

    /// Sends a segment of our own making to where this one came from.
    pub(super) fn reply(&mut self, reply: Segment) {
        let (marks, back) = (Marks::USUAL, self.packet.back);
        self.net
            .send_segment(reply, &self.tuple, marks, back, self.tx);
    }

    /// Tells the sender that there is no such connection, unless it was told so often of late.
    pub(super) fn reset(&mut self, segment: Segment) {
        if segment.control != Control::Rst
            && self.net.may_reset(self.tuple.remote.0, self.packet.back)
        {
            self.net.stats.inc(Counter::TcpResetsSent);
            self.reply(Segment::reset(&segment));
        }
    }

    /// A segment for a connection that could do harm if somebody else had sent it: a SYN, a reset,
    /// or an acknowledgement of what was never sent. Only what its sender could not have guessed
    /// has an effect; the rest is answered with where the connection stands.
    fn unusual(&mut self, segment: Segment, id: ConnectionId) {
        let connection = &mut self.tcp.connections[id];
        match connection.state() {
            // Nothing is known of the peer yet; smoltcp takes only what acknowledges our SYN.
            State::SynSent => {
                if segment.control == Control::Syn {
                    connection.set_peer(segment, self.tcp.scale);
                }
                return self.deliver(segment, id);
            }
            State::Closed => return self.reset(segment),
            _ => {}
        }
        let expected = connection.rcv_nxt();
        let is_reset = segment.control == Control::Rst;
        if is_reset && segment.seq == expected {
            return self.deliver(segment, id);
        }
        let ahead = segment.seq.wrapping_sub(expected) as usize;
        let in_window = ahead < self.tcp.buffers.large.receive;
        if !is_reset || in_window {
            self.challenge(segment, id);
        }
    }

    /// Sends an acknowledgement, from which an honest peer learns what to send instead (RFC 5961).
    /// A segment just before the window makes smoltcp send one, not too many a second.
    fn challenge(&mut self, segment: Segment, id: ConnectionId) {
        self.net.stats.inc(Counter::TcpChallenges);
        let connection = &mut self.tcp.connections[id];
        let before_window = connection.rcv_nxt().wrapping_sub(1);
        let probe = Segment::ack(before_window, connection.snd_una(), segment.window);
        let mut buffer = Segment::buffer();
        let probe = probe.emit_as_peer(&self.tuple, &[], &mut buffer);
        let (engine, back) = (&mut self.tcp.engine, self.packet.back);
        engine.ingress(&mut connection.socket, probe, back, self.net, self.tx);
    }

    /// Gives an ordinary segment to its connection.
    pub(super) fn deliver(&mut self, segment: Segment, id: ConnectionId) {
        let connection = &mut self.tcp.connections[id];
        let before = connection.snd_una();
        let duplicate = connection.is_duplicate(segment);
        // smoltcp does not see it: it would count it, and send again what is not lost.
        if !duplicate {
            let (engine, back) = (&mut self.tcp.engine, self.packet.back);
            let (socket, packet) = (&mut connection.socket, self.packet);
            let sent = if packet.destination.is_v4() {
                engine.ingress(socket, packet.bytes, back, self.net, self.tx)
            } else {
                let segment = (&self.tuple, packet.payload);
                engine.ingress6(socket, segment, back, self.net, self.tx)
            };
            connection.note_left(&sent);
        }
        let connection = &mut self.tcp.connections[id];
        if duplicate || segment.ack == Some(connection.snd_una()) {
            if !duplicate {
                connection.flow.offer(segment.window);
            }
            self.tcp.note_acknowledged(id, before, duplicate, self.net);
        }
        let connection = &self.tcp.connections[id];
        if connection.is_filling() {
            self.tcp.grow(id, self.net);
        }
        let connection = &self.tcp.connections[id];
        if connection.state() == State::TimeWait && connection.seen != State::TimeWait {
            self.enter_time_wait(id);
        }
        self.tcp.settle(id, Cause::Packet, self.net);
        self.tcp.wake(id);
    }

    /// Both sides have closed, and this side closed first: the connection's buffers are not needed
    /// any more.
    fn enter_time_wait(&mut self, id: ConnectionId) {
        let connection = &self.tcp.connections[id];
        let (next, expected) = (connection.snd_nxt_closed(), connection.rcv_nxt());
        let now = self.net.now();
        self.tcp.time_wait.insert(self.tuple, next, expected, now);
        self.tcp.forget_tuple(id);
        self.reply(Segment::ack(next, expected, 0));
    }

    /// A segment for a connection in TIME-WAIT (RFC 9293 section 3.10.7.4, RFC 6191 section 2).
    fn late(&mut self, segment: Segment, remains: Remains, listening: Option<Listening>) {
        let Remains { next, expected, .. } = remains;
        if segment.control == Control::Rst {
            if segment.seq == expected {
                self.tcp.time_wait.remove(&self.tuple);
            }
            return;
        }
        if segment.opens()
            && before(expected, segment.seq)
            && let Some(listening) = listening
        {
            // A new connection between the same ends: its numbers are higher than any old ones.
            self.tcp.time_wait.remove(&self.tuple);
            return self.request_to_open(segment, listening);
        }
        if segment.control == Control::Fin {
            let now = self.net.now();
            self.tcp.time_wait.insert(self.tuple, next, expected, now);
        }
        if segment.control != Control::None || segment.data > 0 || segment.seq != expected {
            self.reply(Segment::ack(next, expected, 0));
        }
    }

    /// A segment that belongs to no connection (RFC 9293 sections 3.10.7.1 and 3.10.7.2).
    pub(super) fn stray(
        &mut self,
        segment: Segment,
        listening: Option<Listening>,
    ) -> Option<ConnectionId> {
        if segment.control == Control::Rst {
            return None;
        }
        if let Some(listening) = listening {
            if segment.opens() {
                self.request_to_open(segment, listening);
                return None;
            }
            // Without an acknowledgement it can belong to nothing that this machine has sent.
            let Some(ack) = segment.ack else {
                self.net.stats.inc(Counter::DropsNoSocket);
                return None;
            };
            if segment.control != Control::Syn
                && let Some(half_open) = self.redeem(segment, ack)
            {
                return self.establish(&half_open, segment, listening);
            }
        }
        self.net.stats.inc(Counter::DropsNoSocket);
        self.reset(segment);
        None
    }
}

impl Tcp {
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
            let segment = Segment::ack(connection.rcv_nxt(), connection.snd_una(), window);
            let socket = &mut connection.socket;
            self.engine.inject(socket, segment, &tuple, net.now());
        }
    }
}
