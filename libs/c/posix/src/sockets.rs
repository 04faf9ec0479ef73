// SPDX-License-Identifier: BSD-2-Clause

//! The calls without payload.

use core::net::SocketAddr;

use socket_client::{Errno, Family, Protocol, Shutdown, SocketKind, Transport};

use crate::files::{File, How};
use crate::{Error, Posix, Wait};

const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;

impl<T: Transport, W: Wait> Posix<'_, T, W> {
    /// A new socket. `kind` has no flags in it.
    ///
    /// # Errors
    /// `EAFNOSUPPORT`, `EINVAL` (no such type), `ESOCKTNOSUPPORT`, `EPROTONOSUPPORT`, `EMFILE`,
    /// `ENFILE`, `EACCES` (echoes that the declaration does not allow).
    pub fn socket(
        &self,
        family: i32,
        kind: i32,
        protocol: i32,
        nonblocking: bool,
    ) -> Result<i32, Error> {
        let family = match family {
            AF_INET => Family::Inet,
            AF_INET6 => Family::Inet6,
            _ => return Err(Error::EAFNOSUPPORT),
        };
        let kind = match kind {
            1 => SocketKind::Stream,
            2 => SocketKind::Datagram,
            3..=5 => return Err(Errno::ESOCKTNOSUPPORT.into()),
            _ => return Err(Error::EINVAL),
        };
        let protocol = u64::try_from(protocol).ok().and_then(Protocol::from_raw);
        let protocol = protocol.ok_or(Errno::EPROTONOSUPPORT)?;
        let socket = self.client().socket_with(family, kind, protocol)?;
        self.admit(File::new(socket, kind, nonblocking))
    }

    fn check_room(&self) -> Result<(), Error> {
        match self.files.borrow().is_full() {
            true => Err(Error::EMFILE),
            false => Ok(()),
        }
    }

    fn admit(&self, file: File) -> Result<i32, Error> {
        let inserted = self.files.borrow_mut().insert(file);
        if inserted.is_err() {
            // Nobody has the socket.
            let _ = self.client().close(file.socket);
        }
        inserted
    }

    /// Gives a socket its local address.
    ///
    /// # Errors
    /// As [`socket_client::Client::bind`].
    pub fn bind(&self, fd: i32, address: SocketAddr) -> Result<(), Error> {
        Ok(self.client().bind(self.socket_of(fd)?, address)?)
    }

    /// Makes a socket take connections.
    ///
    /// # Errors
    /// As [`socket_client::Client::listen`].
    pub fn listen(&self, fd: i32, backlog: i32) -> Result<(), Error> {
        // As on Linux a negative number is a large one.
        let backlog = usize::try_from(backlog).unwrap_or(usize::MAX);
        Ok(self.client().listen(self.socket_of(fd)?, backlog)?)
    }

    /// Takes the oldest connection that waits, or waits for one. It has the listener's time limits.
    ///
    /// # Errors
    /// `EAGAIN` when the time is up, and those of [`socket_client::Client::accept`].
    pub fn accept(&self, fd: i32, nonblocking: bool) -> Result<(i32, SocketAddr), Error> {
        let listener = self.file(fd)?;
        self.check_room()?;
        let until = listener.until(How::AsSet, listener.receive_timeout, self.now());
        let (socket, peer) = self.repeat(until, |client| client.accept(listener.socket))?;
        let accepted = File {
            socket,
            nonblocking,
            ..listener
        };
        Ok((self.admit(accepted)?, peer))
    }

    /// Connects, and waits for the end of the attempt. Without an address: dissolves.
    ///
    /// # Errors
    /// `EINPROGRESS` when the time is up, and those of [`socket_client::Client::connect`].
    pub fn connect(&self, fd: i32, address: Option<SocketAddr>) -> Result<(), Error> {
        let file = self.file(fd)?;
        let Some(address) = address else {
            return Ok(self.client().disconnect(file.socket)?);
        };
        let until = file.until(How::AsSet, file.send_timeout, self.now());
        let mut last = Errno::EAGAIN;
        let connected = self.repeat(until, |client| match client.connect(file.socket, address) {
            Err(errno @ (Errno::EINPROGRESS | Errno::EALREADY)) => {
                last = errno;
                Err(Errno::EAGAIN)
            }
            result => result,
        });
        match connected {
            Err(error) if error == Errno::EAGAIN && until.is_some() => {
                Err(Errno::EINPROGRESS.into())
            }
            Err(error) if error == Errno::EAGAIN => Err(last.into()),
            result => result,
        }
    }

    /// Ends one or both directions.
    ///
    /// # Errors
    /// `EINVAL`, `ENOTCONN`.
    pub fn shutdown(&self, fd: i32, how: i32) -> Result<(), Error> {
        let socket = self.socket_of(fd)?;
        let how = u64::try_from(how).ok().and_then(Shutdown::from_raw);
        Ok(self.client().shutdown(socket, how.ok_or(Error::EINVAL)?)?)
    }

    /// Gives a descriptor back.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close(&self, fd: i32) -> Result<(), Error> {
        let file = self.files.borrow_mut().remove(fd)?;
        Ok(self.client().close(file.socket)?)
    }

    /// The local address.
    ///
    /// # Errors
    /// `EBADF`, `ECONNRESET`.
    pub fn local(&self, fd: i32) -> Result<SocketAddr, Error> {
        Ok(self.client().getsockname(self.socket_of(fd)?)?)
    }

    /// The peer's address.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn peer(&self, fd: i32) -> Result<SocketAddr, Error> {
        Ok(self.client().getpeername(self.socket_of(fd)?)?)
    }

    /// Sets or clears `O_NONBLOCK`.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_nonblocking(&self, fd: i32, on: bool) -> Result<(), Error> {
        let mut files = self.files.borrow_mut();
        files.change(fd, |file| file.nonblocking = on)
    }
}
