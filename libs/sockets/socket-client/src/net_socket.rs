// SPDX-License-Identifier: BSD-2-Clause

//! What all sockets of tasks have.

use core::cell::Cell;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::Poll;
use core::time::Duration;

use socket_proto::{Errno, PollBits, SocketOption};

use crate::wakers::{Direction, Waiter};
use crate::{Client, Net, Socket, Transport};

/// Socket operations that a task may finish in one poll before others get their turn. A peer that
/// takes bytes as fast as they are produced would keep its task busy for ever otherwise.
const TURN: u8 = 16;

/// A socket that tasks can wait for: what [`TcpListener`](crate::TcpListener),
/// [`TcpStream`](crate::TcpStream) and [`UdpSocket`](crate::UdpSocket) have in common. Dropping the
/// last owner closes it.
pub struct NetSocket<'n, T: Transport> {
    net: &'n Net<T>,
    socket: Socket,
    /// Operations since a task last waited.
    turn: Cell<u8>,
    timeouts: Cell<Timeouts>,
}

/// How long operations wait.
#[derive(Clone, Copy, Default)]
struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl<'n, T: Transport> NetSocket<'n, T> {
    pub(crate) fn own(net: &'n Net<T>, socket: Socket) -> Self {
        NetSocket {
            net,
            socket,
            turn: Cell::new(0),
            timeouts: Cell::default(),
        }
    }

    /// Another owner of the same socket.
    pub(crate) fn second(&self) -> Self {
        let second = NetSocket::own(self.net, self.socket);
        second.timeouts.set(self.timeouts.get());
        second
    }

    /// The sockets and timers that it belongs to.
    pub fn net(&self) -> &'n Net<T> {
        self.net
    }

    pub(crate) fn client(&self) -> &'n Client<T> {
        self.net.client()
    }

    /// The socket, for calls of [`Client`].
    pub fn socket(&self) -> Socket {
        self.socket
    }

    /// An option's value.
    ///
    /// # Errors
    /// As [`Client::getsockopt`].
    pub fn getsockopt(&self, option: SocketOption) -> Result<u64, Errno> {
        self.client().getsockopt(self.socket, option)
    }

    /// Sets an option.
    ///
    /// # Errors
    /// As [`Client::setsockopt`].
    pub fn setsockopt(&self, option: SocketOption, value: u64) -> Result<(), Errno> {
        self.client().setsockopt(self.socket, option, value)
    }

    /// How long operations that receive or accept wait at most: then they fail with `EAGAIN`, as
    /// with `SO_RCVTIMEO`. Each that waits takes a timer of [`Net`]. A stream that has been split
    /// has one time for each half.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted.
    pub fn set_read_timeout(&self, time: Option<Duration>) -> Result<(), Errno> {
        self.client().set_receive_timeout(self.socket, time)?;
        let read = time;
        self.timeouts.set(Timeouts {
            read,
            ..self.timeouts.get()
        });
        Ok(())
    }

    /// As [`Self::set_read_timeout`], for operations that send (`SO_SNDTIMEO`).
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted.
    pub fn set_write_timeout(&self, time: Option<Duration>) -> Result<(), Errno> {
        self.client().set_send_timeout(self.socket, time)?;
        let write = time;
        self.timeouts.set(Timeouts {
            write,
            ..self.timeouts.get()
        });
        Ok(())
    }

    /// Its readiness now.
    pub fn poll_bits(&self) -> PollBits {
        self.client().poll_bits(self.socket)
    }

    /// The local address.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted.
    pub fn local_addr(&self) -> Result<SocketAddr, Errno> {
        self.client().getsockname(self.socket)
    }

    /// The peer's address.
    ///
    /// # Errors
    /// `ENOTCONN`, `ECONNRESET`.
    pub fn peer_addr(&self) -> Result<SocketAddr, Errno> {
        self.client().getpeername(self.socket)
    }

    /// Waits until there is something to receive or to accept, the end of the stream, or an error.
    ///
    /// # Errors
    /// `ENOBUFS` if too many tasks wait for one socket.
    pub async fn readable(&self) -> Result<(), Errno> {
        self.ready(Direction::Read).await
    }

    /// Waits until there is room to send, or an error.
    ///
    /// # Errors
    /// As [`Self::readable`].
    pub async fn writable(&self) -> Result<(), Errno> {
        self.ready(Direction::Write).await
    }

    async fn ready(&self, direction: Direction) -> Result<(), Errno> {
        self.wait(direction, &Cell::new(0), |_, _| Ok(())).await
    }

    /// Waits until `operation` returns something else than `EAGAIN`, or the time is over.
    pub(crate) async fn operate<R>(
        &self,
        direction: Direction,
        operation: impl FnMut(&Client<T>, Socket) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let wait = self.wait(direction, &self.turn, operation);
        let Timeouts { read, write } = self.timeouts.get();
        let time = match direction {
            Direction::Read => read,
            Direction::Write => write,
        };
        let Some(time) = time else {
            return wait.await;
        };
        match self.net.timeout(time, wait).await {
            Err(Errno::ETIMEDOUT) => Err(Errno::EAGAIN),
            waited => waited?,
        }
    }

    async fn wait<R>(
        &self,
        direction: Direction,
        turn: &Cell<u8>,
        mut operation: impl FnMut(&Client<T>, Socket) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let mut waiter = Waiter::new(&self.net.wakers);
        poll_fn(|cx| {
            if turn.get() >= TURN {
                turn.set(0);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.poll_bits().intersects(direction.mask()) {
                match operation(self.client(), self.socket) {
                    Err(Errno::EAGAIN) => {}
                    other => {
                        turn.set(turn.get() + 1);
                        return Poll::Ready(other);
                    }
                }
            }
            turn.set(0);
            waiter
                .wait(self.socket, direction, cx.waker())
                .map_or_else(|errno| Poll::Ready(Err(errno)), |()| Poll::Pending)
        })
        .await
    }
}

impl<T: Transport> Drop for NetSocket<'_, T> {
    fn drop(&mut self) {
        if !self.net.wakers.unsplit(self.socket) {
            // Nothing can be done about an error, and none is expected: the socket is ours.
            let _ = self.client().close(self.socket);
        }
    }
}
