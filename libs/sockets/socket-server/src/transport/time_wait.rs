// SPDX-License-Identifier: BSD-2-Clause

//! Connections that are over, and whose last segments may still come (RFC 9293 section 3.6.1).
//!
//! Such a connection needs no buffers: four numbers answer whatever a peer may still ask. All wait
//! equally long, so the oldest is always the next to go, and makes room if the table is full.

use alloc::collections::VecDeque;

use crate::time::{Duration, Instant};

use crate::ip::packet::Tuple;
use crate::tables::map::Map;

/// Twice the time that a segment can live in the network; as Linux.
pub(crate) const TIME_WAIT: Duration = Duration::from_secs(60);
/// The least by which it is worth waiting longer.
const RENEWAL: Duration = Duration::from_secs(1);
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
    known: Map<Tuple, Remains>,
    /// In the order in which they end. One that has been renewed or removed is here in vain.
    order: VecDeque<(Instant, Tuple)>,
}

impl TimeWait {
    pub(crate) fn new(seed: u64) -> Self {
        TimeWait {
            known: Map::new(CAPACITY, seed),
            order: VecDeque::with_capacity(2 * CAPACITY),
        }
    }

    pub(crate) fn get(&self, tuple: &Tuple) -> Option<Remains> {
        self.known.get(tuple)
    }

    /// A connection has ended, or its peer has repeated its end: it waits from now on.
    pub(crate) fn insert(&mut self, tuple: Tuple, next: u32, expected: u32, now: Instant) {
        self.expire(now);
        let until = now + TIME_WAIT;
        // A peer that renews it all the time does not fill the order with it.
        if self
            .get(&tuple)
            .is_some_and(|old| until < old.until + RENEWAL)
        {
            return;
        }
        let remains = Remains {
            next,
            expected,
            until,
        };
        while self.order.len() == 2 * CAPACITY
            || (self.known.len() == CAPACITY && self.known.get(&tuple).is_none())
        {
            if !self.drop_oldest() {
                break;
            }
        }
        if self.known.insert(tuple, remains).is_ok() {
            self.order.push_back((until, tuple));
        }
    }

    pub(crate) fn remove(&mut self, tuple: &Tuple) {
        self.known.remove(tuple);
    }

    /// Forgets whom the time has passed for.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.order.front().is_some_and(|&(until, _)| until <= now) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let Some((until, tuple)) = self.order.pop_front() else {
            return false;
        };
        if self
            .known
            .get(&tuple)
            .is_some_and(|remains| remains.until == until)
        {
            self.known.remove(&tuple);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;
    use proptest::prelude::*;

    fn tuple(port: u16) -> Tuple {
        Tuple {
            local: (Ipv4Addr::LOCALHOST, 80),
            remote: (Ipv4Addr::LOCALHOST, port),
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
                    let old = *model.entry(port).or_insert(until);
                    if until >= old + RENEWAL {
                        model.insert(port, until);
                    }
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
