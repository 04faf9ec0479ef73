// SPDX-License-Identifier: BSD-2-Clause

//! TCP segments that come in: to their connection, to what is left of one, to a listening socket,
//! or to nobody (RFC 9293 section 3.10.7, RFC 5961).

use smoltcp::socket::tcp::State;

use crate::counters::Counters;
use crate::frames::TxQueue;
use crate::ip::packet::{Packet, Tuple};
use crate::ip::stack::Nowhere;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::congestion::Acknowledged;
use crate::transport::ending::Cause;
use crate::transport::segment::{self, ControlSegment, Glance, Segment, before};
use crate::transport::time_wait::Remains;

impl<W: Window> Server<W> {
    /// Handles a packet that carries a TCP segment.
    pub(crate) fn tcp_segment<T: TxQueue>(&mut self, packet: &Packet, tuple: Tuple, tx: &mut T) {
        let Some(glance) = segment::glance(packet) else {
            self.counters.drops_malformed += 1;
            return;
        };
        let known = self.tuples.get(&tuple).map(|index| index as usize);
        if let Some(index) = known
            && !self.is_unusual(index, glance)
        {
            // smoltcp checks all of it.
            return self.segment(packet, glance, index, tx);
        }
        let Some(segment) = segment::parse(packet, self.stack.checksums()) else {
            self.counters.drops_malformed += 1;
            return;
        };
        if let Some(index) = known {
            self.unusual_segment(packet, glance, segment, index, tx);
        } else if let Some(remains) = self.time_wait.get(&tuple) {
            self.late_segment(segment, tuple, remains, tx);
        } else if let Some(half_open) = self.half_open.get(&tuple) {
            self.confirmation(packet, segment, half_open, tx);
        } else {
            self.stray_segment(packet, segment, tuple, tx);
        }
    }

    /// Whether a segment for a connection could do harm if somebody else had sent it.
    fn is_unusual(&self, index: usize, glance: Glance) -> bool {
        let connection = self.tcp.get(index);
        let sent = connection.snd_max();
        glance.control || glance.ack.is_some_and(|ack| before(sent, ack))
    }

    /// A SYN, a reset, or an acknowledgement of what was never sent. Only what its sender could not
    /// have guessed has an effect; the rest is answered with where the connection stands.
    fn unusual_segment<T: TxQueue>(
        &mut self,
        packet: &Packet,
        glance: Glance,
        segment: Segment,
        index: usize,
        tx: &mut T,
    ) {
        let connection = self.tcp.get_mut(index);
        match connection.socket().state() {
            // Nothing is known of the peer yet; smoltcp takes only what acknowledges our SYN.
            State::SynSent => {
                if segment.syn {
                    connection.set_peer(segment.seq, segment.options);
                }
                return self.segment(packet, glance, index, tx);
            }
            State::Closed => return self.reset(segment, self.tcp.get(index).tuple, tx),
            _ => {}
        }
        let expected = connection.rcv_nxt();
        if segment.rst && !segment.syn {
            if segment.seq == expected {
                self.segment(packet, glance, index, tx);
            } else if segment.seq.wrapping_sub(expected) < connection.window() {
                self.challenge(segment, index, tx);
            }
        } else {
            self.challenge(segment, index, tx);
        }
    }

    /// Sends an acknowledgement, from which an honest peer learns what to send instead (RFC 5961).
    /// A segment just before the window makes smoltcp send one, not too many a second.
    fn challenge<T: TxQueue>(&mut self, segment: Segment, index: usize, tx: &mut T) {
        let connection = self.tcp.get_mut(index);
        let Some(tuple) = connection.tuple else {
            return;
        };
        self.counters.tcp_challenges += 1;
        let before_window = connection.rcv_nxt().wrapping_sub(1);
        let probe = ControlSegment::ack(before_window, connection.snd_una(), segment.window);
        let mut buffer = ControlSegment::buffer();
        let probe = probe.emit_as_peer(&tuple, &mut buffer);
        let (set, counters) = (&mut connection.set, &mut self.counters);
        self.stack.ingress(probe, segment.mac, tx, set, counters);
    }

    /// An ordinary segment of a connection.
    pub(crate) fn segment<T: TxQueue>(
        &mut self,
        packet: &Packet,
        glance: Glance,
        index: usize,
        tx: &mut T,
    ) {
        let connection = self.tcp.get_mut(index);
        let before = connection.snd_una();
        if connection.is_duplicate(glance) {
            return self.duplicate(packet, index);
        }
        let (set, counters) = (&mut connection.set, &mut self.counters);
        let sent = self
            .stack
            .ingress(packet.bytes, packet.sender, tx, set, counters);
        connection.reached |= sent.packets > 0;
        let after = connection.snd_una();
        if glance.ack == Some(after) {
            connection.flow.offer(glance.window);
            self.note_acknowledged(index, before, false);
        }
        let connection = self.tcp.get(index);
        if connection.socket().state() == State::TimeWait && connection.seen != State::TimeWait {
            self.enter_time_wait(packet, index, tx);
        }
        self.settle(index, Cause::Packet);
        self.dirty.push(index);
    }

    /// An acknowledgement that says the same as the one before it. smoltcp does not see it: it
    /// would count it, and send again what is not lost.
    fn duplicate(&mut self, packet: &Packet, index: usize) {
        if segment::parse(packet, self.stack.checksums()).is_none() {
            self.counters.drops_malformed += 1;
            return;
        }
        let before = self.tcp.get(index).snd_una();
        self.note_acknowledged(index, before, true);
        self.settle(index, Cause::Packet);
        self.dirty.push(index);
    }

