// SPDX-License-Identifier: BSD-2-Clause

//! Descriptors: the lowest free number from [`FIRST`] on, as POSIX has it.

use core::time::Duration;

use socket_client::{Instant, Socket, SocketKind};

use crate::Error;
use crate::pair::End;

/// The first descriptor of a socket. The ones below are the console.
pub const FIRST: i32 = 3;

/// Whether and how long a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As the socket has it.
    AsSet,
    /// Not at all: `MSG_DONTWAIT`.
    DontWait,
}

/// Who has the socket that a descriptor names.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The server.
    Server(Socket),
    /// The program itself: one of `socketpair`.
    End(End),
}

/// What a descriptor names.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// The socket.
    pub target: Target,
    /// Stream or datagram.
    pub kind: SocketKind,
    /// `O_NONBLOCK`.
    pub nonblocking: bool,
    /// `SO_RCVTIMEO`.
    pub receive_timeout: Option<Duration>,
    /// `SO_SNDTIMEO`.
    pub send_timeout: Option<Duration>,
}

impl File {
    pub(crate) fn new(target: Target, kind: SocketKind, nonblocking: bool) -> Self {
        File {
            target,
            kind,
            nonblocking,
            receive_timeout: None,
            send_timeout: None,
        }
    }

    /// Until when a call waits; `None` if it does not.
    pub(crate) fn until(&self, how: How, time: Option<Duration>, now: Instant) -> Option<Instant> {
        let waits = how == How::AsSet && !self.nonblocking;
        waits.then(|| time.map_or(Instant::MAX, |time| now + time))
    }
}

pub(crate) struct Files<'n>(pub &'n mut [Option<File>]);

impl Files<'_> {
    fn index(fd: i32) -> Option<usize> {
        usize::try_from(fd.checked_sub(FIRST)?).ok()
    }

    pub(crate) fn get(&self, fd: i32) -> Result<File, Error> {
        let file = Self::index(fd).and_then(|index| *self.0.get(index)?);
        file.ok_or(Error::EBADF)
    }

    /// Changes what a descriptor names.
    pub(crate) fn change(&mut self, fd: i32, change: impl FnOnce(&mut File)) -> Result<(), Error> {
        let file = Self::index(fd).and_then(|index| self.0.get_mut(index)?.as_mut());
        file.map(change).ok_or(Error::EBADF)
    }

    pub(crate) fn free(&self) -> usize {
        self.0.iter().filter(|file| file.is_none()).count()
    }

    pub(crate) fn insert(&mut self, file: File) -> Result<i32, Error> {
        let free = self.0.iter().position(Option::is_none);
        let index = free.ok_or(Error::EMFILE)?;
        self.0[index] = Some(file);
        Ok(index as i32 + FIRST)
    }

    pub(crate) fn remove(&mut self, fd: i32) -> Result<File, Error> {
        let file = self.get(fd)?;
        self.0[(fd - FIRST) as usize] = None;
        Ok(file)
    }
}
