// SPDX-License-Identifier: BSD-2-Clause

//! How connections begin: a peer's SYN to a listening socket, a client's `connect`.

use socket_proto::Errno;

use super::connection::{Attempt, Owner, Settings};
use super::engine::State;
use super::half_open::HalfOpen;
use super::input::Arrival;
use super::numbers::PeerOptions;
use super::segment::{Control, Segment, mss};
use super::tcp::Tcp;
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::ip::Network;
use crate::ip::output::Marks;
use crate::ip::packet::Tuple;
use crate::tables::id::{ConnectionId, SocketId};
use crate::time::nanoseconds;

/// The socket that listens where a segment goes.
#[derive(Clone, Copy)]
pub(crate) struct Listening {
    pub socket: SocketId,
    /// What it has set for its connections.
    pub settings: Settings,
    /// The largest segment that it has set, in bytes.
    pub mss: Option<u16>,
    /// Whether one more connection may wait for it.
    pub room: bool,
}

impl<T: TxQueue> Arrival<'_, T> {
    /// A SYN for a listening socket. It is answered and remembered, or answered with a cookie.
    pub(super) fn request_to_open(&mut self, segment: Segment, listening: Listening) {
        if !listening.room {
            // No answer: the peer asks again, and by then `accept` may have made room.
            self.net.stats.inc(Counter::DropsBacklog);
            return;
        }
        let (tuple, now) = (self.tuple, self.net.now());
        let remembered = self.tcp.half_open.has_room(&tuple);
        let numbers = &self.tcp.numbers;
        let iss = if remembered {
            numbers.initial(&tuple, nanoseconds(now))
        } else {
            self.net.stats.inc(Counter::SynCookiesSent);
            self.tcp.half_open.note_cookie(now);
            numbers.cookie(&tuple, segment.seq, segment.options, nanoseconds(now))
        };
        let half_open = HalfOpen {
            tuple,
            back: self.packet.back,
            syn: segment,
            iss,
            marks: listening.settings.marks_to(tuple.remote.0),
            mss: listening.mss.unwrap_or(u16::MAX).min(mss(tuple.remote.0)),
            offer: self.tcp.buffers.window(&listening),
            since: now,
            again: 0,
        };
        if remembered {
            self.tcp.half_open.insert(half_open, now);
        }
        self.tcp.send_syn_ack(&half_open, self.net, self.tx);
    }

    /// A segment of a peer whose SYN has been answered (RFC 9293 section 3.10.7.4, SYN-RECEIVED).
    pub(super) fn confirmation(
        &mut self,
        segment: Segment,
        half_open: HalfOpen,
        listening: Option<Listening>,
    ) -> Option<ConnectionId> {
        let expected = half_open.syn.seq.wrapping_add(1);
        let Some(listening) = listening else {
            self.tcp.half_open.remove(&self.tuple);
            return self.stray(segment, listening);
        };
        if segment.opens() {
            if segment.seq == half_open.syn.seq {
                self.tcp.send_syn_ack(&half_open, self.net, self.tx);
            } else {
                self.request_to_open(segment, listening);
            }
            return None;
        }
        let next = half_open.iss.wrapping_add(1);
        let ahead = segment.seq.wrapping_sub(expected);
        let in_window = ahead < u32::from(half_open.offer);
        if segment.is_sudden() {
            if segment.control == Control::Rst && ahead == 0 {
                self.tcp.half_open.remove(&self.tuple);
            } else if in_window {
                self.reply(Segment::ack(next, expected, 0));
            }
            return None;
        }
        let ack = segment.ack?;
        if ack == next && in_window {
            let established = self.establish(&half_open, segment, listening)?;
            self.tcp.half_open.remove(&self.tuple);
            return Some(established);
        }
        // Its first SYN may have been answered with a cookie, and only a later one been remembered.
        if let Some(redeemed) = self.redeem(segment, ack) {
            let established = self.establish(&redeemed, segment, listening);
            self.tcp.half_open.remove(&self.tuple);
            return established;
        }
        self.reset(segment);
        None
    }

    /// A segment that may prove that its sender was given a cookie. Returns the handshake that it
    /// proves.
    pub(super) fn redeem(&mut self, segment: Segment, ack: u32) -> Option<HalfOpen> {
        let (tuple, now) = (self.tuple, self.net.now());
        if !self.tcp.half_open.takes_cookies(now) {
            return None;
        }
        let (irs, iss) = (segment.seq.wrapping_sub(1), ack.wrapping_sub(1));
        let numbers = &self.tcp.numbers;
        let options = numbers.open(&tuple, irs, iss, nanoseconds(now))?;
        self.net.stats.inc(Counter::SynCookiesTaken);
        Some(HalfOpen {
            tuple,
            back: self.packet.back,
            syn: Segment::syn(irs, segment.window, options),
            iss,
            marks: Marks::USUAL,
            mss: mss(tuple.remote.0),
            offer: 0,
            since: now,
            // No measure of the round trip: nobody remembers when the SYN|ACK was sent.
            again: 1,
        })
    }

    /// A peer has confirmed: takes a connection out of the pool, if the listener and its client's
    /// quota have room, and lets smoltcp go through the handshake, of which this is the last
    /// segment. Returns the connection, which belongs into the listener's queue.
    pub(super) fn establish(
        &mut self,
        half_open: &HalfOpen,
        segment: Segment,
        listening: Listening,
    ) -> Option<ConnectionId> {
        let owner = Owner::Pending(listening.socket);
        let (tuple, iss, room) = (half_open.tuple, half_open.iss, listening.room);
        let taken = room.then(|| self.tcp.take(owner, tuple, iss, self.net));
        let Some(id) = taken.flatten() else {
            // As if the segment had been lost: our SYN|ACK or the peer's data are repeated.
            self.net.stats.inc(Counter::DropsBacklog);
            return None;
        };
        let connection = &mut self.tcp.connections[id];
        let (engine, now) = (&mut self.tcp.engine, self.net.now());
        connection.set(listening.settings);
        connection.socket.told.mss = listening.mss;
        connection.set_handshake(half_open, self.tcp.scale, now);
        if !engine.shake_hands(&mut connection.socket, half_open, now) {
            self.tcp.release(id, self.net);
            return None;
        }
        self.deliver(segment, id);
        Some(id)
    }
}

