// SPDX-License-Identifier: BSD-2-Clause

//! The calls without payload.

use core::net::SocketAddr;

use socket_client::{Errno, Family, Protocol, Shutdown, Socket, SocketKind, Transport};

use crate::files::{File, How, Target};
use crate::pair::Memory;
use crate::{Error, Posix, Wait};

const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;

impl<'n, T: Transport, W: Wait> Posix<'n, T, W> {
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
        self.admit(socket, File::new(Target::Server(socket), kind, nonblocking))
    }

    fn check_room(&self) -> Result<(), Error> {
        match self.files.borrow().free() {
            0 => Err(Error::EMFILE),
            _ => Ok(()),
        }
    }

    fn admit(&self, socket: Socket, file: File) -> Result<i32, Error> {
        let inserted = self.files.borrow_mut().insert(file);
        if inserted.is_err() {
            // Nobody has the socket.
            let _ = self.client().close(socket);
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
        let (listener, listening) = (self.file(fd)?, self.socket_of(fd)?);
        self.check_room()?;
        let until = listener.until(How::AsSet, listener.receive_timeout, self.now());
        let (socket, peer) = self.repeat(until, |client| client.accept(listening))?;
        let accepted = File {
            target: Target::Server(socket),
            nonblocking,
            ..listener
        };
        Ok((self.admit(socket, accepted)?, peer))
    }

    /// Connects, and waits for the end of the attempt. Without an address: dissolves.
    ///
    /// # Errors
    /// `EINPROGRESS` when the time is up, and those of [`socket_client::Client::connect`].
    pub fn connect(&self, fd: i32, address: Option<SocketAddr>) -> Result<(), Error> {
        let (file, socket) = (self.file(fd)?, self.socket_of(fd)?);
        let Some(address) = address else {
            return Ok(self.client().disconnect(socket)?);
        };
        let until = file.until(How::AsSet, file.send_timeout, self.now());
        let mut last = Errno::EAGAIN;
        let connected = self.repeat(until, |client| match client.connect(socket, address) {
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
        let file = self.file(fd)?;
        let how = u64::try_from(how).ok().and_then(Shutdown::from_raw);
        let how = how.ok_or(Error::EINVAL)?;
        match file.target {
            Target::Server(socket) => self.client().shutdown(socket, how)?,
            Target::End(end) => self.shutdown_end(end, how)?,
        }
        Ok(())
    }

    /// Gives a descriptor back. With the second of a pair, returns the pair's memory.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close(&self, fd: i32) -> Result<Option<Memory<'n>>, Error> {
        let file = self.files.borrow_mut().remove(fd)?;
        match file.target {
            Target::Server(socket) => self.client().close(socket)?,
            Target::End(end) => return Ok(self.close_end(end)?),
        }
        Ok(None)
    }

    /// The local address; one of a pair has none.
    ///
    /// # Errors
    /// `EBADF`, `ECONNRESET`.
    pub fn local(&self, fd: i32) -> Result<Option<SocketAddr>, Error> {
        match self.file(fd)?.target {
            Target::Server(socket) => Ok(Some(self.client().getsockname(socket)?)),
            Target::End(_) => Ok(None),
        }
    }

    /// The peer's address; one of a pair has none.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn peer(&self, fd: i32) -> Result<Option<SocketAddr>, Error> {
        match self.file(fd)?.target {
            Target::Server(socket) => Ok(Some(self.client().getpeername(socket)?)),
            Target::End(_) => Ok(None),
        }
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
