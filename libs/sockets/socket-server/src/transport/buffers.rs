// SPDX-License-Identifier: BSD-2-Clause

//! Memory for what connections send and receive.
//!
//! Every connection has small buffers of its own, enough for a request or a short response. One
//! that carries more borrows large ones from its client's budget, and makes do with the small ones
//! if the budget is used up. smoltcp ties buffers to a socket for good, so a connection that gets
//! others goes on in another socket ([`super::engine::Engine::succeed`]).

use alloc::vec::Vec;

use super::engine::Socket;
use super::opening::Listening;
use super::segment::MSS;
use super::tcp::Tcp;
use crate::config::{ClientLimits, Config};
use crate::counters::Counter;
use crate::ip::Network;
use crate::tables::id::{ClientId, ConnectionId, Id};
use crate::tables::list::Lists;
use crate::time::Duration;

/// Bytes of a small receive buffer: two segments, after which a peer expects an acknowledgement.
const SMALL_RECEIVE: usize = 2 * MSS as usize;
/// Bytes of a small send buffer.
const SMALL_SEND: usize = 4096;
/// A connection that has been quiet for so long hands its large buffers on.
const QUIET: Duration = Duration::from_secs(1);
/// Connections that are looked at for one that is quiet.
const LOOKS: usize = 4;

/// Bytes for receiving and for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub receive: usize,
    pub send: usize,
}

impl Sizes {
    /// A socket with such buffers.
    pub(super) fn socket(self) -> Socket {
        Socket::new(self.receive, self.send)
    }
}

/// Buffers that are not in use, and who has the large ones.
pub(crate) struct Buffers {
    pub small: Sizes,
    pub large: Sizes,
    /// Sockets with small buffers that connections have left for larger ones.
    pub(crate) left: Vec<Socket>,
    /// Of each client: sockets with large buffers.
    spare: Vec<Vec<Socket>>,
    /// By client: the connections that have large buffers. The front is the next to be looked at.
    pub lent: Lists<ConnectionId>,
}

impl Buffers {
    /// Large buffers for these clients, which share `connections` connections.
    pub(crate) fn new(config: &Config, clients: &[ClientLimits], connections: usize) -> Self {
        let large = Sizes {
            receive: config.stream_receive,
            send: config.stream_send,
        };
        let small = Sizes {
            receive: large.receive.min(SMALL_RECEIVE),
            send: large.send.min(SMALL_SEND),
        };
        let useful = if large == small { 0 } else { connections };
        let spare = |limits: &ClientLimits| {
            let count = limits.stream_memory / (large.receive + large.send);
            (0..count.min(useful)).map(|_| large.socket()).collect()
        };
        Buffers {
            small,
            large,
            left: Vec::with_capacity(connections),
            spare: clients.iter().map(spare).collect(),
            lent: Lists::new(connections, clients.len()),
        }
    }

    /// Sockets with large buffers that nobody has.
    #[cfg(feature = "audit")]
    pub(crate) fn spare(&self) -> usize {
        self.spare.iter().map(Vec::len).sum()
    }

    /// The window that a new connection of a listener offers.
    pub(super) fn window(&self, listening: &Listening) -> u16 {
        let client = listening.socket.client;
        let sizes = match self.spare[client.index()].is_empty() {
            true => self.small,
            false => self.large,
        };
        let most = listening.settings.receive_most as usize;
        u16::try_from(sizes.receive.min(most)).unwrap_or(u16::MAX)
    }
}

impl Tcp {
    /// A connection has more to carry than its buffers hold: gives it large ones, if its client's
    /// budget has some. Returns whether there are some that it cannot have yet, because something
    /// is on its way to the peer.
    pub(super) fn grow(&mut self, id: ConnectionId, net: &mut Network) -> bool {
        let connection = &self.connections[id];
        let Some(client) = connection.owner.client() else {
            return false;
        };
        if self.buffers.lent.of(id).is_some() || !connection.is_open() {
            return false;
        }
        if self.buffers.spare[client.index()].is_empty() && !self.reclaim(client, net) {
            net.stats.inc(Counter::BuffersRefused);
            return false;
        }
        let busy = self.connections[id].socket.unacknowledged() > 0;
        if !busy {
            self.lend(id, client, net);
        }
        busy
    }

    fn lend(&mut self, id: ConnectionId, client: ClientId, net: &mut Network) {
        let Some(large) = self.buffers.spare[client.index()].pop() else {
            return;
        };
        match self.exchange(id, large, net) {
            Ok(small) => {
                self.buffers.left.push(small);
                self.buffers.lent.put(id, client.index());
                net.stats.inc(Counter::BuffersLent);
            }
            Err(large) => self.buffers.spare[client.index()].push(large),
        }
    }

    /// Takes large buffers from a connection of this client that is quiet. Returns whether there is
    /// one.
    fn reclaim(&mut self, client: ClientId, net: &Network) -> bool {
        for _ in 0..LOOKS {
            let Some(id) = self.buffers.lent[client.index()].front() else {
                return false;
            };
            if let Some(large) = self.take_back(id, net) {
                self.buffers.lent.remove(id);
                self.buffers.spare[client.index()].push(large);
                return true;
            }
            self.buffers.lent.put(id, client.index());
        }
        false
    }

    /// Takes the large buffers of a connection, if it is quiet.
    fn take_back(&mut self, id: ConnectionId, net: &Network) -> Option<Socket> {
        let connection = &self.connections[id];
        let since = connection.heard.max(connection.moved);
        if since + QUIET > net.now() || !connection.is_open() || connection.queues() != (0, 0) {
            return None;
        }
        let small = self.buffers.left.pop()?;
        match self.exchange(id, small, net) {
            Ok(large) => Some(large),
            Err(small) => {
                self.buffers.left.push(small);
                None
            }
        }
    }

    /// A connection is over: what it has borrowed goes back.
    pub(super) fn give_back(&mut self, id: ConnectionId) {
        if let Some(client) = self.buffers.lent.of(id)
            && let Some(small) = self.buffers.left.pop()
        {
            let large = core::mem::replace(&mut self.connections[id].socket, small);
            self.buffers.lent.remove(id);
            self.buffers.spare[client].push(large);
        }
    }

    /// Lets a connection go on in another socket.
    ///
    /// # Errors
    /// The other socket, if that does not work; the connection stays in its own.
    fn exchange(
        &mut self,
        id: ConnectionId,
        mut other: Socket,
        net: &Network,
    ) -> Result<Socket, Socket> {
        let connection = &mut self.connections[id];
        other.renew();
        let reached = connection.reached(net.now());
        let succeeds = reached.is_some_and(|reached| {
            let own = &mut connection.socket;
            self.engine.succeed(&mut other, own, &reached, net.now())
        });
        if succeeds {
            other = connection.go_on_in(other);
        }
        other.abort();
        if succeeds { Ok(other) } else { Err(other) }
    }
}
