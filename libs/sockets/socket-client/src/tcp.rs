// SPDX-License-Identifier: BSD-2-Clause

//! Async streams. Dropping one closes its socket.

use core::cell::Cell;
use core::net::SocketAddr;

use embedded_io_async::{ErrorType, Read, ReadReady, Write, WriteReady};
use socket_proto::{Errno, PollBits, Shutdown, SocketKind};

use crate::wakers::Direction;
use crate::{Client, Error, Net, Sent, Socket, Transport};

/// A socket that is closed when it is dropped.
struct Owned<'n, T: Transport> {
    net: &'n Net<T>,
    socket: Socket,
}

impl<T: Transport> Drop for Owned<'_, T> {
    fn drop(&mut self) {
        // Nothing can be done about an error, and none is expected: the socket is ours.
        let _ = self.net.client().close(self.socket);
    }
}

/// A socket that takes connections.
pub struct TcpListener<'n, T: Transport> {
    owned: Owned<'n, T>,
    turn: Cell<u8>,
}

impl<'n, T: Transport> TcpListener<'n, T> {
    /// Listens at `addr`; `backlog` connections may wait for [`Self::accept`].
    ///
    /// # Errors
    /// Those of [`Client::socket`], [`Client::bind`] and [`Client::listen`].
    pub fn bind(net: &'n Net<T>, addr: SocketAddr, backlog: usize) -> Result<Self, Error> {
        let socket = net.open(SocketKind::Stream)?;
        let listener = TcpListener {
            owned: Owned { net, socket },
            turn: Cell::new(0),
        };
        net.client().bind(socket, addr)?;
        net.client().listen(socket, backlog)?;
        Ok(listener)
    }

    /// Waits until [`Self::accept`] has a connection or an error.
    ///
    /// # Errors
    /// `ENOBUFS`: too many tasks wait for one socket.
    pub async fn readable(&self) -> Result<(), Error> {
        let owned = &self.owned;
        Ok(owned.net.ready(owned.socket, Direction::Read).await?)
    }

