// SPDX-License-Identifier: BSD-2-Clause

//! Which socket the later fragments of a datagram belong to. The ports are in the first fragment only, and smoltcp hands a
//! datagram to the socket that it was given with the fragment that completed it. By then the first has been here, so what it
//! said is remembered. If the first itself comes last, its own ports serve.

use smoltcp::time::Instant;

use crate::frame::{Content, FragmentKey};
use crate::stack::REASSEMBLY;

/// Datagrams remembered at once: more than smoltcp can put together at once (4).
const COUNT: usize = 8;

/// The memory. When it is full, the oldest goes.
pub(crate) struct FragmentRoutes {
    entries: [Option<(FragmentKey, Content, Instant)>; COUNT],
    next: usize,
}

impl FragmentRoutes {
    pub(crate) fn new() -> Self {
        FragmentRoutes {
            entries: [None; COUNT],
            next: 0,
        }
    }

    /// A first fragment came.
    pub(crate) fn remember(&mut self, key: FragmentKey, content: Content, now: Instant) {
        let known = |entry: &Option<(FragmentKey, Content, Instant)>| {
            entry.is_some_and(|(known, _, _)| known == key)
        };
        let at = match self.entries.iter().position(known) {
            Some(at) => at,
            None => {
                self.next = (self.next + 1) % COUNT;
                self.next
            }
        };
        self.entries[at] = Some((key, content, now + REASSEMBLY));
    }

    /// What the first fragment said.
    pub(crate) fn recall(&self, key: FragmentKey, now: Instant) -> Option<Content> {
        self.entries
            .iter()
            .flatten()
            .find(|(known, _, until)| *known == key && now < *until)
            .map(|(_, content, _)| *content)
    }
}
