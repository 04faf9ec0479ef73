// SPDX-License-Identifier: BSD-2-Clause

//! Async streams. Dropping one closes its socket.

use core::cell::Cell;
use core::net::SocketAddr;

use socket_proto::{Errno, PollBits, Shutdown, SocketKind};

use crate::wakers::Direction;
use crate::{Client, Error, Net, Sent, Socket, Transport};

/// A socket that is closed when its last owner is dropped.
struct Owned<'n, T: Transport> {
    net: &'n Net<T>,
    socket: Socket,
}

impl<T: Transport> Drop for Owned<'_, T> {
    fn drop(&mut self) {
        if !self.net.leave_to_other_half(self.socket) {
            // Nothing can be done about an error, and none is expected: the socket is ours.
            let _ = self.net.client().close(self.socket);
        }
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

    /// The socket, for calls of [`Client`].
    pub fn socket(&self) -> Socket {
        self.owned.socket
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
/// Methods take `&self`, so that one task can read while another writes. `TcpStream` and
/// `&TcpStream` have the traits of `embedded-io-async`; [`Self::into_split`] gives each direction
/// as a value of its own.
///
/// ```
/// # test_world::example(async |net, peer| {
/// use core::time::Duration;
/// use socket_client::TcpStream;
///
/// // An outgoing connection, which may take two seconds.
/// let connect = TcpStream::connect(net, peer.echo());
/// let stream = net.timeout(Duration::from_secs(2), connect).await??;
/// stream.write_all(b"hello").await?;
/// let mut buf = [0; 100];
/// let count = stream.read(&mut buf).await?;
/// assert_eq!(&buf[..count], b"hello");
/// # Ok(())
/// # });
/// ```
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

    /// Itself, as the types that hold a stream have it.
    pub(crate) fn stream(&self) -> &Self {
        self
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

    /// Sends all of `data`, waiting as often as it takes.
    ///
    /// # Errors
    /// As [`Self::write`]. How much was sent before is unknown then.
    pub async fn write_all(&self, mut data: &[u8]) -> Result<(), Error> {
        while !data.is_empty() {
            let count = self.write(data).await?;
            data = &data[count..];
        }
        Ok(())
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

    /// Resets the connection: what was written and not yet sent is lost, and the peer's next call
    /// fails. Dropping the stream instead ends it in order.
    pub fn abort(self) {
        self.reset();
    }

    pub(crate) fn reset(&self) {
        // An error means that there is no connection any more.
        let _ = self.client().disconnect(self.owned.socket);
    }

    /// The two directions as two values, for two tasks. The connection is closed when both are
    /// dropped.
    ///
    /// ```
    /// # test_world::example(async |net, peer| {
    /// # use socket_client::{Error, TcpStream};
    /// # let stream = TcpStream::connect(net, peer.echo()).await?;
    /// use embassy_futures::join::join;
    ///
    /// let (reader, writer) = stream.into_split();
    /// let write = async {
    ///     writer.write_all(&[7; 100_000]).await?;
    ///     drop(writer); // The peer reads the end of the stream.
    ///     Ok::<_, Error>(())
    /// };
    /// let read = async {
    ///     let (mut buf, mut total) = ([0; 1000], 0);
    ///     loop {
    ///         match reader.read(&mut buf).await? {
    ///             0 => return Ok::<_, Error>(total),
    ///             count => total += count,
    ///         }
    ///     }
    /// };
    /// let (written, read) = join(write, read).await;
    /// written?;
    /// assert_eq!(read, Ok(100_000));
    /// # Ok(())
    /// # });
    /// ```
    pub fn into_split(self) -> (TcpReader<'n, T>, TcpWriter<'n, T>) {
        let other = Self::own(self.owned.net, self.owned.socket);
        self.owned.net.split(self.owned.socket);
        (TcpReader(self), TcpWriter(other))
    }
}

/// The receiving direction of a [`TcpStream`]. Dropping it keeps the other one open.
pub struct TcpReader<'n, T: Transport>(TcpStream<'n, T>);

impl<'n, T: Transport> TcpReader<'n, T> {
    /// The connection.
    pub fn stream(&self) -> &TcpStream<'n, T> {
        &self.0
    }

    /// As [`TcpStream::read`].
    ///
    /// # Errors
    /// As [`TcpStream::read`].
    pub async fn read(&self, buf: &mut [u8]) -> Result<usize, Error> {
        self.0.read(buf).await
    }
}

/// The sending direction of a [`TcpStream`]. Dropping it ends this direction: the peer reads what
/// was written, then the end of the stream.
pub struct TcpWriter<'n, T: Transport>(TcpStream<'n, T>);

impl<'n, T: Transport> TcpWriter<'n, T> {
    /// The connection.
    pub fn stream(&self) -> &TcpStream<'n, T> {
        &self.0
    }

    /// As [`TcpStream::write`].
    ///
    /// # Errors
    /// As [`TcpStream::write`].
    pub async fn write(&self, data: &[u8]) -> Result<usize, Error> {
        self.0.write(data).await
    }

    /// As [`TcpStream::write_all`].
    ///
    /// # Errors
    /// As [`TcpStream::write_all`].
    pub async fn write_all(&self, data: &[u8]) -> Result<(), Error> {
        self.0.write_all(data).await
    }
}

impl<T: Transport> Drop for TcpWriter<'_, T> {
    fn drop(&mut self) {
        // An error means that the connection has ended by itself.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}
