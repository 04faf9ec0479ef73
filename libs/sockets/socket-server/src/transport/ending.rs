// SPDX-License-Identifier: BSD-2-Clause

//! The life of a connection after it has been opened: what its changes of state mean to its owner,
//! and how it ends.

use socket_proto::Errno;

use super::connection::{Attempt, Owner, Settings};
use super::engine::State;
use super::tcp::Tcp;
use crate::counters::Counter;
use crate::ip::Network;
use crate::ip::icmp::{Error, Why};
use crate::tables::id::{ClientId, ConnectionId, SocketId};

/// Why a connection is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A segment came for it.
    Packet,
    /// It has had its turn to send.
    Turn,
}

impl Tcp {
    /// Draws the conclusions from a connection's state, after smoltcp may have changed it. Whatever
    /// has smoltcp work on a connection ends with this.
    pub(super) fn settle(&mut self, id: ConnectionId, cause: Cause, net: &mut Network) {
        let now = net.now();
        let connection = &mut self.connections[id];
        let before = connection.seen;
        let state = connection.state();
        connection.seen = state;
        if connection.note_progress() || state != before {
            connection.moved = now;
        }
        if cause == Cause::Packet {
            connection.note_heard(now);
        }
        if !connection.awaits_peer() {
            connection.waiting_since = None;
        } else if cause == Cause::Packet || connection.waiting_since.is_none() {
            connection.waiting_since = Some(now);
        }
        // Only a packet closes a connection that was not on its way there; what gives up after a
        // time says so itself.
        let reset = state == State::Closed
            && cause == Cause::Packet
            && !matches!(before, State::Closed | State::LastAck | State::TimeWait);
        net.stats.add(Counter::TcpReset, u64::from(reset));
        if connection.socket.is_over() {
            self.forget_tuple(id);
        } else if connection.wants_large && connection.socket.unacknowledged() == 0 {
            connection.wants_large = false;
            self.grow(id, net);
        }
        let connection = &mut self.connections[id];
        match connection.owner {
            Owner::Free => {}
            Owner::Pending(_) => {
                if reset {
                    connection.error = Some(Errno::ECONNRESET);
                }
            }
            Owner::Socket(_) => {
                if connection.attempt == Attempt::UnderWay {
                    match state {
                        State::SynSent | State::SynReceived => {}
                        State::Closed => return self.fail(id, Errno::ECONNREFUSED, net),
                        _ => {
                            connection.attempt = Attempt::Over;
                            connection.round_trip = now - connection.since;
                        }
                    }
                } else if reset {
                    // As Linux: after the peer's FIN only sending can fail.
                    let ended = before == State::CloseWait;
                    connection.error = Some(if ended {
                        Errno::EPIPE
                    } else {
                        Errno::ECONNRESET
                    });
                }
                self.note_change(id);
            }
            Owner::Closing(client) => self.settle_closing(id, client, net),
        }
    }

    /// The layer above is told of a connection if its client would see something else than before.
    fn note_change(&mut self, id: ConnectionId) {
        let connection = &self.connections[id];
        if Some(connection.bits()) != connection.published {
            self.changed.add(id, 0);
        }
    }

    fn settle_closing(&mut self, id: ConnectionId, client: ClientId, net: &mut Network) {
        let connection = &mut self.connections[id];
        let state = connection.seen;
        if connection.socket.is_over() || state == State::TimeWait {
            return self.release(id, net);
        }
        // Once: until the reset can leave, what was received stays where it is.
        if state != State::Closed && connection.socket.unread() > 0 {
            // The peer still sends to a socket that nobody can read from any more (RFC 2525 section
            // 2.17).
            connection.socket.abort();
            net.stats.inc(Counter::TcpReset);
            self.wake(id);
        } else if state == State::Closed || connection.socket.unacknowledged() == 0 {
            self.closing.delivered(id, client);
        }
    }

    /// A client's attempt to connect is over without success. The layer above is told, and then
    /// gives the connection back.
    pub(super) fn fail(&mut self, id: ConnectionId, errno: Errno, net: &mut Network) {
        self.retire(id, net);
        self.connections[id].attempt = Attempt::Failed(errno);
        self.changed.add(id, 0);
    }

    /// A router or the peer says that a segment did not arrive. Returns whether that is believed:
    /// if such a segment may be on its way.
    pub(crate) fn undelivered(&mut self, error: Error, net: &mut Network) -> bool {
        let Some(id) = self.tuples.get(&error.tuple) else {
            return false;
        };
        let connection = &self.connections[id];
        if !connection.is_in_flight(error.sequence) {
            return false;
        }
        match error.why {
            Why::TooBig { mtu } => net.path_narrows(error, mtu),
            // An established connection goes on: its own timers decide (RFC 1122 section 4.2.3.9).
            Why::Failed { errno, .. } if connection.attempt == Attempt::UnderWay => {
                self.fail(id, errno, net);
            }
            Why::Failed { .. } => {}
        }
        true
    }

