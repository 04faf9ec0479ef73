// SPDX-License-Identifier: BSD-2-Clause

//! Connections whose handles are gone: nobody's quota has them, and they take places until their
//! peers have got everything. The pool has as many places as all quotas together and some more. So
//! when it is empty, a client within its quota can have a place of one that has more
//! connections than its quota, all of which beyond it are closing.

use alloc::vec::Vec;

use crate::config::ClientLimits;
use crate::tables::id::{ClientId, ConnectionId, Id};
use crate::tables::list::Lists;

/// One client's connections.
#[derive(Clone, Copy)]
struct Count {
    held: usize,
    quota: usize,
}

/// The connections that are closing, and how many each client has of any kind.
pub(crate) struct Closing {
    /// Of each client those with something to send, and those whose peers have got all bytes; both
    /// oldest first.
    lists: Lists<ConnectionId>,
    counts: Vec<Count>,
}

/// The number of a list.
fn list(client: usize, delivered: bool) -> usize {
    2 * client + usize::from(delivered)
}

impl Closing {
    /// For so many connections of these clients.
    pub(super) fn new(connections: usize, clients: &[ClientLimits]) -> Self {
        let count = |limits: &ClientLimits| Count {
            held: 0,
            quota: limits.stream_sockets,
        };
        Closing {
            lists: Lists::new(connections, list(clients.len(), false)),
            counts: clients.iter().map(count).collect(),
        }
    }

    /// A client has one connection more.
    pub(super) fn took(&mut self, client: ClientId) {
        self.counts[client.index()].held += 1;
    }

    /// A connection has gone back into the pool.
    pub(super) fn gave_back(&mut self, id: ConnectionId, client: ClientId) {
        self.lists.remove(id);
        self.counts[client.index()].held -= 1;
    }

    /// A client has closed a connection.
    pub(super) fn begin(&mut self, id: ConnectionId, client: ClientId) {
        self.lists.add(id, list(client.index(), false));
    }

    /// The peer of a closing connection has got all bytes, or will get no more than a reset.
    pub(super) fn delivered(&mut self, id: ConnectionId, client: ClientId) {
        let list = list(client.index(), true);
        if self.lists.of(id) != Some(list) {
            self.lists.put(id, list);
        }
    }

    /// Whose place a new connection of a client may take: the oldest one's whose peer has got
    /// everything, of the client that has most of them. If there is none, and if the client is
    /// within its quota, the oldest one's of a client that is not.
    pub(super) fn victim(&self, client: Option<ClientId>) -> Option<ConnectionId> {
        let clients = 0..self.counts.len();
        let delivered = |client| &self.lists[list(client, true)];
        let most = clients
            .clone()
            .max_by_key(|&client| delivered(client).len());
        if let Some(id) = most.and_then(|client| delivered(client).front()) {
            return Some(id);
        }
        let Count { held, quota } = self.counts[client?.index()];
        if held >= quota {
            return None;
        }
        let excess = |client: &usize| {
            let Count { held, quota } = self.counts[*client];
            held.saturating_sub(quota)
        };
        let client = clients.max_by_key(excess)?;
        self.lists[list(client, false)].front()
    }

    /// The list of a connection: its client, and whether its peer has got all bytes.
    #[cfg(feature = "audit")]
    pub(crate) fn of(&self, id: ConnectionId) -> Option<(usize, bool)> {
        self.lists.of(id).map(|list| (list / 2, list % 2 == 1))
    }

    /// How many connections a client has.
    #[cfg(feature = "audit")]
    pub(crate) fn held(&self, client: ClientId) -> usize {
        self.counts[client.index()].held
    }
}
