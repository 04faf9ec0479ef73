// SPDX-License-Identifier: BSD-2-Clause

//! The children: ids, names, and what is watched of them.

use core::fmt::Write;

use heapless::{String, Vec};
use pd_support::{Peer, ReadOnly, ReadWrite, find_peer, region, regions, role, wiring};
use sel4_microkit::{Channel, Child};
use stats::StatsPage;
use supervision::{Lives, MAX_CHILD_NAME, MAX_CHILDREN, Sight};

/// Ids of channels are below this (Microkit manual, "Channels").
const CHANNELS: usize = 62;

/// What is known of a child.
#[derive(Clone, Copy)]
struct Known {
    name: &'static str,
    /// It decides who is at fault when several children do not get on.
    priority: u8,
    is_client: bool,
    /// Its page of counters.
    page: Option<&'static StatsPage>,
}

/// The children, by id, as the declaration has them.
pub struct Table {
    known: [Option<Known>; MAX_CHILDREN],
    /// Which child says on a channel that it is ready, by the channel's id.
    ready: [Option<Child>; CHANNELS],
    /// The children that want to know of each second.
    ticks: Vec<Peer, CHANNELS>,
    /// Where the server of sockets reads whose life is over, and its channel.
    lives: Option<(&'static Lives, Peer)>,
}

impl Table {
    /// To be called once.
    ///
    /// # Panics
    /// If a region is too small for what lies in it.
    pub fn take() -> Self {
        let mut table = Self {
            known: [None; MAX_CHILDREN],
            ready: [None; CHANNELS],
            ticks: Vec::new(),
            lives: find_peer(role::LIVES)
                .map(|server| (region::<ReadWrite>(role::LIVES).page(), server)),
        };
        for child in wiring().peers().filter(|peer| peer.is_child) {
            table.add(
                child.number,
                Known {
                    name: child.name,
                    priority: child.priority,
                    is_client: child.is_client,
                    page: None,
                },
            );
        }
        for counters in regions::<ReadOnly>(role::COUNTERS) {
            let number = counters.peer().map(|peer| peer.number);
            let known = number.and_then(|number| table.known.get_mut(number)?.as_mut());
            if let Some(known) = known {
                known.page = Some(counters.page());
            }
        }
        for channel in wiring().channels(role::SUPERVISION) {
            if let (Some(child), Some(ready)) = (channel.peer, table.ready.get_mut(channel.id)) {
                *ready = Some(Child::new(child.number));
            }
            if channel.may_notify {
                // There is room for one on each channel.
                let _ = table.ticks.push(Peer::new(Channel::new(channel.id)));
            }
        }
        table
    }

    fn add(&mut self, id: usize, known: Known) {
        if let Some(entry) = self.known.get_mut(id) {
            *entry = Some(known);
        }
    }

    fn known(&self, id: usize) -> Option<Known> {
        self.known.get(id).copied().flatten()
    }

    /// How many are known.
    pub fn count(&self) -> usize {
        self.known.iter().flatten().count()
    }

    /// What to call a child.
    pub fn name(&self, child: Child) -> String<MAX_CHILD_NAME> {
        let mut name = String::new();
        // Both fit.
        let _ = match self.known(child.index()) {
            Some(known) => name.push_str(known.name).map_err(|_| core::fmt::Error),
            None => write!(name, "child {}", child.index()),
        };
        name
    }

    /// What its page shows of a child.
    pub fn sight(&self, id: usize, starting: bool) -> Option<Sight> {
        let known = self.known(id)?;
        Some(Sight {
            priority: known.priority,
            beat: known.page?.beat(),
            starting,
        })
    }

    /// The names by child id, unknown ones empty.
    #[cfg(feature = "fault-injection")]
    pub fn names(&self) -> [&'static str; MAX_CHILDREN] {
        self.known.map(|known| known.map_or("", |known| known.name))
    }

    /// The child that says on this channel that it is ready, if it is such a channel.
    pub fn by_ready_channel(&self, channel: Channel) -> Option<Child> {
        self.ready.get(channel.index()).copied().flatten()
    }

    /// Tells the children that want to know that a second has passed.
    pub fn tell_of_second(&self) {
        for child in &self.ticks {
            child.notify();
        }
    }

    /// Notes that a child's life is over, and tells the server of sockets if it is a client.
    pub fn tell_of_fault(&self, child: Child) {
        if let Some((lives, server)) = &self.lives {
            lives.end(child.index());
            if self
                .known(child.index())
                .is_some_and(|known| known.is_client)
            {
                server.notify();
            }
        }
    }
}
