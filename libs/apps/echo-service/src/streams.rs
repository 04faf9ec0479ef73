// SPDX-License-Identifier: BSD-2-Clause

//! Connections.

use core::ops::ControlFlow;

use socket_client::{Errno, PollBits, Socket, Transport};
use stats::EchoServer;

use crate::EchoService;

/// Pieces that a connection may echo before the others get their turn.
const TURN: usize = 4;
/// Connections accepted before those that are open get their turn.
const ACCEPTS: usize = 16;
/// Below this room in bytes, or half of the most that there has been, a piece is not worth its two
/// calls: the socket is asked first whether it takes more by now.
const WORTH_A_PIECE: usize = 8 * 1024;

/// A connection.
pub(crate) struct Connection {
    socket: Socket,
    place: usize,
    has_echoed: bool,
    /// Bytes that the socket takes at least. It is never offered more.
    room: usize,
    /// The most that it has said.
    most: usize,
}

impl<T: Transport> EchoService<T> {
    /// Takes connections that wait. Returns whether there was one.
    pub(crate) fn accept(&mut self) -> bool {
        let mut progress = false;
        self.next_place.set(None);
        for index in 0..self.listeners.len() {
            let listener = self.listeners[index];
            for _ in 0..ACCEPTS {
                if !self.client.poll_bits(listener).intersects(PollBits::IN)
                    || (self.connections.is_full() && !self.make_room())
                {
                    break;
                }
                // An error means that it is gone again, or that the server has restarted: the next
                // turn sees that.
                let Ok((socket, peer)) = self.client.accept(listener) else {
                    break;
                };
                progress = true;
                self.stats.inc(EchoServer::Connections);
                let Some(place) = self.places.enter(peer, self.client.now()) else {
                    let _ = self.client.close(socket);
                    break;
                };
                let connection = Connection {
                    socket,
                    place,
                    has_echoed: false,
                    room: 0,
                    most: 0,
                };
                // There is room: as many as there are places.
                let _ = self.connections.push(connection);
            }
        }
        if progress {
            self.count_open();
        }
        progress
    }

    /// Ends the connection that is to make room for one that waits. Returns whether there was one.
    fn make_room(&mut self) -> bool {
        match self.places.make_room(self.client.now()) {
            Ok(place) => {
                let leaves = |connection: &Connection| connection.place == place;
                let Some(index) = self.connections.iter().position(leaves) else {
                    return false;
                };
                self.stats.inc(EchoServer::ConnectionsDisplaced);
                self.end(index);
                true
            }
            Err(next) => {
                self.next_place.set(Some(next));
                false
            }
        }
    }

    fn end(&mut self, index: usize) {
        let ended = self.connections.swap_remove(index);
        self.places.leave(ended.place);
        // What was echoed is still sent, then the peer reads the end of the stream. After a failure
        // nothing of it matters.
        let _ = self.client.close(ended.socket);
    }

    /// Gives every connection that is ready its turn. Returns whether something happened.
    pub(crate) fn echo_streams(&mut self) -> bool {
        let mut progress = false;
        let mut index = 0;
        while index < self.connections.len() {
            match self.turn(index) {
                ControlFlow::Continue(moved) => {
                    progress |= moved;
                    index += 1;
                }
                ControlFlow::Break(result) => {
                    progress = true;
                    if result.is_err() {
                        self.stats.inc(EchoServer::ConnectionsFailed);
                    }
                    self.end(index);
                    self.count_open();
                }
            }
        }
        progress
    }

    /// Echoes a few pieces of a connection. Returns whether there were any, or how it has ended.
    fn turn(&mut self, index: usize) -> ControlFlow<Result<(), Errno>, bool> {
        for pieces in 0..TURN {
            match self.echo_piece(index) {
                Ok(0) => return ControlFlow::Break(Ok(())),
                Ok(_) => {}
                Err(Errno::EAGAIN) => return ControlFlow::Continue(pieces > 0),
                Err(errno) => return ControlFlow::Break(Err(errno)),
            }
        }
        ControlFlow::Continue(true)
    }

    /// Echoes what has come, as far as it can be sent. 0 means that the peer has ended its
    /// direction and everything is echoed.
    fn echo_piece(&mut self, index: usize) -> Result<usize, Errno> {
        let connection = &mut self.connections[index];
        let bits = self.client.poll_bits(connection.socket);
        let failed = PollBits::ERR | PollBits::NVAL;
        if !bits.intersects(PollBits::IN | failed) {
            return Err(Errno::EAGAIN);
        }
        let least = WORTH_A_PIECE.min(connection.most / 2).max(1);
        if connection.room < least && !bits.intersects(failed) {
            if bits.intersects(PollBits::OUT) {
                let nothing = self.client.send_vectored(connection.socket, &[])?;
                connection.room = nothing.room;
                connection.most = connection.most.max(nothing.room);
            } else {
                // Rather wait until a good part of the socket's buffer is free than echo drop by
                // drop.
                return Err(Errno::EAGAIN);
            }
        }
        // A socket that has failed is asked for a byte at least: asked for none it has no error.
        let span = self
            .client
            .recv_in_place(connection.socket, connection.room.max(1))?;
        if span.length == 0 {
            return Ok(0);
        }
        let sent = self.client.send_span(connection.socket, span)?;
        if sent.count as u64 != span.length {
            // The server takes less than it said it would: rather end than lose bytes in the
            // middle.
            return Err(Errno::EPROTO);
        }
        connection.room = sent.room;
        connection.most = connection.most.max(sent.room);
        let (place, now) = (connection.place, self.client.now());
        if !core::mem::replace(&mut connection.has_echoed, true) {
            self.places.requested(place, now);
        }
        self.places.moved(place, sent.count, now);
        self.stats.add(EchoServer::TcpBytes, span.length);
        Ok(sent.count)
    }
}