    /// Tells the congestion control of an acknowledgement, and does what it wants.
    fn note_acknowledged(&mut self, index: usize, before: u32, duplicate: bool) {
        let connection = self.tcp.get_mut(index);
        let by = Acknowledged {
            before,
            after: connection.snd_una(),
            highest: connection.snd_max(),
            duplicate,
        };
        if connection.flow.congestion.acknowledged(by) {
            self.send_again(index);
        }
    }

    /// Has smoltcp send the oldest unacknowledged segment again: it does after three duplicates of
    /// an acknowledgement that it knows.
    fn send_again(&mut self, index: usize) {
        let connection = self.tcp.get_mut(index);
        if connection.is_sending() {
            let window = connection.flow.window();
            connection.flow.resend = true;
            for _ in 0..4 {
                self.acknowledge(index, window);
            }
        }
    }

    /// Gives smoltcp an acknowledgement that repeats what it knows, but for the window.
    pub(crate) fn acknowledge(&mut self, index: usize, window: u16) {
        let connection = self.tcp.get_mut(index);
        let Some(tuple) = connection.tuple else {
            return;
        };
        let segment = ControlSegment::ack(connection.rcv_nxt(), connection.snd_una(), window);
        let (set, uncounted) = (&mut connection.set, &mut Counters::default());
        self.stack
            .inject(segment, &tuple, set, &mut Nowhere, uncounted);
    }

    /// Both sides have closed, and this side closed first: the connection's buffers are not needed
    /// any more.
    fn enter_time_wait<T: TxQueue>(&mut self, packet: &Packet, index: usize, tx: &mut T) {
        let connection = self.tcp.get(index);
        let Some(tuple) = connection.tuple else {
            return;
        };
        let (next, expected) = (connection.snd_nxt_closed(), connection.rcv_nxt());
        let now = self.stack.now();
        self.time_wait.insert(tuple, next, expected, now);
        self.forget_tuple(index);
        if let Some(segment) = segment::parse(packet, self.stack.checksums()) {
            self.send_reply(
                ControlSegment::ack(next, expected, 0),
                &tuple,
                segment.mac,
                tx,
            );
        }
    }

    /// A segment for a connection in TIME-WAIT (RFC 9293 section 3.10.7.4, RFC 6191 section 2).
    fn late_segment<T: TxQueue>(
        &mut self,
        segment: Segment,
        tuple: Tuple,
        remains: Remains,
        tx: &mut T,
    ) {
        let Remains { next, expected, .. } = remains;
        if segment.rst {
            if segment.seq == expected {
                self.time_wait.remove(&tuple);
            }
            return;
        }
        let opens = segment.syn && segment.ack.is_none();
        if opens && before(expected, segment.seq) && self.is_listening(tuple) {
            // A new connection between the same ends: its numbers are higher than any old ones.
            self.time_wait.remove(&tuple);
            return self.request_to_open(segment, tuple, tx);
        }
        if segment.fin {
            let now = self.stack.now();
            self.time_wait.insert(tuple, next, expected, now);
        }
        if segment.syn || segment.fin || segment.data > 0 || segment.seq != expected {
            self.send_reply(
                ControlSegment::ack(next, expected, 0),
                &tuple,
                segment.mac,
                tx,
            );
        }
    }

    /// A segment that belongs to no connection (RFC 9293 sections 3.10.7.1 and 3.10.7.2).
    pub(crate) fn stray_segment<T: TxQueue>(
        &mut self,
        packet: &Packet,
        segment: Segment,
        tuple: Tuple,
        tx: &mut T,
    ) {
        if segment.rst {
            return;
        }
        if self.is_listening(tuple) {
            match segment.ack {
                None if segment.syn => return self.request_to_open(segment, tuple, tx),
                // It can belong to nothing that this machine has sent.
                None => {
                    self.counters.drops_no_socket += 1;
                    return;
                }
                Some(_) if !segment.syn && self.redeem(packet, segment, tuple, tx) => return,
                Some(_) => {}
            }
        }
        self.counters.drops_no_socket += 1;
        self.reset(segment, Some(tuple), tx);
    }

    /// Tells the sender of a segment that there is no such connection, unless it was told so often
    /// of late.
    pub(crate) fn reset<T: TxQueue>(&mut self, segment: Segment, tuple: Option<Tuple>, tx: &mut T) {
        let Some(tuple) = tuple.filter(|_| !segment.rst) else {
            return;
        };
        let now = self.stack.now();
        if self.stack.limits.resets.allow(tuple.remote.0, now) {
            self.counters.tcp_resets_sent += 1;
            self.send_reply(ControlSegment::reset(&segment), &tuple, segment.mac, tx);
        } else {
            self.counters.replies_limited += 1;
        }
    }

    /// Sends a segment of our own making.
    pub(crate) fn send_reply<T: TxQueue>(
        &mut self,
        reply: ControlSegment,
        tuple: &Tuple,
        mac: [u8; 6],
        tx: &mut T,
    ) {
        let counters = &mut self.counters;
        if !self.stack.send_segment(reply, tuple, mac, tx, counters) {
            self.counters.drops_no_tx_buffer += 1;
        }
    }
}
