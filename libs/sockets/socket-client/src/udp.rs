// SPDX-License-Identifier: BSD-2-Clause

//! Async datagrams. Dropping a socket closes it.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::pin::pin;
use core::task::Poll;

use socket_proto::SocketKind;

use crate::wakers::Direction;
use crate::{Area, Batch, BatchWriter, Error, Incoming, Net, Socket, Transport};

/// A datagram socket with its own area of the window, into which it receives whole batches: a call
/// to the server is needed for each batch only, not for each datagram.
///
/// ```
/// # test_world::example(async |net, peer| {
/// use socket_client::UdpSocket;
///
/// let socket = UdpSocket::bind(net, ([0, 0, 0, 0], 5000).into(), 4096)?;
/// socket.send_to(b"ping", peer.echo()).await?;
/// let mut buf = [0; 100];
/// let datagram = socket.recv_from(&mut buf).await?;
/// assert_eq!((&buf[..datagram.len], datagram.from), (&b"ping"[..], peer.echo()));
/// assert!(!datagram.is_cut());
/// # Ok(())
/// # });
/// ```
pub struct UdpSocket<'n, T: Transport> {
    net: &'n Net<T>,
    socket: Socket,
    /// `None` only while it is being dropped.
    area: Option<Area>,
    /// Datagrams received and not yet taken.
    batch: Cell<Batch>,
    turn: Cell<u8>,
}

impl<'n, T: Transport> UdpSocket<'n, T> {
    /// A socket bound to `addr`, which receives up to `receive_len` bytes at once (32 bytes of
    /// header for each datagram included).
    ///
    /// # Errors
    /// `ENOBUFS` if the window has no such area left; those of
    /// [`Client::socket`](crate::Client::socket) and [`Client::bind`](crate::Client::bind).
    pub fn bind(net: &'n Net<T>, addr: SocketAddr, receive_len: usize) -> Result<Self, Error> {
        let socket = net.open(SocketKind::Datagram)?;
        let mut udp = UdpSocket {
            net,
            socket,
            area: None,
            batch: Cell::new(Batch::default()),
            turn: Cell::new(0),
        };
        udp.area = Some(net.client().s2c_areas.allocate(receive_len)?);
        net.client().bind(socket, addr)?;
        Ok(udp)
    }

    /// Sets the only peer: [`Self::send`] goes to it, and nobody else is heard.
    ///
    /// # Errors
    /// `EACCES`, `ENETUNREACH`.
    pub fn connect(&self, addr: SocketAddr) -> Result<(), Error> {
        Ok(self.net.client().connect(self.socket, addr)?)
    }

    /// The local address.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted.
    pub fn local_addr(&self) -> Result<SocketAddr, Error> {
        Ok(self.net.client().getsockname(self.socket)?)
    }

    /// The socket, for calls of [`Client`](crate::Client).
    pub fn socket(&self) -> Socket {
        self.socket
    }

    /// Waits for a datagram and copies it to `buf`. One that is longer is cut off
    /// ([`Incoming::is_cut`]).
    ///
    /// # Errors
    /// An error that waited on the socket; `ECONNRESET` if the server has restarted.
    pub async fn recv_from(&self, buf: &mut [u8]) -> Result<Incoming, Error> {
        let mut batch = self.recv_batch().await?;
        let taken = self.net.client().take_datagram(&mut batch, buf);
        if !batch.is_empty() {
            self.batch.set(batch);
            // Other tasks wait for the socket, which need not become ready again: the rest is here.
            self.net.wake(self.socket, Direction::Read);
        }
        Ok(taken?)
    }

    /// Waits for datagrams and receives as many as fit into the socket's area. What
    /// [`Self::recv_from`] has left over comes first, on its own. They stay there until the
    /// next receiving call of this socket; [`Batch::next`] takes them out, [`Self::send_batch`]
    /// sends them back.
    ///
    /// # Errors
    /// As [`Self::recv_from`].
    pub async fn recv_batch(&self) -> Result<Batch, Error> {
        let client = self.net.client();
        let range = match &self.area {
            Some(area) => area.start()..area.start() + area.len(),
            None => 0..0,
        };
        let span = client.s2c_span(range);
        let receive = self
            .net
            .operate(self.socket, Direction::Read, &self.turn, |client| {
                client.recv_batch_into(self.socket, span)
            });
        let mut receive = pin!(receive);
        // Looked at before each receiving call, which would write over what is left: another task
        // may have left it meanwhile.
        poll_fn(|cx| {
            let left = self.batch.take();
            if left.is_empty() {
                receive.as_mut().poll(cx).map_err(Error)
            } else {
                Poll::Ready(Ok(left))
            }
        })
        .await
    }

    /// Sends a datagram, waiting until the socket takes it.
    ///
    /// # Errors
    /// `EMSGSIZE`, `EACCES`, `ENETUNREACH`.
    pub async fn send_to(&self, payload: &[u8], to: SocketAddr) -> Result<(), Error> {
        self.send_or_wait(payload, Some(to)).await
    }

    /// Sends a datagram to the connected peer, waiting until the socket takes it.
    ///
    /// # Errors
    /// `EDESTADDRREQ` without a peer, `EMSGSIZE`.
    pub async fn send(&self, payload: &[u8]) -> Result<(), Error> {
        self.send_or_wait(payload, None).await
    }

    async fn send_or_wait(&self, payload: &[u8], to: Option<SocketAddr>) -> Result<(), Error> {
        self.net
            .operate(self.socket, Direction::Write, &self.turn, |client| {
                client.sendto(self.socket, payload, to)
            })
            .await?;
        Ok(())
    }

    /// Lets `fill` write datagrams and sends them in one call, without waiting. Answers how many
    /// were taken; the others are lost.
    ///
    /// # Errors
    /// `EAGAIN` if none was taken, and as [`Self::send_to`] about the first datagram.
    pub fn send_datagrams(&self, fill: impl FnOnce(&mut BatchWriter<'_>)) -> Result<usize, Error> {
        Ok(self.net.client().send_datagrams(self.socket, fill)?)
    }

    /// Sends the rest of a received batch back to where each datagram came from, in one call,
    /// without waiting and without a copy here. Answers how many were taken; the others are
    /// lost.
    ///
    /// # Errors
    /// As [`Self::send_datagrams`].
    pub fn send_batch(&self, batch: &Batch) -> Result<usize, Error> {
        Ok(self.net.client().send_batch(self.socket, batch.span())?)
    }
}

impl<T: Transport> Drop for UdpSocket<'_, T> {
    fn drop(&mut self) {
        // Nothing can be done about an error, and none is expected: the socket is ours.
        let _ = self.net.client().close(self.socket);
        if let Some(area) = self.area.take() {
            self.net.client().s2c_areas.free(area);
        }
    }
}
