// SPDX-License-Identifier: BSD-2-Clause

//! The life of a connection after it has been opened: what its changes of state mean to its owner, and how it ends.

use smoltcp::socket::tcp::State;
use smoltcp::time::Duration;
use socket_proto::Errno;

use super::Server;
use crate::ports::SocketRef;
use crate::tcp::Owner;
use crate::window::Window;

/// Silence of a peer that owes an acknowledgement (about seven retransmissions).
pub(super) const SILENCE: Duration = Duration::from_secs(120);
/// A connection attempt: five SYNs.
pub(super) const ATTEMPT: Duration = Duration::from_secs(30);
/// A connection attempt while the next hop does not answer: three ARP requests.
pub(super) const UNREACHED: Duration = Duration::from_secs(3);
/// A half-open connection of a peer: four SYN|ACKs.
pub(super) const HALF_OPEN: Duration = Duration::from_secs(15);
/// A closed connection whose peer does not close its side; as `tcp_fin_timeout` of Linux.
pub(super) const FIN_WAIT: Duration = Duration::from_secs(60);

/// Why a connection is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A segment came for it.
    Packet,
    /// It has had its turn to send.
    Turn,
}

impl<W: Window> Server<W> {
    /// Draws the conclusions from a connection's state, after smoltcp may have changed it.
    pub(super) fn settle(&mut self, index: usize, cause: Cause) {
        let now = self.stack.now();
        let connection = self.tcp.get_mut(index);
        if connection.owner == Owner::Free {
            return;
        }
        let before = connection.seen;
        let state = connection.socket().state();
        connection.seen = state;
        if !connection.awaits_peer() {
            connection.waiting_since = None;
        } else if cause == Cause::Packet || connection.waiting_since.is_none() {
            connection.waiting_since = Some(now);
        }
        // Only a packet closes a connection that was not on its way there; what gives up after a time says so itself.
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
            Owner::Pending { listener, queued } => {
                if reset && queued {
                    connection.error = Some(Errno::ECONNRESET);
                }
                if !queued {
                    self.settle_half_open(index, listener, state);
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
            Owner::Closing { .. } | Owner::TimeWait => self.settle_closing(index, state),
        }
    }

    fn settle_half_open(&mut self, index: usize, listener: SocketRef, state: State) {
        match state {
            State::SynReceived => {}
            // A reset brings smoltcp's socket back to listening.
            State::Listen | State::Closed => self.drop_pending(index, listener),
            _ => {
                let queued = Owner::Pending {
                    listener,
                    queued: true,
                };
                self.tcp.get_mut(index).owner = queued;
                if let Some(client) = &mut self.clients[usize::from(listener.client)]
                    && let Some(listening) = client.listener_mut(usize::from(listener.slot))
                {
                    listening.ready.push_back(&mut self.tcp.links, index);
                }
                self.refresh(listener);
            }
        }
    }

    /// A connection that waits for `accept` but is in no list goes away.
    pub(super) fn drop_pending(&mut self, index: usize, listener: SocketRef) {
        if let Some(client) = &mut self.clients[usize::from(listener.client)] {
            client.streams -= 1;
            if let Some(listening) = client.listener_mut(usize::from(listener.slot)) {
                listening.pending -= 1;
            }
        }
        self.put_back(index);
    }

    fn settle_closing(&mut self, index: usize, state: State) {
        let connection = self.tcp.get_mut(index);
        if connection.is_over() {
            return self.retire(index);
        }
        if connection.socket().can_recv() {
            // The peer still sends to a socket that nobody can read from any more (RFC 2525 section 2.17).
            connection.socket_mut().abort();
            self.counters.tcp_reset += 1;
            self.dirty.push(index);
        } else if let (State::TimeWait, Owner::Closing { client }) = (state, connection.owner) {
            connection.owner = Owner::TimeWait;
            if let Some(client) = &mut self.clients[usize::from(client)] {
                client.closing.remove(&mut self.tcp.links, index);
            }
            self.tcp.time_wait.push_back(&mut self.tcp.links, index);
        }
    }

    /// A client's connection attempt is over without success. The socket can try again.
    pub(super) fn attempt_failed(&mut self, index: usize, errno: Errno) {
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
    pub(super) fn give_up(&mut self, index: usize) {
        let connection = self.tcp.get_mut(index);
        match connection.owner {
            Owner::Free => {}
            Owner::Pending {
                listener,
                queued: false,
            } => self.drop_pending(index, listener),
            Owner::Pending { queued: true, .. } => {
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
            Owner::Closing { .. } | Owner::TimeWait => self.retire(index),
        }
    }

    /// Hands a connection over to nobody: its client has closed it. What was taken is still sent, unless something was received
    /// and never read: then, or if `abort`, it is reset.
    pub(super) fn abandon(&mut self, index: usize, client: usize, abort: bool) {
        let now = self.stack.now();
        let connection = self.tcp.get_mut(index);
        connection.owner = Owner::Closing {
            client: client as u8,
        };
        connection.since = now;
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
    pub(super) fn retire(&mut self, index: usize) {
        match self.tcp.get(index).owner {
            Owner::Closing { client } => {
                if let Some(client) = &mut self.clients[usize::from(client)] {
                    client.closing.remove(&mut self.tcp.links, index);
                }
            }
            Owner::TimeWait => {
                let links = &mut self.tcp.links;
                self.tcp.time_wait.remove(links, index);
            }
            Owner::Free | Owner::Pending { .. } | Owner::Client(_) => return,
        }
        self.put_back(index);
    }

    /// Frees the four values that name a connection for a new one.
    fn forget_tuple(&mut self, index: usize) {
        if let Some(tuple) = self.tcp.get(index).tuple
            && self.tuples.get(&tuple) == Some(index as u32)
        {
            self.tuples.remove(&tuple);
        }
    }

    /// Puts a connection back that is in no list.
    fn put_back(&mut self, index: usize) {
        self.forget_tuple(index);
        self.clear_stalled(index);
        self.timers.clear(index);
        self.tcp.put_back(index);
    }

    /// Takes a connection out of the pool. If it is empty, the closing connection that has least to lose makes room: the
    /// oldest in TIME-WAIT, else the oldest of the client that has most.
    pub(super) fn take_connection(&mut self, owner: Owner) -> Option<usize> {
        let now = self.stack.now();
        if let Some(index) = self.tcp.take(owner, now) {
            return Some(self.note_peak(index));
        }
        let victim = self.tcp.time_wait.front().or_else(|| {
            let clients = self.clients.iter().flatten();
            clients
                .max_by_key(|client| client.closing.len())?
                .closing
                .front()
        })?;
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

    pub(super) fn clear_stalled(&mut self, index: usize) {
        let connection = self.tcp.get_mut(index);
        if connection.stalled {
            connection.stalled = false;
            self.stalled -= 1;
        }
    }
}
