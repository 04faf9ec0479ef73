// SPDX-License-Identifier: BSD-2-Clause

//! The children: ids, names, and what is watched of them.

use core::fmt;

use pd_support::{Peer, ReadOnly, ReadWrite, find_peer, region, regions, role, wiring};
use sel4_microkit::{Channel, Child};
use stats::StatsPage;
use supervision::{Lives, MAX_CHILDREN, Sight};

/// A child: its entry in the wiring table, and its page of counters.
#[derive(Clone, Copy)]
struct Known {
    pd: wiring::Peer<'static>,
    page: Option<&'static StatsPage>,
}

/// The children, by id, as the declaration has them.
pub struct Table {
    known: [Option<Known>; MAX_CHILDREN],
    /// The child that says on a channel that it is ready, by the channel's id.
    ready: [Option<Child>; Channel::COUNT],
    /// The page in which the server of sockets reads whose life is over, and its channel.
    lives: Option<(&'static Lives, Peer)>,
}

impl Table {
    /// Looks the children up in the wiring table. To be called once.
    ///
    /// # Panics
    /// If a region is too small for what lies in it.
    pub fn take() -> Self {
        let mut known = [None; MAX_CHILDREN];
        for pd in wiring().peers().filter(|peer| peer.is_child) {
            if let Some(entry) = known.get_mut(pd.number) {
                *entry = Some(Known { pd, page: None });
            }
        }
        for counters in regions::<ReadOnly>(role::COUNTERS) {
            let number = counters.peer().map(|peer| peer.number);
            if let Some(Some(known)) = number.and_then(|number| known.get_mut(number)) {
                known.page = Some(counters.page());
            }
        }
        let mut ready = [None; Channel::COUNT];
        for channel in wiring().channels(role::SUPERVISION) {
            ready[channel.id] = channel.peer.map(|child| Child::new(child.number));
        }
        Self {
            known,
            ready,
            lives: find_peer(role::LIVES)
                .map(|server| (region::<ReadWrite>(role::LIVES).page(), server)),
        }
    }

    fn known(&self, id: usize) -> Option<Known> {
        self.known.get(id).copied().flatten()
    }

    /// Returns the number of children.
    pub fn count(&self) -> usize {
        self.known.iter().flatten().count()
    }

    /// Returns the name of a child, or its number if it has none.
    pub fn name(&self, child: Child) -> impl fmt::Display + use<> {
        let known = self.known(child.index());
        fmt::from_fn(move |f| match known {
            Some(known) => f.write_str(known.pd.name),
            None => write!(f, "child {}", child.index()),
        })
    }

    /// Returns the state that a child's page shows.
    pub fn sight(&self, id: usize, starting: bool) -> Option<Sight> {
        let known = self.known(id)?;
        Some(Sight {
            priority: known.pd.priority,
            beat: known.page?.beat(),
            starting,
        })
    }

    /// Returns whether there is a child with this number.
    #[cfg(feature = "fault-injection")]
    pub fn is_known(&self, id: usize) -> bool {
        self.known(id).is_some()
    }

    /// Returns the names of all children, each after a space.
    #[cfg(feature = "fault-injection")]
    pub fn names(&self) -> impl fmt::Display {
        fmt::from_fn(|f| {
            let mut known = self.known.iter().flatten();
            known.try_for_each(|known| write!(f, " {}", known.pd.name))
        })
    }

    /// Returns the child that says on this channel that it is ready, if it is such a channel.
    pub fn by_ready_channel(&self, channel: Channel) -> Option<Child> {
        self.ready.get(channel.index()).copied().flatten()
    }

    /// Tells the children that want to know that a second has passed.
    pub fn tell_of_second(&self) {
        for channel in wiring().channels(role::SUPERVISION) {
            if channel.may_notify {
                Peer::new(Channel::new(channel.id)).notify();
            }
        }
    }

    /// Notes that a child's life is over, and tells the server of sockets if it is a client.
    pub fn tell_of_fault(&self, child: Child) {
        if let Some((lives, server)) = &self.lives {
            lives.end(child.index());
            let known = self.known(child.index());
            if known.is_some_and(|known| known.pd.is_client) {
                server.notify();
            }
        }
    }
}