    /// Its readiness now.
    pub fn poll_bits(&self) -> PollBits {
        self.owned.net.client().poll_bits(self.owned.socket)
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`: no socket is left for it; close some and try again. `ECONNRESET`: the
    /// server has restarted; bind again.
    pub async fn accept(&self) -> Result<(TcpStream<'n, T>, SocketAddr), Error> {
        let net = self.owned.net;
        let (socket, peer) = net
            .operate(self.owned.socket, Direction::Read, &self.turn, |client| {
                client.accept(self.owned.socket)
            })
            .await?;
        let socket = net.admit(socket)?;
        Ok((TcpStream::own(net, socket), peer))
    }

    /// The address that it listens at.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted.
    pub fn local_addr(&self) -> Result<SocketAddr, Error> {
        Ok(self.owned.net.client().getsockname(self.owned.socket)?)
    }
}

/// A connection.
///
/// Methods take `&self`, so that one task can read while another writes; [`Self::split`] gives each
/// half as a value with the traits.
pub struct TcpStream<'n, T: Transport> {
    owned: Owned<'n, T>,
    turn: Cell<u8>,
}

impl<'n, T: Transport> TcpStream<'n, T> {
    fn own(net: &'n Net<T>, socket: Socket) -> Self {
        TcpStream {
            owned: Owned { net, socket },
            turn: Cell::new(0),
        }
    }

    /// Connects to `addr`.
    ///
    /// # Errors
    /// `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`, `ENETUNREACH`, `EACCES`, and those of
    /// [`Client::socket`].
    pub async fn connect(net: &'n Net<T>, addr: SocketAddr) -> Result<Self, Error> {
        let stream = Self::own(net, net.open(SocketKind::Stream)?);
        let socket = stream.owned.socket;
        match net.client().connect(socket, addr) {
            Ok(()) => return Ok(stream),
            Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        net.ready(socket, Direction::Write).await?;
        net.client().take_error(socket)?;
        Ok(stream)
    }

    fn client(&self) -> &'n Client<T> {
        self.owned.net.client()
    }

    /// The sockets and timers that this stream belongs to.
    pub fn net(&self) -> &'n Net<T> {
        self.owned.net
    }

    /// The socket, for calls of [`Client`].
    pub fn socket(&self) -> Socket {
        self.owned.socket
    }

    /// Its readiness now.
    pub fn poll_bits(&self) -> PollBits {
        self.client().poll_bits(self.owned.socket)
    }

    /// The local address.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted.
    pub fn local_addr(&self) -> Result<SocketAddr, Error> {
        Ok(self.client().getsockname(self.owned.socket)?)
    }

    /// The peer's address.
    ///
    /// # Errors
    /// `ENOTCONN`, `ECONNRESET`.
    pub fn peer_addr(&self) -> Result<SocketAddr, Error> {
        Ok(self.client().getpeername(self.owned.socket)?)
    }

    /// Waits for bytes and receives them. 0 means that the peer has ended the stream, or that `buf`
    /// is empty.
    ///
    /// # Errors
    /// `ECONNRESET`, `ETIMEDOUT`.
    pub async fn read(&self, buf: &mut [u8]) -> Result<usize, Error> {
        if buf.is_empty() {
            return Ok(0);
        }
        let socket = self.owned.socket;
        let count = self
            .owned
            .net
            .operate(socket, Direction::Read, &self.turn, |client| {
                client.recv(socket, buf)
            })
            .await?;
        Ok(count)
    }

    /// Waits until the socket takes bytes, and sends as many of `data` as it takes.
    ///
    /// # Errors
    /// `EPIPE`, `ECONNRESET`, `ETIMEDOUT`.
    pub async fn write(&self, data: &[u8]) -> Result<usize, Error> {
        self.write_vectored(&[data]).await
    }

    /// As [`Self::write`], with several pieces as one stream of bytes in one call.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, Error> {
        if pieces.iter().all(|piece| piece.is_empty()) {
            return Ok(0);
        }
        let socket = self.owned.socket;
        let sent = self
            .owned
            .net
            .operate(socket, Direction::Write, &self.turn, |client| {
                client.send_vectored(socket, pieces)
            })
            .await?;
        Ok(sent.count)
    }

    /// Waits until the socket takes bytes, lets `fill` produce up to `max` of them in the window,
    /// and sends them. What is not taken (see [`Sent::count`]) must be produced again: `fill`
    /// may be called with a shorter window than asked for, and again if nothing was taken.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_with(
        &self,
        max: usize,
        mut fill: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<Sent, Error> {
        let socket = self.owned.socket;
        let sent = self
            .owned
            .net
            .operate(socket, Direction::Write, &self.turn, |client| {
                client.send_with(socket, max, &mut fill)
            })
            .await?;
        Ok(sent)
    }

    /// Waits until there are bytes to read, or the end of the stream, or an error.
    ///
    /// # Errors
    /// `ENOBUFS`: too many tasks wait for one socket.
    pub async fn readable(&self) -> Result<(), Error> {
        let owned = &self.owned;
        Ok(owned.net.ready(owned.socket, Direction::Read).await?)
    }

    /// Waits until there is room to write, or an error.
    ///
    /// # Errors
    /// As [`Self::readable`].
    pub async fn writable(&self) -> Result<(), Error> {
        let owned = &self.owned;
        Ok(owned.net.ready(owned.socket, Direction::Write).await?)
    }

    /// Ends one or both directions. After [`Shutdown::Write`] the peer reads what was written, then
    /// the end of the stream.
    ///
    /// # Errors
    /// `ENOTCONN`, `ECONNRESET`.
    pub fn shutdown(&self, how: Shutdown) -> Result<(), Error> {
        Ok(self.client().shutdown(self.owned.socket, how)?)
    }

    /// The two directions as two values.
    pub fn split(&self) -> (TcpReader<'_, 'n, T>, TcpWriter<'_, 'n, T>) {
        (TcpReader(self), TcpWriter(self))
    }
}

/// The receiving direction of a [`TcpStream`].
#[derive(Clone, Copy)]
pub struct TcpReader<'s, 'n, T: Transport>(&'s TcpStream<'n, T>);

/// The sending direction of a [`TcpStream`].
#[derive(Clone, Copy)]
pub struct TcpWriter<'s, 'n, T: Transport>(&'s TcpStream<'n, T>);

impl<T: Transport> ErrorType for TcpStream<'_, T> {
    type Error = Error;
}

impl<T: Transport> ErrorType for TcpReader<'_, '_, T> {
    type Error = Error;
}

impl<T: Transport> ErrorType for TcpWriter<'_, '_, T> {
    type Error = Error;
}

impl<T: Transport> Read for TcpStream<'_, T> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        TcpStream::read(self, buf).await
    }
}

impl<T: Transport> Read for TcpReader<'_, '_, T> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        self.0.read(buf).await
    }
}

impl<T: Transport> ReadReady for TcpStream<'_, T> {
    fn read_ready(&mut self) -> Result<bool, Error> {
        Ok(self.poll_bits().intersects(Direction::Read.mask()))
    }
}

impl<T: Transport> ReadReady for TcpReader<'_, '_, T> {
    fn read_ready(&mut self) -> Result<bool, Error> {
        Ok(self.0.poll_bits().intersects(Direction::Read.mask()))
    }
}

impl<T: Transport> Write for TcpStream<'_, T> {
    async fn write(&mut self, data: &[u8]) -> Result<usize, Error> {
        TcpStream::write(self, data).await
    }

    /// Bytes that `write` has taken are the server's, which sends them without being asked.
    async fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl<T: Transport> Write for TcpWriter<'_, '_, T> {
    async fn write(&mut self, data: &[u8]) -> Result<usize, Error> {
        self.0.write(data).await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl<T: Transport> WriteReady for TcpStream<'_, T> {
    fn write_ready(&mut self) -> Result<bool, Error> {
        Ok(self.poll_bits().intersects(Direction::Write.mask()))
    }
}

impl<T: Transport> WriteReady for TcpWriter<'_, '_, T> {
    fn write_ready(&mut self) -> Result<bool, Error> {
        Ok(self.0.poll_bits().intersects(Direction::Write.mask()))
    }
}
