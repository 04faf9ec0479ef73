// SPDX-License-Identifier: BSD-2-Clause

//! Async streams. Dropping one closes its socket.

use core::net::SocketAddr;
use core::ops::Deref;

use socket_proto::{Errno, Shutdown, SocketKind};

use crate::wakers::Direction;
use crate::{Net, NetSocket, Sent, Transport};

/// A socket that takes connections.
pub struct TcpListener<'n, T: Transport>(NetSocket<'n, T>);

impl<'n, T: Transport> Deref for TcpListener<'n, T> {
    type Target = NetSocket<'n, T>;

    fn deref(&self) -> &NetSocket<'n, T> {
        &self.0
    }
}

impl<'n, T: Transport> TcpListener<'n, T> {
    /// Listens at `addr`, with `[::]` for both families; `backlog` connections may wait for
    /// [`Self::accept`].
    ///
    /// # Errors
    /// Those of [`Client::socket`](crate::Client::socket), [`Client::bind`](crate::Client::bind)
    /// and [`Client::listen`](crate::Client::listen).
    pub fn bind(net: &'n Net<T>, addr: SocketAddr, backlog: usize) -> Result<Self, Errno> {
        let listener = TcpListener(net.open(addr, SocketKind::Stream)?);
        net.client().bind(listener.socket(), addr)?;
        net.client().listen(listener.socket(), backlog)?;
        Ok(listener)
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`: no socket is left for it; close some and try again. `ECONNRESET`: the
    /// server has restarted; bind again.
    pub async fn accept(&self) -> Result<(TcpStream<'n, T>, SocketAddr), Errno> {
        let accept = self.operate(Direction::Read, |client, socket| client.accept(socket));
        let (socket, peer) = accept.await?;
        Ok((TcpStream(self.net().admit(socket)?), peer))
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
pub struct TcpStream<'n, T: Transport>(NetSocket<'n, T>);

impl<'n, T: Transport> Deref for TcpStream<'n, T> {
    type Target = NetSocket<'n, T>;

    fn deref(&self) -> &NetSocket<'n, T> {
        &self.0
    }
}

impl<'n, T: Transport> TcpStream<'n, T> {
    /// Connects to `addr`.
    ///
    /// # Errors
    /// `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`, `ENETUNREACH`, `EACCES`, and those of
    /// [`Client::socket`](crate::Client::socket).
    pub async fn connect(net: &'n Net<T>, addr: SocketAddr) -> Result<Self, Errno> {
        let stream = TcpStream(net.open(addr, SocketKind::Stream)?);
        match net.client().connect(stream.socket(), addr) {
            Err(Errno::EINPROGRESS) => {}
            connected => return connected.map(|()| stream),
        }
        stream.writable().await?;
        net.client().take_error(stream.socket())?;
        Ok(stream)
    }

    /// Itself, as the types that hold a stream have it.
    pub(crate) fn stream(&self) -> &Self {
        self
    }

    /// Waits for bytes and receives them. 0 means that the peer has ended the stream, or that `buf`
    /// is empty.
    ///
    /// # Errors
    /// `ECONNRESET`, `ETIMEDOUT`.
    pub async fn read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.operate(Direction::Read, |client, socket| client.recv(socket, buf))
            .await
    }

    /// Receives until `buf` is full, waiting as often as it takes (`MSG_WAITALL`). Fewer bytes mean
    /// that the stream has ended.
    ///
    /// # Errors
    /// As [`Self::read`]. How much was received before is unknown then.
    pub async fn read_full(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        let mut count = 0;
        while count < buf.len() {
            match self.read(&mut buf[count..]).await? {
                0 => break,
                more => count += more,
            }
        }
        Ok(count)
    }

    /// Waits for bytes and copies them to `buf`; they can be received again. 0 as for
    /// [`Self::read`].
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn peek(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.operate(Direction::Read, |client, socket| client.peek(socket, buf))
            .await
    }

    /// Waits until the socket takes bytes, and sends as many of `data` as it takes.
    ///
    /// # Errors
    /// `EPIPE`, `ECONNRESET`, `ETIMEDOUT`.
    pub async fn write(&self, data: &[u8]) -> Result<usize, Errno> {
        if data.is_empty() {
            return Ok(0);
        }
        self.operate(Direction::Write, |client, socket| client.send(socket, data))
            .await
    }

    /// Sends all of `data`, waiting as often as it takes.
    ///
    /// # Errors
    /// As [`Self::write`]. How much was sent before is unknown then.
    pub async fn write_all(&self, mut data: &[u8]) -> Result<(), Errno> {
        while !data.is_empty() {
            let count = self.write(data).await?;
            data = &data[count..];
        }
        Ok(())
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
    ) -> Result<Sent, Errno> {
        self.operate(Direction::Write, |client, socket| {
            client.send_with(socket, max, &mut fill)
        })
        .await
    }

    /// Ends one or both directions. After [`Shutdown::Write`] the peer reads what was written, then
    /// the end of the stream.
    ///
    /// # Errors
    /// `ENOTCONN`, `ECONNRESET`.
    pub fn shutdown(&self, how: Shutdown) -> Result<(), Errno> {
        self.client().shutdown(self.socket(), how)
    }

    /// Resets the connection: what was written and not yet sent is lost, and the peer's next call
    /// fails. Dropping the stream instead ends it in order.
    pub fn abort(self) {
        self.reset();
    }

    pub(crate) fn reset(&self) {
        // An error means that there is no connection any more.
        let _ = self.client().disconnect(self.socket());
    }

    /// The two directions as two values, for two tasks. The connection is closed when both are
    /// dropped.
    ///
    /// ```
    /// # test_world::example(async |net, peer| {
    /// # use socket_client::{Errno, TcpStream};
    /// # let stream = TcpStream::connect(net, peer.echo()).await?;
    /// use embassy_futures::join::join;
    ///
    /// let (reader, writer) = stream.into_split();
    /// let write = async {
    ///     writer.write_all(&[7; 100_000]).await?;
    ///     drop(writer); // The peer reads the end of the stream.
    ///     Ok::<_, Errno>(())
    /// };
    /// let read = async {
    ///     let (mut buf, mut total) = ([0; 1000], 0);
    ///     loop {
    ///         match reader.read(&mut buf).await? {
    ///             0 => return Ok::<_, Errno>(total),
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
        let other = self.second();
        self.net().wakers.split(self.socket());
        (TcpReader(self), TcpWriter(TcpStream(other)))
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
    pub async fn read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
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
    pub async fn write(&self, data: &[u8]) -> Result<usize, Errno> {
        self.0.write(data).await
    }

    /// As [`TcpStream::write_all`].
    ///
    /// # Errors
    /// As [`TcpStream::write_all`].
    pub async fn write_all(&self, data: &[u8]) -> Result<(), Errno> {
        self.0.write_all(data).await
    }
}

impl<T: Transport> Drop for TcpWriter<'_, T> {
    fn drop(&mut self) {
        // An error means that the connection has ended by itself.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}
