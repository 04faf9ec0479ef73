// SPDX-License-Identifier: BSD-2-Clause

//! The life of a connection after it has been opened: what its changes of state mean to its owner,
//! and how it ends.

use smoltcp::socket::tcp::State;
use smoltcp::time::Duration;
use socket_proto::Errno;

use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::connection::Owner;

/// Silence of a peer that owes an acknowledgement (about seven retransmissions).
pub(crate) const SILENCE: Duration = Duration::from_secs(120);
/// A connection attempt: five SYNs.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);
/// A connection attempt while the next hop does not answer: three ARP requests.
pub(crate) const UNREACHED: Duration = Duration::from_secs(3);
/// A closed connection whose peer neither takes what is left nor closes its side; as
/// `tcp_fin_timeout` of Linux.
pub(crate) const FIN_WAIT: Duration = Duration::from_secs(60);
/// A closed connection whose peer takes what is left very slowly.
pub(crate) const LINGER: Duration = Duration::from_secs(600);
/// An idle connection whose peer does not answer the question whether it is still there.
pub(crate) const GONE: Duration = Duration::from_secs(240);

/// Why a connection is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A segment came for it.
    Packet,
    /// It has had its turn to send.
    Turn,
}

impl<W: Window> Server<W> {
    /// Draws the conclusions from a connection's state, after smoltcp may have changed it.
    pub(crate) fn settle(&mut self, index: usize, cause: Cause) {
        let now = self.stack.now();
        let connection = self.tcp.get_mut(index);
        if connection.owner == Owner::Free {
            return;
        }
        let before = connection.seen;
        let state = connection.socket().state();
        connection.seen = state;
        if connection.note_progress() || state != before {
            connection.moved = now;
        }
        if cause == Cause::Packet {
            connection.heard = now;
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
        if reset {
            self.counters.tcp_reset += 1;
        }
        if connection.is_over() {
            self.forget_tuple(index);
        }
        let connection = self.tcp.get_mut(index);
        match connection.owner {
            Owner::Free => {}
            Owner::Pending { .. } => {
                if reset {
                    connection.error = Some(Errno::ECONNRESET);
                }
            }
            Owner::Client(owner) => {
                if connection.connecting {
                    match state {
                        State::SynSent | State::SynReceived => {}
                        State::Closed => return self.attempt_failed(index, Errno::ECONNREFUSED),
                        _ => connection.connecting = false,
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
                self.refresh(owner);
            }
            Owner::Closing { client, drained } => {
                self.settle_closing(index, state, (client, drained));
            }
        }
    }

    fn settle_closing(&mut self, index: usize, state: State, (client, drained): (u8, bool)) {
        let connection = self.tcp.get_mut(index);
        if connection.is_over() || state == State::TimeWait {
            return self.retire(index);
        }
        // Once: until the reset can leave, what was received stays where it is.
        if state != State::Closed && connection.socket().can_recv() {
            // The peer still sends to a socket that nobody can read from any more (RFC 2525 section
            // 2.17).
            connection.socket_mut().abort();
            self.counters.tcp_reset += 1;
            self.dirty.push(index);
        } else if !drained && state != State::Closed && connection.socket().send_queue() == 0 {
            connection.owner = Owner::Closing {
                client,
                drained: true,
            };
            if let Some(client) = &mut self.clients[usize::from(client)] {
                client.closing.remove(&mut self.tcp.links, index);
                client.drained.push_back(&mut self.tcp.links, index);
            }
        }
    }

    /// A client's connection attempt is over without success. The socket can try again.
    pub(crate) fn attempt_failed(&mut self, index: usize, errno: Errno) {
        let Owner::Client(owner) = self.tcp.get(index).owner else {
            return;
        };
        if let Some(client) = &mut self.clients[usize::from(owner.client)]
            && let Some(stream) = client.stream_mut(usize::from(owner.slot))
        {
            stream.fail(errno);
        }
        self.release_chosen_port(owner);
        self.put_back(index);
        self.refresh(owner);
    }

    /// A peer has been silent for too long.
    pub(crate) fn give_up(&mut self, index: usize) {
        let connection = self.tcp.get_mut(index);
        match connection.owner {
            Owner::Free => {}
            Owner::Pending { .. } => {
                connection.error = Some(Errno::ETIMEDOUT);
                connection.socket_mut().abort();
                self.dirty.push(index);
            }
            Owner::Client(owner) => {
                if connection.connecting {
                    let errno = if connection.reached {
                        Errno::ETIMEDOUT
                    } else {
                        Errno::EHOSTUNREACH
                    };
                    return self.attempt_failed(index, errno);
                }
                connection.error = Some(Errno::ETIMEDOUT);
                connection.socket_mut().abort();
                connection.seen = State::Closed;
                self.dirty.push(index);
                self.refresh(owner);
            }
            // A reset tells a peer that has not got everything, unless that is what could not be
            // sent.
            Owner::Closing { .. }
                if !matches!(connection.socket().state(), State::Closed | State::FinWait2) =>
            {
                connection.socket_mut().abort();
                connection.since = self.stack.now();
                self.counters.tcp_reset += 1;
                self.dirty.push(index);
            }
            Owner::Closing { .. } => self.retire(index),
        }
    }

    /// Hands a connection over to nobody: its client has closed it. What was taken is still sent,
    /// unless something was received and never read: then, or if `abort`, it is reset.
    pub(crate) fn abandon(&mut self, index: usize, client: usize, abort: bool) {
        let now = self.stack.now();
        let connection = self.tcp.get_mut(index);
        connection.owner = Owner::Closing {
            client: client as u8,
            drained: false,
        };
        connection.since = now;
        connection.moved = now;
        connection.connecting = false;
        connection.read_shut = false;
        let socket = connection.socket_mut();
        if socket.can_recv() || abort {
            if socket.state() != State::Closed {
                self.counters.tcp_reset += 1;
            }
            socket.abort();
        } else {
            socket.close();
        }
        if let Some(client) = &mut self.clients[client] {
            client.closing.push_back(&mut self.tcp.links, index);
        }
        self.settle(index, Cause::Turn);
        self.dirty.push(index);
    }

    /// Puts a connection that is closing back into the pool, whatever its peer still thinks.
    pub(crate) fn retire(&mut self, index: usize) {
        match self.tcp.get(index).owner {
            Owner::Closing { client, drained } => {
                if let Some(client) = &mut self.clients[usize::from(client)] {
                    let list = if drained {
                        &mut client.drained
                    } else {
                        &mut client.closing
                    };
                    list.remove(&mut self.tcp.links, index);
                }
            }
            Owner::Free | Owner::Pending { .. } | Owner::Client(_) => return,
        }
        self.put_back(index);
    }

    /// Frees the four values that name a connection for a new one.
    pub(crate) fn forget_tuple(&mut self, index: usize) {
        if let Some(tuple) = self.tcp.get(index).tuple
            && self.tuples.get(&tuple) == Some(index as u32)
        {
            self.tuples.remove(&tuple);
        }
    }

    /// Puts a connection back that is in no list.
    fn put_back(&mut self, index: usize) {
        self.forget_tuple(index);
        self.stack.neighbours.forget_connection(index);
        self.timers.clear(index);
        self.tcp.put_back(index);
    }

    /// Takes a connection out of the pool. If it is empty, the oldest closing connection makes room
    /// whose peer has got everything, of the client that has most of them.
    pub(crate) fn take_connection(&mut self, owner: Owner) -> Option<usize> {
        let now = self.stack.now();
        if let Some(index) = self.tcp.take(owner, now) {
            return Some(self.note_peak(index));
        }
        let clients = self.clients.iter().flatten();
        let victim = clients
            .max_by_key(|client| client.drained.len())?
            .drained
            .front()?;
        self.counters.tcp_reclaimed += 1;
        self.retire(victim);
        let index = self.tcp.take(owner, now)?;
        Some(self.note_peak(index))
    }

    fn note_peak(&mut self, index: usize) -> usize {
        // For good: whose it is does not change until it is back in the pool.
        if let Some(client) = self.tcp.get(index).owner.client() {
            self.dirty.assign(index, client.into());
        }
        let used = self.tcp.used() as u64;
        let peak = &mut self.counters.stream_sockets_peak;
        *peak = used.max(*peak);
        index
    }
}
