// SPDX-License-Identifier: BSD-2-Clause

//! Connections that a peer has asked for and not yet confirmed.
//!
//! A SYN costs one small entry here, no buffers and nothing of a client's quota. When all entries
//! are taken, as in a flood of SYNs whose senders never answer, the next ones get a SYN cookie
//! instead ([`crate::transport::numbers`]): a peer that confirms it is served as well.

use crate::time::{Duration, Instant};

use crate::ethernet::Hop;
use crate::ip::output::Marks;
use crate::ip::packet::Tuple;
use crate::tables::id::HalfOpenId;
use crate::tables::map::Map;
use crate::tables::pool::Pool;
use crate::tables::timers::Timers;
use crate::transport::segment::Segment;

/// Entries for all listening sockets together.
pub(crate) const CAPACITY: usize = 1024;
/// When a SYN|ACK is sent again, counted from the one before it (RFC 6298 section 2), and after the
/// last of these times the peer is given up.
const PATIENCE: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];
/// How long cookies are taken after the last was given.
const COOKIES: Duration = Duration::from_secs(60);

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HalfOpen {
    pub tuple: Tuple,
    /// The way to where the SYN came from.
    pub back: Hop,
    /// The peer's SYN.
    pub syn: Segment,
    /// Our first sequence number.
    pub iss: u32,
    /// What the listening socket's packets say.
    pub marks: Marks,
    /// The largest segment that we announce, in bytes.
    pub mss: u16,
    /// Our window.
    pub offer: u16,
    /// When the SYN|ACK was sent first.
    pub since: Instant,
    /// How often it has been sent again.
    pub again: usize,
}

/// All of them.
pub(crate) struct Backlog {
    entries: Pool<HalfOpenId, Option<HalfOpen>>,
    pub(crate) known: Map<Tuple, HalfOpenId>,
    /// When the next SYN|ACK of each is due.
    pub(super) timers: Timers<HalfOpenId>,
    cookies_until: Instant,
}

impl Backlog {
    pub(crate) fn new(seed: u64) -> Self {
        Backlog {
            entries: Pool::new(CAPACITY, || None),
            known: Map::new(CAPACITY, seed),
            timers: Timers::new(CAPACITY),
            cookies_until: Instant::ZERO,
        }
    }

    /// Number of entries in use, by each table.
    #[cfg(feature = "audit")]
    pub(crate) fn used(&self) -> [usize; 2] {
        [self.known.len(), self.entries.used()]
    }

    pub(crate) fn get(&self, tuple: &Tuple) -> Option<HalfOpen> {
        self.entries[self.known.get(tuple)?]
    }

    /// Remembers a SYN that has just been answered, in place of an earlier one of the same peer.
    /// Returns whether there was room; if not, the answer should have been a cookie.
    pub(crate) fn insert(&mut self, half_open: HalfOpen, now: Instant) -> bool {
        self.remove(&half_open.tuple);
        let Some(id) = self.entries.take() else {
            return false;
        };
        // There are as many keys as entries.
        let _ = self.known.insert(half_open.tuple, id);
        self.entries[id] = Some(half_open);
        self.timers.set_if_earlier(id, now + PATIENCE[0]);
        true
    }

    /// Whether [`Self::insert`] would find room for this peer.
    pub(crate) fn has_room(&self, tuple: &Tuple) -> bool {
        !self.entries.is_full() || self.known.get(tuple).is_some()
    }

    pub(crate) fn remove(&mut self, tuple: &Tuple) -> Option<HalfOpen> {
        let id = self.known.remove(tuple)?;
        self.timers.clear(id);
        self.entries.put_back(id);
        self.entries[id].take()
    }

    /// Takes out one whose SYN|ACK is due again. Those whose time is over are forgotten.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<HalfOpen> {
        while let Some(id) = self.timers.pop_due(now) {
            let Some(half_open) = &mut self.entries[id] else {
                continue;
            };
            half_open.again += 1;
            let half_open = *half_open;
            match PATIENCE.get(half_open.again) {
                Some(&patience) => {
                    self.timers.set_if_earlier(id, now + patience);
                    return Some(half_open);
                }
                None => drop(self.remove(&half_open.tuple)),
            }
        }
        None
    }

    /// A cookie is being given.
    pub(crate) fn note_cookie(&mut self, now: Instant) {
        self.cookies_until = now + COOKIES;
    }

    /// Whether a peer may come with a cookie. At other times none is taken, so that guessing one is
    /// possible during a flood only.
    pub(crate) fn takes_cookies(&self, now: Instant) -> bool {
        now < self.cookies_until
    }
}