impl Tcp {
    fn send_syn_ack<T: TxQueue>(&self, half_open: &HalfOpen, net: &mut Network, tx: &mut T) {
        let offered = half_open.syn.options;
        let options = PeerOptions {
            mss: half_open.mss,
            scale: offered.scale.map(|_| self.scale),
            sack: offered.sack,
        };
        let reply = Segment {
            ack: Some(half_open.syn.seq.wrapping_add(1)),
            ..Segment::syn(half_open.iss, half_open.offer, options)
        };
        let HalfOpen {
            tuple, marks, back, ..
        } = *half_open;
        net.send_segment(reply, &tuple, marks, back, tx);
    }

    /// Sends SYN|ACKs again that have not been confirmed for a while. One that finds no buffer
    /// counts as sent: its deadline must not stay in the past.
    pub(super) fn remind<T: TxQueue>(&mut self, net: &mut Network, tx: &mut T) {
        while let Some(half_open) = self.half_open.pop_due(net.now()) {
            self.send_syn_ack(&half_open, net, tx);
        }
    }

    /// Starts a client's attempt to connect.
    ///
    /// # Errors
    /// The pool is empty, or smoltcp refuses.
    pub(crate) fn connect(
        &mut self,
        socket: SocketId,
        tuple: Tuple,
        net: &mut Network,
    ) -> Result<ConnectionId, Errno> {
        let iss = self.numbers.initial(&tuple, nanoseconds(net.now()));
        let taken = self.take(Owner::Socket(socket), tuple, iss, net);
        let id = taken.ok_or(Errno::ENFILE)?;
        let connection = &mut self.connections[id];
        connection.socket.told.scale = Some(self.scale);
        if !self.engine.connect(&mut connection.socket, &tuple, iss) {
            self.release(id, net);
            return Err(Errno::EADDRNOTAVAIL);
        }
        connection.attempt = Attempt::UnderWay;
        connection.seen = State::SynSent;
        net.stats.inc(Counter::TcpOpened);
        self.wake(id);
        Ok(id)
    }
}
