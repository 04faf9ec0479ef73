// SPDX-License-Identifier: BSD-2-Clause

//! Timers without a timer channel: the server notifies at the earliest deadline, this table knows
//! whose it is.
//!
//! A task has one entry, for the earliest of its deadlines: when that has passed the task is woken,
//! and asks again for those that lie ahead. Setting and dropping a timer costs no call. A dropped
//! timer leaves its entry where it was, so timeouts of seconds that are set for each request and
//! dropped soon after cost a wake-up in seconds.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use heapless::VecView;
use socket_proto::Errno;
use time::Instant;

/// A task that waits for a time.
pub(crate) struct Entry {
    deadline: Instant,
    waker: Waker,
}

/// All timers of a PD.
pub(crate) struct Timers {
    entries: RefCell<&'static mut VecView<Entry>>,
    /// No entry is earlier than this. [`Instant::MAX`]: there is none.
    earliest: Cell<Instant>,
}

impl Timers {
    pub(crate) fn new(entries: &'static mut VecView<Entry>) -> Self {
        Timers {
            entries: RefCell::new(entries),
            earliest: Cell::new(Instant::MAX),
        }
    }

    /// No timer is earlier than this; [`Instant::MAX`] if there is none.
    pub(crate) fn earliest(&self) -> Instant {
        self.earliest.get()
    }

    /// Wakes the task once `deadline` has passed. A task that is to be woken already is woken at
    /// the earlier of the times.
    ///
    /// # Errors
    /// `ENOBUFS` if no timer is left.
    pub(crate) fn schedule(&self, deadline: Instant, waker: &Waker) -> Result<(), Errno> {
        let mut entries = self.entries.borrow_mut();
        match entries
            .iter_mut()
            .find(|entry| entry.waker.will_wake(waker))
        {
            Some(entry) => entry.deadline = entry.deadline.min(deadline),
            None => {
                let waker = waker.clone();
                let entry = Entry { deadline, waker };
                entries.push(entry).map_err(|_| Errno::ENOBUFS)?;
            }
        }
        self.earliest.set(self.earliest.get().min(deadline));
        Ok(())
    }

    /// Wakes the tasks whose deadline has passed, and finds the earliest of the others.
    pub(crate) fn expire(&self, now: Instant) {
        if now < self.earliest.get() {
            return;
        }
        self.earliest.set(Instant::MAX);
        let mut kept = 0;
        loop {
            let mut entries = self.entries.borrow_mut();
            match entries.get(kept).map(|entry| entry.deadline) {
                Some(deadline) if deadline > now => {
                    self.earliest.set(self.earliest.get().min(deadline));
                    kept += 1;
                }
                Some(_) => {
                    // Woken outside of the borrow: a waker may do anything.
                    let due = entries.swap_remove(kept);
                    drop(entries);
                    due.waker.wake();
                }
                None => return,
            }
        }
    }
}
