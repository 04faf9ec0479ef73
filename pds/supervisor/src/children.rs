// SPDX-License-Identifier: BSD-2-Clause

//! The children: ids, names, and what is watched of them.

use core::fmt::Write;

use heapless::String;
use pd_support::{Mapped, Peer, region};
use sel4_microkit::{Channel, Child, var};
use shm::ReadOnly;
use stats::StatsPage;
use supervision::{MAX_CHILD_NAME, MAX_CHILDREN, Sight};

/// The channel on which child n says that it is ready is this plus n. A child that may be notified
/// there is, each second.
const READY_CHANNELS: usize = 10;
/// The channel on which net_server is told that child n has faulted is this plus n: only its
/// clients have one.
const FAULT_CHANNELS: usize = 30;

/// Value of a symbol that the system description does not set.
const ABSENT: u64 = u64::MAX;

/// The console of an image made for tests takes commands while others work.
const CONSOLE_PRIORITY: u8 = if cfg!(feature = "fault-injection") {
    250
} else {
    10
};

/// What is known of a child.
#[derive(Clone, Copy)]
struct Known {
    name: &'static str,
    /// As in the system description; it decides who is at fault when several children do not get
    /// on.
    priority: u8,
    /// Its page of counters, where the system description maps it.
    page: Option<&'static StatsPage>,
}

/// The children, by id. One is added here, or goes by its number and is not watched.
pub struct Table([Option<Known>; MAX_CHILDREN]);

/// Name, priority, and the names under which the system description sets id and page of counters.
macro_rules! children {
    ($table:expr; $($name:literal, $priority:expr, $child:ident, $page:ident;)+) => {
        $(
            $table.add(*var!($child: u64 = ABSENT), Known {
                name: $name,
                priority: $priority,
                page: region!(optional r $page).map(Mapped::<ReadOnly>::page),
            });
        )+
    };
}

impl Table {
    /// To be called once.
    ///
    /// # Panics
    /// If a region is too small for a page of counters.
    pub fn take() -> Self {
        let mut table = Self([None; MAX_CHILDREN]);
        children![table;
            "timer_driver", 200, timer_driver_child, timer_driver_stats;
            "net_driver", 50, net_driver_child, net_driver_stats;
            "net_server", 100, net_server_child, net_server_stats;
            "echo_server", 50, echo_server_child, echo_server_stats;
            "http_server", 50, http_server_child, http_server_stats;
            "console", CONSOLE_PRIORITY, console_child, console_stats;
            "rng_driver", 210, rng_driver_child, rng_driver_stats;
            "hostile", 50, hostile_child, hostile_stats;
        ];
        table
    }

    fn add(&mut self, id: u64, known: Known) {
        if let Some(entry) = usize::try_from(id).ok().and_then(|id| self.0.get_mut(id)) {
            *entry = Some(known);
        }
    }

    fn known(&self, id: usize) -> Option<Known> {
        self.0.get(id).copied().flatten()
    }

    /// How many are known.
    pub fn count(&self) -> usize {
        self.0.iter().flatten().count()
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
        self.0.map(|known| known.map_or("", |known| known.name))
    }
}

/// The child that says on this channel that it is ready, if it is such a channel.
pub fn by_ready_channel(channel: Channel) -> Option<Child> {
    let id = channel.index().checked_sub(READY_CHANNELS)?;
    (id < MAX_CHILDREN).then(|| Child::new(id))
}

/// Tells the children that want to know that a second has passed.
pub fn tell_of_second() {
    for id in 0..MAX_CHILDREN {
        notify(READY_CHANNELS + id);
    }
}

/// Tells net_server that a client's life is over, if the child is a client.
pub fn tell_of_fault(child: Child) {
    if child.index() < MAX_CHILDREN {
        notify(FAULT_CHANNELS + child.index());
    }
}

fn notify(id: usize) {
    let channel = Channel::new(id);
    if channel.may_notify() {
        Peer::new(channel).notify();
    }
}
