// SPDX-License-Identifier: BSD-2-Clause

//! Async datagrams. Dropping a socket closes it.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::net::{IpAddr, SocketAddr};
use core::ops::Deref;
use core::pin::pin;
use core::task::Poll;

use socket_proto::{Errno, PollBits, SocketKind, SocketOption};

use crate::wakers::Direction;
use crate::{Area, Batch, BatchWriter, Incoming, Net, NetSocket, Transport};

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
    socket: NetSocket<'n, T>,
    area: Area<'n>,
    /// Datagrams received and not yet taken.
    batch: Cell<Batch>,
}

impl<'n, T: Transport> Deref for UdpSocket<'n, T> {
    type Target = NetSocket<'n, T>;

    fn deref(&self) -> &NetSocket<'n, T> {
        &self.socket
    }
}

impl<'n, T: Transport> UdpSocket<'n, T> {
    /// A socket bound to `addr`, with `[::]` for both families, which receives up to `receive_len`
    /// bytes at once (32 bytes of header for each datagram included).
    ///
    /// # Errors
    /// `ENOBUFS` if the window has no such area left; those of
    /// [`Client::socket`](crate::Client::socket) and [`Client::bind`](crate::Client::bind).
    pub fn bind(net: &'n Net<T>, addr: SocketAddr, receive_len: usize) -> Result<Self, Errno> {
        let udp = UdpSocket::own(net.open(addr, SocketKind::Datagram)?, receive_len)?;
        net.client().bind(udp.socket(), addr)?;
        Ok(udp)
    }

    /// Gives a datagram socket an area of the window.
    pub(crate) fn own(socket: NetSocket<'n, T>, receive_len: usize) -> Result<Self, Errno> {
        let area = socket.client().s2c_areas.allocate(receive_len)?;
        let batch = Cell::default();
        Ok(UdpSocket {
            socket,
            area,
            batch,
        })
    }

    /// Sets the only peer: [`Self::send`] goes to it, and nobody else is heard.
    ///
    /// # Errors
    /// `EACCES`, `ENETUNREACH`.
    pub fn connect(&self, addr: SocketAddr) -> Result<(), Errno> {
        self.client().connect(self.socket(), addr)
    }

    /// A socket as [`Self::bind`] makes it, which shares its port with others that are made so:
    /// each hears the groups that it has joined.
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub fn bind_shared(
        net: &'n Net<T>,
        addr: SocketAddr,
        receive_len: usize,
    ) -> Result<Self, Errno> {
        let udp = UdpSocket::own(net.open(addr, SocketKind::Datagram)?, receive_len)?;
        udp.setsockopt(SocketOption::ReuseAddress, 1)?;
        net.client().bind(udp.socket(), addr)?;
        Ok(udp)
    }

    /// Joins a group: the socket hears what comes to it at its port. The declaration must have
    /// `multicast = true`.
    ///
    /// # Errors
    /// As [`Client::join`](crate::Client::join).
    pub fn join(&self, group: IpAddr) -> Result<(), Errno> {
        self.client().join(self.socket(), group)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// As [`Client::leave`](crate::Client::leave).
    pub fn leave(&self, group: IpAddr) -> Result<(), Errno> {
        self.client().leave(self.socket(), group)
    }

    /// Waits for a datagram and copies it to `buf`. One that is longer is cut off
    /// ([`Incoming::is_cut`]).
    ///
    /// # Errors
    /// An error that waited on the socket; `ECONNRESET` if the server has restarted.
    pub async fn recv_from(&self, buf: &mut [u8]) -> Result<Incoming, Errno> {
        let mut batch = self.recv_batch().await?;
        let taken = self.client().take_datagram(&mut batch, buf);
        self.keep(batch);
        taken
    }

    /// As [`Self::recv_from`], and the datagram can be received again.
    ///
    /// # Errors
    /// As [`Self::recv_from`].
    pub async fn peek_from(&self, buf: &mut [u8]) -> Result<Incoming, Errno> {
        let mut batch = self.recv_batch().await?;
        self.keep(batch);
        self.client().take_datagram(&mut batch, buf)
    }

    /// Keeps what is left of a batch for the next receiving call.
    fn keep(&self, batch: Batch) {
        if !batch.is_empty() {
            self.batch.set(batch);
            // Other tasks wait for the socket, which need not become ready again: the rest is here.
            let wakers = &self.net().wakers;
            wakers.wake(self.socket(), PollBits::IN);
        }
    }

    /// Waits for datagrams and receives as many as fit into the socket's area. What
    /// [`Self::recv_from`] has left over comes first, on its own. They stay there until the
    /// next receiving call of this socket; [`Batch::next`] takes them out, [`Self::send_batch`]
    /// sends them back.
    ///
    /// # Errors
    /// As [`Self::recv_from`].
    pub async fn recv_batch(&self) -> Result<Batch, Errno> {
        let span = self.client().s2c_span(&self.area);
        let receive = self.operate(Direction::Read, |client, socket| {
            client.recv_batch_into(socket, span)
        });
        let mut receive = pin!(receive);
        // Looked at before each receiving call, which would write over what is left: another task
        // may have left it meanwhile.
        poll_fn(|cx| {
            let left = self.batch.take();
            if left.is_empty() {
                receive.as_mut().poll(cx)
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
    pub async fn send_to(&self, payload: &[u8], to: SocketAddr) -> Result<(), Errno> {
        self.send_or_wait(payload, Some(to)).await
    }

    /// Sends a datagram to the connected peer, waiting until the socket takes it.
    ///
    /// # Errors
    /// `EDESTADDRREQ` without a peer, `EMSGSIZE`.
    pub async fn send(&self, payload: &[u8]) -> Result<(), Errno> {
        self.send_or_wait(payload, None).await
    }

    async fn send_or_wait(&self, payload: &[u8], to: Option<SocketAddr>) -> Result<(), Errno> {
        self.operate(Direction::Write, |client, socket| {
            client.sendto(socket, payload, to)
        })
        .await
    }

    /// Lets `fill` write datagrams and sends them in one call, without waiting. Returns how many
    /// were taken; the others are lost.
    ///
    /// # Errors
    /// `EAGAIN` if none was taken, and as [`Self::send_to`] about the first datagram.
    pub fn send_datagrams(&self, fill: impl FnOnce(&mut BatchWriter<'_>)) -> Result<usize, Errno> {
        self.client().send_datagrams(self.socket(), fill)
    }

    /// Sends the rest of a received batch back to where each datagram came from, in one call,
    /// without waiting and without a copy here. Returns how many were taken; the others are
    /// lost.
    ///
    /// # Errors
    /// As [`Self::send_datagrams`].
    pub fn send_batch(&self, batch: &Batch) -> Result<usize, Errno> {
        self.client().send_batch(self.socket(), batch.span())
    }
}
