// SPDX-License-Identifier: BSD-2-Clause

//! The connections that wait for a host's Ethernet address. A connection is in one list at most:
//! that of the host, or that of those whose wait is over and who have not been told.

use alloc::vec;
use alloc::vec::Vec;

use crate::tables::id::{ConnectionId, HostId, Id};
use crate::tables::list::{Links, List};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    No,
    For(HostId),
    Over { found: bool },
}

/// The lists.
pub struct Waiting {
    links: Links<ConnectionId>,
    hosts: Vec<List<ConnectionId>>,
    over: List<ConnectionId>,
    /// Of each connection.
    waits: Vec<Wait>,
}

impl Waiting {
    /// For so many hosts and connections. This is the only allocation.
    pub fn new(hosts: usize, connections: usize) -> Self {
        Waiting {
            links: Links::new(connections),
            hosts: vec![List::default(); hosts],
            over: List::default(),
            waits: vec![Wait::No; connections],
        }
    }

    /// Whether a connection waits for a host.
    pub fn is_awaited(&self, host: HostId) -> bool {
        !self.hosts[host.index()].is_empty()
    }

    /// Lets a connection wait for a host, if it does not yet.
    pub fn add(&mut self, host: HostId, connection: ConnectionId) {
        if self.waits[connection.index()] != Wait::For(host) {
            self.remove(connection);
            self.waits[connection.index()] = Wait::For(host);
            self.hosts[host.index()].push_back(&mut self.links, connection);
        }
    }

    /// A connection waits no longer.
    pub fn remove(&mut self, connection: ConnectionId) {
        let list = match core::mem::replace(&mut self.waits[connection.index()], Wait::No) {
            Wait::No => return,
            Wait::For(host) => &mut self.hosts[host.index()],
            Wait::Over { .. } => &mut self.over,
        };
        list.remove(&mut self.links, connection);
    }

    /// A host's address is there, or will not come.
    pub fn end(&mut self, host: HostId, found: bool) {
        while let Some(connection) = self.hosts[host.index()].pop_front(&mut self.links) {
            self.waits[connection.index()] = Wait::Over { found };
            self.over.push_back(&mut self.links, connection);
        }
    }

    /// Takes out a connection whose wait is over. Returns it, and whether the address is there.
    pub fn next(&mut self) -> Option<(ConnectionId, bool)> {
        let connection = self.over.front()?;
        let found = self.waits[connection.index()] == Wait::Over { found: true };
        self.remove(connection);
        Some((connection, found))
    }

    /// Whether a connection is in a list.
    #[cfg(feature = "audit")]
    pub fn contains(&self, connection: ConnectionId) -> bool {
        self.waits[connection.index()] != Wait::No
    }
}
