// SPDX-License-Identifier: BSD-2-Clause

//! Sets of clients.

use alloc::vec;
use alloc::vec::Vec;

use super::id::{ClientId, Id};
use crate::time::Instant;

/// A set of clients: bit n is client n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientSet(pub u64);

impl ClientSet {
    /// Whether a client is in the set.
    pub fn contains(self, client: ClientId) -> bool {
        self.0 >> client.index() & 1 != 0
    }

    /// Whether nobody is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds a client, or takes it out.
    pub fn set(&mut self, client: ClientId, member: bool) {
        let bit = 1 << client.index();
        self.0 = if member { self.0 | bit } else { self.0 & !bit };
    }

    /// The clients that are not in the other set.
    pub fn without(self, other: ClientSet) -> ClientSet {
        ClientSet(self.0 & !other.0)
    }

    /// Whether somebody else than this client is in the set.
    pub fn has_others(self, client: ClientId) -> bool {
        self.0 & !(1 << client.index()) != 0
    }

    /// The member behind this client, in a round.
    pub fn next_after(self, client: ClientId) -> Option<ClientId> {
        let above = self.0 & !(u64::MAX >> (63 - client.index()));
        ClientSet(above).first().or(self.first())
    }

    fn first(self) -> Option<ClientId> {
        (self.0 != 0).then(|| ClientId::new(self.0.trailing_zeros() as usize))
    }

    /// The clients, in ascending order.
    pub fn iter(self) -> impl Iterator<Item = ClientId> {
        let mut left = self.0;
        core::iter::from_fn(move || {
            let client = ClientSet(left).first()?;
            left &= left - 1;
            Some(client)
        })
    }
}

/// Clients that are in a set until a time of each.
pub struct TimedSet {
    members: ClientSet,
    until: Vec<Instant>,
}

impl TimedSet {
    /// An empty set of so many clients.
    pub fn new(clients: usize) -> Self {
        TimedSet {
            members: ClientSet::default(),
            until: vec![Instant::ZERO; clients],
        }
    }

    /// Adds a client, or lets it stay longer.
    pub fn add(&mut self, client: ClientId, until: Instant) {
        self.members.set(client, true);
        self.until[client.index()] = until;
    }

    /// Those whose time has not passed.
    pub fn members(&mut self, now: Instant) -> ClientSet {
        for client in self.members.iter() {
            if self.until[client.index()] <= now {
                self.members.set(client, false);
            }
        }
        self.members
    }
}

impl From<Option<ClientId>> for ClientSet {
    fn from(client: Option<ClientId>) -> ClientSet {
        ClientSet(client.map_or(0, |client| 1 << client.index()))
    }
}

impl core::ops::BitAnd for ClientSet {
    type Output = ClientSet;

    fn bitand(self, other: ClientSet) -> ClientSet {
        ClientSet(self.0 & other.0)
    }
}

impl core::ops::BitOr for ClientSet {
    type Output = ClientSet;

    fn bitor(self, other: ClientSet) -> ClientSet {
        ClientSet(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_out_in_order_up_to_the_last_bit() {
        let mut set = ClientSet::default();
        for number in [63, 0, 7] {
            set.set(ClientId::new(number), true);
        }
        assert!(set.contains(ClientId::new(63)) && !set.contains(ClientId::new(62)));
        assert!(set.iter().map(Id::index).eq([0, 7, 63]));
        let after = |number| set.next_after(ClientId::new(number)).map(Id::index);
        assert_eq!(
            [after(0), after(7), after(63)],
            [Some(7), Some(63), Some(0)]
        );
        set.set(ClientId::new(0), false);
        set.set(ClientId::new(63), false);
        assert!(!set.has_others(ClientId::new(7)));
        assert!(set.has_others(ClientId::new(6)));
    }
}