    /// A peer has been silent for too long.
    pub(super) fn give_up(&mut self, id: ConnectionId, net: &mut Network) {
        let connection = &mut self.connections[id];
        match connection.owner {
            Owner::Free => return,
            Owner::Socket(_) if connection.is_connecting() => {
                let errno = if connection.reached {
                    Errno::ETIMEDOUT
                } else {
                    Errno::EHOSTUNREACH
                };
                return self.fail(id, errno, net);
            }
            Owner::Pending(_) | Owner::Socket(_) => {
                connection.error = Some(Errno::ETIMEDOUT);
                connection.seen = State::Closed;
                self.changed.add(id, 0);
            }
            // A reset tells a peer that has not got everything, unless that is what could not be
            // sent.
            Owner::Closing(_) => {
                if matches!(connection.state(), State::Closed | State::FinWait2) {
                    return self.release(id, net);
                }
                connection.since = net.now();
                net.stats.inc(Counter::TcpReset);
            }
        }
        self.connections[id].socket.abort();
        self.wake(id);
    }

    /// Hands a connection over to nobody: its client has closed it. What was taken is still sent,
    /// unless something was received and never read: then, or if `abort`, it is reset. It is in no
    /// listener's queue any more.
    pub(crate) fn abandon(
        &mut self,
        id: ConnectionId,
        client: ClientId,
        abort: bool,
        net: &mut Network,
    ) {
        let now = net.now();
        let connection = &mut self.connections[id];
        // Of an attempt nobody knows: as on Linux no reset says that it is over.
        if connection.has_failed() || connection.state() == State::SynSent {
            return self.release(id, net);
        }
        connection.owner = Owner::Closing(client);
        connection.since = now;
        connection.moved = now;
        connection.attempt = Attempt::Over;
        connection.read_shut = false;
        if connection.socket.unread() > 0 || abort {
            net.stats.add(
                Counter::TcpReset,
                u64::from(connection.state() != State::Closed),
            );
            connection.socket.abort();
        } else {
            connection.socket.close();
        }
        self.closing.begin(id, client);
        self.settle(id, Cause::Turn, net);
        self.wake(id);
    }

    /// A client has taken a connection out of its listener's queue.
    pub(crate) fn accept(&mut self, id: ConnectionId, socket: SocketId, net: &mut Network) {
        self.connections[id].owner = Owner::Socket(socket);
        net.stats.inc(Counter::TcpAccepted);
        self.changed.add(id, 0);
    }

    /// A client has set options of its connection.
    pub(crate) fn set(&mut self, id: ConnectionId, settings: Settings, net: &mut Network) {
        if self.connections[id].set(settings) {
            self.settle(id, Cause::Turn, net);
            // Its timers may be others.
            self.wake(id);
        }
    }

    /// Writes to a connection: `fill` gets an offset and where to write. Returns how many bytes
    /// were taken.
    ///
    /// # Errors
    /// Of `fill`.
    pub(crate) fn write<E>(
        &mut self,
        id: ConnectionId,
        length: usize,
        net: &mut Network,
        fill: impl FnMut(usize, &mut [u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        // A writer who goes by the room that is left never asks for more.
        let connection = &self.connections[id];
        let short = !connection.has_room(length) && connection.socket.may_send_more();
        let grows_later = short && self.grow(id, net);
        let connection = &mut self.connections[id];
        connection.wants_large = grows_later;
        let result = connection.write(length, fill);
        match result {
            // It may not wait for large buffers any more.
            Ok(0) => self.note_change(id),
            // What was taken before an error is sent.
            _ => {
                self.settle(id, Cause::Turn, net);
                self.wake(id);
            }
        }
        result
    }

    /// Reads from a connection: `drain` gets an offset and the bytes. Returns how many were taken.
    ///
    /// # Errors
    /// Of `drain`.
    pub(crate) fn read<E>(
        &mut self,
        id: ConnectionId,
        length: usize,
        drain: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let result = self.connections[id].read(length, drain);
        self.note_change(id);
        // The window that the peer sees has grown.
        self.wake(id);
        result
    }

    /// Ends one direction of a connection, or both.
    pub(crate) fn shut_down(
        &mut self,
        id: ConnectionId,
        read: bool,
        write: bool,
        net: &mut Network,
    ) {
        let connection = &mut self.connections[id];
        connection.read_shut |= read;
        connection.write_shut |= write;
        if !connection.is_closed() {
            if write {
                connection.socket.close();
            }
            self.settle(id, Cause::Turn, net);
            self.wake(id);
        }
        self.changed.add(id, 0);
    }
}
