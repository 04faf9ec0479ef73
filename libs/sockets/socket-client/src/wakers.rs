// SPDX-License-Identifier: BSD-2-Clause

//! Who waits for which socket.
//!
//! Almost always it is one task for a socket and direction: its waker lies in a table, and stays
//! there until the socket is ready. Further tasks take an entry of a small list. All of them are
//! woken together; those that find nothing wait again.

use core::cell::RefCell;
use core::task::Waker;

use socket_proto::{Errno, PollBits};

use crate::Socket;

/// Futures that can wait for a socket and direction for which another task waits already.
const FURTHER: usize = 64;

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// `recv` or `accept`.
    Read,
    /// `send`, or the end of a connection attempt.
    Write,
}

impl Direction {
    /// Bits with which the call that the task wants to make returns something else than `EAGAIN`.
    pub(crate) fn mask(self) -> PollBits {
        let always = PollBits::ERR | PollBits::HUP | PollBits::NVAL;
        match self {
            Direction::Read => PollBits::IN | PollBits::RDHUP | always,
            Direction::Write => PollBits::OUT | always,
        }
    }
}

/// Who waits for the sockets of one index.
pub(crate) struct Waiting {
    /// The socket that has this index, as far as anyone waits for it.
    socket: Option<Socket>,
    read: Option<Waker>,
    write: Option<Waker>,
    /// The socket that has this index, if it has two owners.
    split: Option<Socket>,
}

impl Waiting {
    pub(crate) const NONE: Waiting = Waiting {
        socket: None,
        read: None,
        write: None,
        split: None,
    };

    fn slot(&mut self, direction: Direction) -> &mut Option<Waker> {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }

    /// The wakers of directions that are ready.
    fn take_ready(&mut self, bits: impl Fn(Socket) -> PollBits) -> [Option<Waker>; 2] {
        let bits = self.socket.map_or(PollBits::NONE, bits);
        let woken = [Direction::Read, Direction::Write].map(|direction| {
            let ready = bits.intersects(direction.mask());
            self.slot(direction).take_if(|_| ready)
        });
        if self.read.is_none() && self.write.is_none() {
            self.socket = None;
        }
        woken
    }
}

/// A future that waits besides another task. It holds its entry until it is dropped.
struct Further {
    socket: Socket,
    direction: Direction,
    /// `None` when it has been woken and has not come back yet.
    waker: Option<Waker>,
}

struct Table {
    /// By index of the socket.
    waiting: &'static mut [Waiting],
    further: [Option<Further>; FURTHER],
    /// Entries of `further` that are taken.
    further_len: usize,
}

/// The wakers of all sockets.
pub(crate) struct Wakers {
    table: RefCell<Table>,
}

/// A future's part in the table; it is given back when the future is dropped.
pub(crate) struct Waiter<'w> {
    wakers: &'w Wakers,
    /// Its entry in `further`.
    entry: Option<usize>,
}

impl<'w> Waiter<'w> {
    pub(crate) fn new(wakers: &'w Wakers) -> Self {
        Waiter {
            wakers,
            entry: None,
        }
    }

    /// Remembers to wake `waker` when `socket` is ready in that direction.
    ///
    /// # Errors
    /// `EMFILE` if the socket's index is beyond the table, `ENOBUFS` if another task waits already
    /// and no entry is left.
    pub(crate) fn wait(
        &mut self,
        socket: Socket,
        direction: Direction,
        waker: &Waker,
    ) -> Result<(), Errno> {
        let mut gone = [None, None];
        {
            let mut table = self.wakers.table.borrow_mut();
            let table = &mut *table;
            let waiting = table.waiting.get_mut(socket.index()).ok_or(Errno::EMFILE)?;
            if waiting.socket != Some(socket) {
                // Of an earlier socket with this index, which is closed: its tasks find that out.
                gone = [waiting.read.take(), waiting.write.take()];
                waiting.socket = Some(socket);
            }
            match waiting.slot(direction) {
                Some(present) if !present.will_wake(waker) => {
                    let taken = match self.entry {
                        Some(taken) => taken,
                        None => {
                            let free = table.further.iter().position(Option::is_none);
                            table.further_len += usize::from(free.is_some());
                            *self.entry.insert(free.ok_or(Errno::ENOBUFS)?)
                        }
                    };
                    table.further[taken] = Some(Further {
                        socket,
                        direction,
                        waker: Some(waker.clone()),
                    });
                }
                Some(_) => {}
                slot @ None => *slot = Some(waker.clone()),
            }
        }
        gone.into_iter().flatten().for_each(Waker::wake);
        Ok(())
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            let removed = {
                let mut table = self.wakers.table.borrow_mut();
                table.further_len -= 1;
                table.further[entry].take()
            };
            drop(removed);
        }
    }
}

impl Wakers {
    pub(crate) const fn new(waiting: &'static mut [Waiting]) -> Self {
        Wakers {
            table: RefCell::new(Table {
                waiting,
                further: [const { None }; FURTHER],
                further_len: 0,
            }),
        }
    }

    /// Whether tasks can wait for a socket: whether the table has its index.
    pub(crate) fn admits(&self, socket: Socket) -> bool {
        socket.index() < self.table.borrow().waiting.len()
    }

    /// From now on a socket has two owners.
    pub(crate) fn split(&self, socket: Socket) {
        if let Some(waiting) = self.table.borrow_mut().waiting.get_mut(socket.index()) {
            waiting.split = Some(socket);
        }
    }

    /// One of a socket's owners goes. Returns whether there was another one.
    pub(crate) fn unsplit(&self, socket: Socket) -> bool {
        let mut table = self.table.borrow_mut();
        let waiting = table.waiting.get_mut(socket.index());
        waiting.is_some_and(|waiting| waiting.split.take_if(|split| *split == socket).is_some())
    }

    /// Wakes every task whose socket is ready, as `bits` says. Returns whether there was one.
    pub(crate) fn wake_ready(&self, bits: impl Fn(Socket) -> PollBits) -> bool {
        let mut any = false;
        let indices = self.table.borrow().waiting.len();
        for index in 0..indices {
            any |= self.wake_ready_at(index, &bits);
        }
        any | self.wake_ready_further(&bits)
    }

    /// As [`Self::wake_ready`], for the first tasks that wait for the socket of one index.
    pub(crate) fn wake_ready_at(&self, index: usize, bits: impl Fn(Socket) -> PollBits) -> bool {
        // Woken outside of the borrow: a waker may do anything, this table's methods included.
        let woken = match self.table.borrow_mut().waiting.get_mut(index) {
            Some(waiting) => waiting.take_ready(bits),
            None => [None, None],
        };
        woken.into_iter().flatten().map(Waker::wake).count() > 0
    }

    /// Wakes every task that waits for `socket` in a direction that `bits` is for.
    pub(crate) fn wake(&self, socket: Socket, bits: PollBits) {
        let bits = |other| {
            if other == socket {
                bits
            } else {
                PollBits::NONE
            }
        };
        self.wake_ready_at(socket.index(), bits);
        self.wake_ready_further(bits);
    }

    /// As [`Self::wake_ready`], for the further tasks.
    pub(crate) fn wake_ready_further(&self, bits: impl Fn(Socket) -> PollBits) -> bool {
        if self.table.borrow().further_len == 0 {
            return false;
        }
        let mut any = false;
        for entry in 0..FURTHER {
            let waker = match &mut self.table.borrow_mut().further[entry] {
                Some(further) if bits(further.socket).intersects(further.direction.mask()) => {
                    further.waker.take()
                }
                _ => None,
            };
            any |= waker.map(Waker::wake).is_some();
        }
        any
    }
}
