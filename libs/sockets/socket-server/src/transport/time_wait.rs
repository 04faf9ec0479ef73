// SPDX-License-Identifier: BSD-2-Clause

//! Connections that are over, and whose last segments may still come (RFC 9293 section 3.6.1).
//!
//! Such a connection needs no buffers: four numbers answer whatever a peer may still ask. All wait
//! equally long, so the oldest is always the next to go, and makes room if the table is full.

use crate::ip::packet::Tuple;
use crate::tables::id::RemainsId;
use crate::tables::list::Lists;
use crate::tables::map::Map;
use crate::tables::pool::Pool;
use crate::time::{Duration, Instant};

/// Twice the time that a segment can live in the network; as Linux.
pub(crate) const TIME_WAIT: Duration = Duration::from_secs(60);
/// Connections that can wait at once.
const CAPACITY: usize = 4096;

/// What is left of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remains {
    /// The next sequence number of ours.
    pub next: u32,
    /// The next of the peer's.
    pub expected: u32,
    until: Instant,
}

/// All of them, by the names of their ends.
pub(crate) struct TimeWait {
    known: Map<Tuple, RemainsId>,
    entries: Pool<RemainsId, (Tuple, Remains)>,
    /// One list, in the order in which they end.
    order: Lists<RemainsId>,
}

impl TimeWait {
    pub(crate) fn new(seed: u64) -> Self {
        let nothing = Remains {
            next: 0,
            expected: 0,
            until: Instant::ZERO,
        };
        TimeWait {
            known: Map::new(CAPACITY, seed),
            entries: Pool::new(CAPACITY, || (Tuple::NONE, nothing)),
            order: Lists::new(CAPACITY, 1),
        }
    }

    /// Number of entries in use, by each table.
    #[cfg(feature = "audit")]
    pub(crate) fn used(&self) -> [usize; 2] {
        [self.known.len(), self.entries.used()]
    }

    pub(crate) fn get(&self, tuple: &Tuple) -> Option<Remains> {
        Some(self.entries[self.known.get(tuple)?].1)
    }

    /// A connection has ended, or its peer has repeated its end: it waits from now on.
    pub(crate) fn insert(&mut self, tuple: Tuple, next: u32, expected: u32, now: Instant) {
        self.remove(&tuple);
        if self.entries.is_full()
            && let Some((oldest, _)) = self.oldest()
        {
            self.remove(&oldest);
        }
        let Some(id) = self.entries.take() else {
            return;
        };
        // There are as many keys as entries.
        let _ = self.known.insert(tuple, id);
        let until = now + TIME_WAIT;
        self.entries[id] = (
            tuple,
            Remains {
                next,
                expected,
                until,
            },
        );
        self.order.put(id, 0);
    }

    pub(crate) fn remove(&mut self, tuple: &Tuple) {
        if let Some(id) = self.known.remove(tuple) {
            self.order.remove(id);
            self.entries.put_back(id);
        }
    }

    /// Forgets whom the time has passed for.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some((tuple, remains)) = self.oldest()
            && remains.until <= now
        {
            self.remove(&tuple);
        }
    }

    fn oldest(&self) -> Option<(Tuple, Remains)> {
        Some(self.entries[self.order[0].front()?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::address::Address;
    use proptest::prelude::*;

    fn tuple(port: u16) -> Tuple {
        Tuple {
            local: (Address::LOCALHOST6, 80),
            remote: (Address::LOCALHOST6, port),
        }
    }

    proptest! {
        #[test]
        fn each_waits_its_time(steps in prop::collection::vec((0u16..20, 0u64..30, any::<bool>()), 1..200)) {
            let mut table = TimeWait::new(3);
            let mut model = std::collections::HashMap::new();
            let mut now = Instant::ZERO;
            for (port, seconds, remove) in steps {
                now += Duration::from_secs(seconds);
                if remove {
                    table.remove(&tuple(port));
                    model.remove(&port);
                } else {
                    let until = now + TIME_WAIT;
                    table.insert(tuple(port), 1, 2, now);
                    model.insert(port, until);
                }
                table.expire(now);
                model.retain(|_, until| *until > now);
                for port in 0..20 {
                    prop_assert_eq!(table.get(&tuple(port)).is_some(), model.contains_key(&port));
                }
            }
        }
    }

    #[test]
    fn a_full_table_forgets_the_oldest() {
        let mut table = TimeWait::new(3);
        for port in 0..=CAPACITY as u16 {
            table.insert(tuple(port), 1, 2, Instant::from_secs(1));
        }
        assert!(table.get(&tuple(0)).is_none());
        assert!(table.get(&tuple(1)).is_some());
        // Renewing one again and again costs the others nothing.
        for _ in 0..4 * CAPACITY {
            table.insert(tuple(9), 1, 2, Instant::from_secs(2));
        }
        assert_eq!(table.known.len(), CAPACITY);
    }
}
