// SPDX-License-Identifier: BSD-2-Clause

//! Who waits for which socket. One task per socket and direction; a second one displaces the first, which is woken and
//! tries again.

use core::cell::RefCell;
use core::task::Waker;

use socket_proto::PollBits;

use crate::Socket;

/// Socket indices that tasks can wait for. The server's quotas are below it; a socket beyond it is refused when it is made.
pub(crate) const SOCKETS: usize = 256;

const WORD_BITS: usize = u64::BITS as usize;

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// `recv` or `accept`.
    Read,
    /// `send`, or the end of a connection attempt.
    Write,
}

impl Direction {
    /// Bits with which the call that the task wants to make answers something else than `EAGAIN`.
    pub(crate) const fn mask(self) -> PollBits {
        let bits = match self {
            Direction::Read => PollBits::IN.raw() | PollBits::RDHUP.raw(),
            Direction::Write => PollBits::OUT.raw(),
        };
        let always = PollBits::ERR.raw() | PollBits::HUP.raw() | PollBits::NVAL.raw();
        PollBits::from_raw((bits | always) as u64)
    }
}

#[derive(Default)]
struct Waiting {
    /// The socket that has this index, as far as anyone waits for it.
    socket: Option<Socket>,
    read: Option<Waker>,
    write: Option<Waker>,
}

impl Waiting {
    fn slot(&mut self, direction: Direction) -> &mut Option<Waker> {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}

struct Table {
    waiting: [Waiting; SOCKETS],
    /// Indices with a waker, so that a look at the page touches only those.
    occupied: [u64; SOCKETS / WORD_BITS],
}

/// The wakers of all sockets.
pub(crate) struct Wakers {
    table: RefCell<Table>,
}

impl Wakers {
    pub(crate) const fn new() -> Self {
        Wakers {
            table: RefCell::new(Table {
                waiting: [const {
                    Waiting {
                        socket: None,
                        read: None,
                        write: None,
                    }
                }; SOCKETS],
                occupied: [0; SOCKETS / WORD_BITS],
            }),
        }
    }

    /// Remembers to wake `waker` when `socket` is ready in that direction. `false` if the index is beyond the table.
    pub(crate) fn wait(&self, socket: Socket, direction: Direction, waker: &Waker) -> bool {
        let index = socket.index();
        let mut displaced = [None, None];
        {
            let mut table = self.table.borrow_mut();
            let Some(waiting) = table.waiting.get_mut(index) else {
                return false;
            };
            if waiting.socket != Some(socket) {
                displaced = [waiting.read.take(), waiting.write.take()];
                waiting.socket = Some(socket);
            }
            match waiting.slot(direction) {
                Some(present) if present.will_wake(waker) => {}
                slot => {
                    let before = slot.replace(waker.clone());
                    if before.is_some() {
                        displaced[0] = before;
                    }
                }
            }
            table.occupied[index / WORD_BITS] |= 1 << (index % WORD_BITS);
        }
        displaced.into_iter().flatten().for_each(Waker::wake);
        true
    }

    /// Wakes every task whose socket is ready, as `bits` says. Answers whether there was one.
    pub(crate) fn wake_ready(&self, bits: impl Fn(Socket) -> PollBits) -> bool {
        let mut any = false;
        for word in 0..SOCKETS / WORD_BITS {
            let mut left = self.table.borrow().occupied[word];
            while left != 0 {
                let index = word * WORD_BITS + left.trailing_zeros() as usize;
                left &= left - 1;
                // Woken outside of the borrow: a waker may do anything, this table's methods included.
                for waker in self.take_ready(index, &bits).into_iter().flatten() {
                    any = true;
                    waker.wake();
                }
            }
        }
        any
    }

    fn take_ready(&self, index: usize, bits: &impl Fn(Socket) -> PollBits) -> [Option<Waker>; 2] {
        let mut table = self.table.borrow_mut();
        let waiting = &mut table.waiting[index];
        let bits = waiting.socket.map_or(PollBits::NVAL, bits);
        let woken = [Direction::Read, Direction::Write].map(|direction| {
            if bits.intersects(direction.mask()) {
                waiting.slot(direction).take()
            } else {
                None
            }
        });
        if waiting.read.is_none() && waiting.write.is_none() {
            waiting.socket = None;
            table.occupied[index / WORD_BITS] &= !(1 << (index % WORD_BITS));
        }
        woken
    }
}
