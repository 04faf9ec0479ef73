// SPDX-License-Identifier: BSD-2-Clause

//! Timers without a timer channel: the server notifies at the earliest deadline, this table knows
//! whose it is.
//!
//! Setting and dropping a timer costs no call. The earliest deadline is kept as a lower bound: a
//! dropped timer leaves it where it was, the notification then finds nothing to do, and the table
//! is looked through for the next one. Timeouts of seconds that are set for each request and
//! dropped soon after cost one such look in seconds.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use socket_proto::Errno;
use time::Instant;

use crate::{Error, Net, Transport};

/// A timer that waits.
pub(crate) struct Entry {
    deadline: Instant,
    waker: Waker,
    /// No [`Sleep`] takes it away: it goes when its time has come.
    unowned: bool,
}

struct Table {
    entries: &'static mut [Option<Entry>],
    /// Entries from here on are free; keeps the search short.
    used: usize,
}

/// All timers of a PD.
pub(crate) struct Timers {
    table: RefCell<Table>,
    /// No timer is earlier than this. [`Instant::MAX`]: there is none.
    earliest: Cell<Instant>,
}

impl Timers {
    pub(crate) const fn new(entries: &'static mut [Option<Entry>]) -> Self {
        Timers {
            table: RefCell::new(Table { entries, used: 0 }),
            earliest: Cell::new(Instant::MAX),
        }
    }

    /// No timer is earlier than this; [`Instant::MAX`] if there is none.
    pub(crate) fn earliest(&self) -> Instant {
        self.earliest.get()
    }

    fn insert(&self, deadline: Instant, waker: &Waker, unowned: bool) -> Result<usize, Errno> {
        let mut table = self.table.borrow_mut();
        let free = table.entries.iter().position(Option::is_none);
        let index = free.ok_or(Errno::ENOBUFS)?;
        table.entries[index] = Some(Entry {
            deadline,
            waker: waker.clone(),
            unowned,
        });
        table.used = table.used.max(index + 1);
        self.earliest.set(self.earliest.get().min(deadline));
        Ok(index)
    }

    /// Wakes the task once `deadline` has passed. A task that is to be woken already is woken at
    /// the earlier of the times.
    ///
    /// # Errors
    /// `ENOBUFS` if no timer is left.
    pub(crate) fn schedule(&self, deadline: Instant, waker: &Waker) -> Result<(), Errno> {
        {
            let mut table = self.table.borrow_mut();
            let used = table.used;
            let mut entries = table.entries[..used].iter_mut().flatten();
            let same = |entry: &&mut Entry| entry.unowned && entry.waker.will_wake(waker);
            if let Some(entry) = entries.find(same) {
                entry.deadline = entry.deadline.min(deadline);
                self.earliest.set(self.earliest.get().min(deadline));
                return Ok(());
            }
        }
        self.insert(deadline, waker, true).map(drop)
    }

    fn update(&self, index: usize, waker: &Waker) {
        if let Some(Some(entry)) = self.table.borrow_mut().entries.get_mut(index)
            && !entry.waker.will_wake(waker)
        {
            entry.waker = waker.clone();
        }
    }

    fn remove(&self, index: usize) {
        let removed = {
            let mut table = self.table.borrow_mut();
            let removed = table.entries.get_mut(index).and_then(Option::take);
            while table.used > 0 && table.entries[table.used - 1].is_none() {
                table.used -= 1;
            }
            removed
        };
        drop(removed);
    }

    /// Wakes the tasks whose deadline has passed, and finds the earliest of the others. Their
    /// entries stay until the task comes and takes them away.
    pub(crate) fn expire(&self, now: Instant) {
        if now < self.earliest.get() {
            return;
        }
        let mut earliest = Instant::MAX;
        let used = self.table.borrow().used;
        for index in 0..used {
            let due = {
                let mut table = self.table.borrow_mut();
                let slot = &mut table.entries[index];
                match slot {
                    Some(entry) if entry.deadline <= now && entry.unowned => {
                        slot.take().map(|entry| entry.waker)
                    }
                    Some(entry) if entry.deadline <= now => Some(entry.waker.clone()),
                    Some(entry) => {
                        earliest = earliest.min(entry.deadline);
                        None
                    }
                    None => None,
                }
            };
            if let Some(waker) = due {
                waker.wake();
            }
        }
        self.earliest.set(earliest);
    }
}

/// A future that is ready when a time has come, or with `ENOBUFS` at its first poll if no timer is
/// left. See [`Net::sleep_until`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep<'n, T: Transport> {
    net: &'n Net<T>,
    when: When,
    entry: Option<usize>,
}

#[derive(Clone, Copy)]
enum When {
    /// Counted from the first poll, so that a timeout around something that is ready at once does
    /// not even read the clock.
    After(Duration),
    At(Instant),
}

impl<'n, T: Transport> Sleep<'n, T> {
    /// When it ends; `None` before the first poll if it is counted from there.
    pub fn deadline(&self) -> Option<Instant> {
        match self.when {
            When::At(deadline) => Some(deadline),
            When::After(_) => None,
        }
    }

    pub(crate) fn until(net: &'n Net<T>, deadline: Instant) -> Self {
        Sleep {
            net,
            when: When::At(deadline),
            entry: None,
        }
    }

    pub(crate) fn after(net: &'n Net<T>, duration: Duration) -> Self {
        Sleep {
            net,
            when: When::After(duration),
            entry: None,
        }
    }
}

impl<T: Transport> Future for Sleep<'_, T> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let now = self.net.now();
        let deadline = match self.when {
            When::At(deadline) => deadline,
            When::After(duration) => {
                let deadline = now + duration;
                self.when = When::At(deadline);
                deadline
            }
        };
        if now >= deadline {
            return Poll::Ready(Ok(()));
        }
        match self.entry {
            Some(index) => self.net.timers.update(index, cx.waker()),
            None => match self.net.timers.insert(deadline, cx.waker(), false) {
                Ok(index) => self.entry = Some(index),
                Err(errno) => return Poll::Ready(Err(errno.into())),
            },
        }
        Poll::Pending
    }
}

impl<T: Transport> Drop for Sleep<'_, T> {
    fn drop(&mut self) {
        if let Some(index) = self.entry.take() {
            self.net.timers.remove(index);
        }
    }
}
