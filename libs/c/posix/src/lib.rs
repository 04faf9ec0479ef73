// SPDX-License-Identifier: BSD-2-Clause

//! What POSIX calls sockets, on [`socket_client`]: small numbers for sockets, calls that wait,
//! `poll` with a time limit, options and addresses as bytes, names to addresses. All of it is safe
//! code with slices; `libs/c/isthmus-c` is the border to C.
//!
//! A call that waits does what the server tells everybody to do: try, and if that is `EAGAIN` wait
//! for a notification and try again. How a PD waits is a [`Wait`].
//!
//! Error numbers are Linux's ([`Error`]).

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod address;
mod error;
mod files;
mod groups;
mod names;
mod options;
mod pair;
mod poll;
mod sockets;
mod transfer;

pub use address::{ADDRESS_MAX, UNNAMED, read_address, write_address};
pub use error::Error;
pub use files::{FIRST, File, How, Target};
pub use names::{Hints, NameError, service_name, service_port};
pub use options::OPTION_MAX;
pub use pair::{End, Memory, PAIR_ROOM, PAIRS};
pub use poll::PollEntry;
pub use transfer::Received;

use core::cell::{OnceCell, RefCell};
use core::task::Waker;
use core::time::Duration;

use resolver::Resolver;
use socket_client::{Client, Errno, Instant, Net, Socket, Transport};

use files::Files;
use pair::Pairs;

/// Names that are kept.
const CACHE: usize = 8;

/// How a PD waits for a notification.
pub trait Wait {
    /// Returns when there was one, perhaps without a reason.
    ///
    /// # Errors
    /// Why the PD must not wait now.
    fn wait(&self) -> Result<(), Error>;
}

/// Sockets of a program.
pub struct Posix<'n, T: Transport, W: Wait> {
    net: &'n Net<T>,
    wait: W,
    files: RefCell<Files<'n>>,
    pairs: RefCell<Pairs<'n>>,
    resolver: OnceCell<Resolver<'n, T, CACHE>>,
}

impl<'n, T: Transport, W: Wait> Posix<'n, T, W> {
    /// Makes it without sockets, and with room for as many as `files` is long.
    pub fn new(net: &'n Net<T>, files: &'n mut [Option<File>], wait: W) -> Self {
        files.fill(None);
        Posix {
            net,
            wait,
            files: RefCell::new(Files(files)),
            pairs: RefCell::new([const { None }; PAIRS]),
            resolver: OnceCell::new(),
        }
    }

    fn client(&self) -> &'n Client<T> {
        self.net.client()
    }

    /// Returns what a descriptor names.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn file(&self, fd: i32) -> Result<File, Error> {
        self.files.borrow().get(fd)
    }

    /// The server's socket; with one of `socketpair` there is no such operation.
    fn socket_of(&self, fd: i32) -> Result<Socket, Error> {
        match self.file(fd)?.target {
            Target::Server(socket) => Ok(socket),
            Target::End(_) => Err(Error::EOPNOTSUPP),
        }
    }

    /// Returns the time.
    pub fn now(&self) -> Instant {
        self.net.now()
    }

    /// What shows that something may have become ready: changes on the readiness page, and that the
    /// server has been attached to again, with which every socket is gone.
    fn seen(&self) -> (u32, u32) {
        (self.client().ready_serial(), self.client().attachments())
    }

    /// Waits for a notification, or until `until`. Does not wait if something has changed since
    /// `seen`: of what the client's own calls make ready there is no notification.
    fn wait_until(&self, until: Instant, seen: (u32, u32)) -> Result<(), Error> {
        // No task runs: this asks the server for a notification at that time, and attaches to one
        // that has restarted. The wish is renewed when earlier ones have gone.
        self.net.run(|| {
            if until != Instant::MAX {
                self.net.schedule_wake(until, Waker::noop());
            }
            false
        });
        match seen == self.seen() {
            true => self.wait.wait(),
            false => Ok(()),
        }
    }

    /// Tries until `attempt` does not end with `EAGAIN`. Without `wait` once, otherwise until that
    /// time.
    fn repeat<R>(
        &self,
        wait: Option<Instant>,
        mut attempt: impl FnMut(&Client<T>) -> Result<R, Errno>,
    ) -> Result<R, Error> {
        loop {
            let seen = self.seen();
            match (attempt(self.client()), wait) {
                (Err(Errno::EAGAIN), Some(until)) if until > self.now() => {
                    self.wait_until(until, seen)?;
                }
                (result, _) => return Ok(result?),
            }
        }
    }

    /// Waits for so long.
    ///
    /// # Errors
    /// Those of [`Wait::wait`].
    pub fn sleep(&self, time: Duration) -> Result<(), Error> {
        let until = self.now() + time;
        while self.now() < until {
            self.wait_until(until, self.seen())?;
        }
        Ok(())
    }
}
