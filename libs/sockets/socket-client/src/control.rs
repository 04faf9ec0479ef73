// SPDX-License-Identifier: BSD-2-Clause

//! The calls that carry no payload, with the names and error numbers of BSD sockets. None of them
//! waits.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use socket_proto::layouts::{self, Layout};
use socket_proto::{
    Accepted, Errno, Family, Protocol, QueryKind, Shutdown, SocketKind, SocketOption, Span, op,
};
use time::Instant;

use crate::{Client, Socket, Transport};

/// When an idle peer is asked whether it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// Seconds without a segment of it until the first question.
    pub idle: u16,
    /// Seconds from one question to the next.
    pub interval: u16,
    /// Questions without an answer after which it is given up.
    pub count: u8,
}

impl<T: Transport> Client<T> {
    /// A new socket of IPv4.
    ///
    /// # Errors
    /// `EMFILE` if this client has as many as its quota allows, `ENFILE` if the server has none
    /// left.
    pub fn socket(&self, kind: SocketKind) -> Result<Socket, Errno> {
        self.socket_of(Family::Inet, kind)
    }

    /// A new socket. One of IPv6 that is bound to the unspecified address hears IPv4, too, and sees
    /// such addresses mapped (`::ffff:10.0.2.2`), unless [`SocketOption::OnlyV6`] is set.
    ///
    /// # Errors
    /// As [`Self::socket`].
    pub fn socket_of(&self, family: Family, kind: SocketKind) -> Result<Socket, Errno> {
        self.socket_with(family, kind, Protocol::Usual)
    }

    /// As [`Self::socket_of`], with a protocol: a datagram socket with [`Protocol::Icmp`] or
    /// [`Protocol::Icmpv6`] sends requests for echoes, header included, and hears the replies.
    ///
    /// # Errors
    /// As [`Self::socket`]; `EPROTONOSUPPORT` if the kind has no such protocol, `EACCES` if the
    /// declaration does not allow it.
    pub fn socket_with(
        &self,
        family: Family,
        kind: SocketKind,
        protocol: Protocol,
    ) -> Result<Socket, Errno> {
        let opened = self.call_again_if_restarted(op::Socket {
            family,
            kind,
            protocol,
        })?;
        Ok(self.adopt(opened.socket))
    }

    /// Gives a socket its local address. Port 0 takes an ephemeral port, the unspecified address
    /// any of the machine's.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` (the configuration does not give this client the
    /// port), `EINVAL` (bound already).
    pub fn bind(&self, socket: Socket, addr: SocketAddr) -> Result<(), Errno> {
        self.on(socket, |socket| op::Bind { socket, addr })
    }

    /// Makes a bound stream socket take connections. `backlog` of them may wait for
    /// [`Self::accept`]; the server clamps it.
    ///
    /// # Errors
    /// `EOPNOTSUPP` on a datagram socket, `EINVAL` if it is connected or not bound.
    pub fn listen(&self, socket: Socket, backlog: usize) -> Result<(), Errno> {
        let backlog = backlog as u64;
        self.on(socket, |socket| op::Listen { socket, backlog })
    }

    /// Takes the oldest connection that waits, with its peer's address.
    ///
    /// # Errors
    /// `EAGAIN` if none waits, `EINVAL` if the socket does not listen, `EMFILE` and `ENFILE` as for
    /// [`Self::socket`].
    pub fn accept(&self, socket: Socket) -> Result<(Socket, SocketAddr), Errno> {
        let Accepted { socket, peer } = self.on(socket, |socket| op::Accept { socket })?;
        Ok((self.adopt(socket), peer))
    }

    /// Stream: starts a connection. Datagram: sets the only peer.
    ///
    /// # Errors
    /// `EINPROGRESS` when the attempt has been started, `EALREADY` while it goes on, `EISCONN` when
    /// its success has been told, why it failed if it did (as [`Self::take_error`]). The socket
    /// becomes writable (`POLLOUT`) at the end of the attempt.
    pub fn connect(&self, socket: Socket, addr: SocketAddr) -> Result<(), Errno> {
        let addr = Some(addr);
        self.on(socket, |socket| op::Connect { socket, addr })
    }

    /// `connect` with `AF_UNSPEC`. Stream: resets the connection, or stops listening; the socket
    /// can be used anew. Datagram: the socket hears everyone again.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn disconnect(&self, socket: Socket) -> Result<(), Errno> {
        let addr = None;
        self.on(socket, |socket| op::Connect { socket, addr })
    }

    /// Ends one or both directions. After [`Shutdown::Write`] the peer reads the bytes already
    /// taken, then end of stream.
    ///
    /// # Errors
    /// `ENOTCONN` if there is no connection.
    pub fn shutdown(&self, socket: Socket, how: Shutdown) -> Result<(), Errno> {
        self.on(socket, |socket| op::Shutdown { socket, how })
    }

    /// Gives a socket back. Bytes already taken are still sent, unless received ones were not read:
    /// then the connection is reset.
    ///
    /// # Errors
    /// `EBADF` if it was closed before. A socket that went with a server's earlier life closes
    /// without error.
    pub fn close(&self, socket: Socket) -> Result<(), Errno> {
        if !self.is_current(socket) {
            return Ok(());
        }
        match self.on(socket, |socket| op::Close { socket }) {
            // The server restarted just now, so the socket is gone.
            Err(_) if !self.is_current(socket) => Ok(()),
            closed => closed,
        }
    }

    /// The local address.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn getsockname(&self, socket: Socket) -> Result<SocketAddr, Errno> {
        self.on(socket, |socket| op::SockName { socket })
            .map(|name| name.address)
    }

    /// The peer's address.
    ///
    /// # Errors
    /// `ENOTCONN` if there is none.
    pub fn getpeername(&self, socket: Socket) -> Result<SocketAddr, Errno> {
        self.on(socket, |socket| op::PeerName { socket })
            .map(|name| name.address)
    }

    /// An option's value.
    ///
    /// # Errors
    /// `ENOPROTOOPT` if there is no such option, `EOPNOTSUPP` if this type of socket has none.
    pub fn getsockopt(&self, socket: Socket, option: SocketOption) -> Result<u64, Errno> {
        self.get_option(socket, option).map(|words| words[0])
    }

    /// Both words of an option's value; options with one word have 0 in the second.
    ///
    /// # Errors
    /// As [`Self::getsockopt`].
    pub fn get_option(&self, socket: Socket, option: SocketOption) -> Result<[u64; 2], Errno> {
        self.on(socket, |socket| op::GetOption { socket, option })
            .map(|option| [option.value, option.second])
    }

    /// Sets an option.
    ///
    /// # Errors
    /// `ENOPROTOOPT` if the socket has no such option or it can only be read, `EINVAL` if it cannot
    /// have that value.
    pub fn setsockopt(
        &self,
        socket: Socket,
        option: SocketOption,
        value: u64,
    ) -> Result<(), Errno> {
        self.set_option(socket, option, value, 0)
    }

    /// Says what [`Self::close`] does with bytes that have not been sent (`SO_LINGER`): with
    /// `Some(0)` it resets the connection. Other numbers of seconds change nothing, as `close` does
    /// not wait.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_linger(&self, socket: Socket, seconds: Option<u32>) -> Result<(), Errno> {
        let (value, second) = (seconds.is_some().into(), seconds.unwrap_or(0).into());
        self.set_option(socket, SocketOption::Linger, value, second)
    }

    /// How long who waits in `recv` and `accept` does so (`SO_RCVTIMEO`); none is without end. The
    /// calls of [`Client`] do not wait; sockets of tasks have
    /// [`NetSocket::set_read_timeout`](crate::NetSocket::set_read_timeout).
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_receive_timeout(&self, socket: Socket, time: Option<Duration>) -> Result<(), Errno> {
        self.set_time(socket, SocketOption::ReceiveTimeout, time)
    }

    /// As [`Self::set_receive_timeout`], in `send` (`SO_SNDTIMEO`).
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_send_timeout(&self, socket: Socket, time: Option<Duration>) -> Result<(), Errno> {
        self.set_time(socket, SocketOption::SendTimeout, time)
    }

    fn set_time(
        &self,
        socket: Socket,
        option: SocketOption,
        time: Option<Duration>,
    ) -> Result<(), Errno> {
        // None at all would be without end.
        let time = time.map_or(Duration::ZERO, |time| time.max(Duration::from_micros(1)));
        self.set_option(socket, option, time.as_secs(), time.subsec_micros().into())
    }

    /// Says whether an idle peer is asked if it is still there (`SO_KEEPALIVE`), and when.
    ///
    /// # Errors
    /// `EINVAL` if a number is 0 or too large: 32,767 s, 127 questions. `ENOPROTOOPT` on a datagram
    /// socket.
    pub fn set_keepalive(&self, socket: Socket, keep: Option<KeepAlive>) -> Result<(), Errno> {
        if let Some(KeepAlive {
            idle,
            interval,
            count,
        }) = keep
        {
            self.setsockopt(socket, SocketOption::KeepIdle, idle.into())?;
            self.setsockopt(socket, SocketOption::KeepInterval, interval.into())?;
            self.setsockopt(socket, SocketOption::KeepCount, count.into())?;
        }
        let on = keep.is_some().into();
        self.setsockopt(socket, SocketOption::KeepAlive, on)
    }

    /// Sets an option of two words; see [`SocketOption`].
    ///
    /// # Errors
    /// As [`Self::setsockopt`].
    pub fn set_option(
        &self,
        socket: Socket,
        option: SocketOption,
        value: u64,
        second: u64,
    ) -> Result<(), Errno> {
        self.on(socket, |socket| op::SetOption {
            socket,
            option,
            value,
            second,
        })
    }

    /// Has a datagram socket join a group (`IP_ADD_MEMBERSHIP`, `IPV6_JOIN_GROUP`): it hears what
    /// comes to the group at the port to which it is bound. The declaration must have
    /// `multicast = true`.
    ///
    /// # Errors
    /// `EACCES` if it has not, `EADDRINUSE` if the socket is in the group, `ENOBUFS` if this client
    /// is in too many (20), `EINVAL` if the address is no group, `ENODEV` without IPv6 on the link,
    /// `ENOPROTOOPT` for a group of IPv6 on a socket of IPv4.
    pub fn join(&self, socket: Socket, group: IpAddr) -> Result<(), Errno> {
        let group = (group, 0).into();
        self.on(socket, |socket| op::Join { socket, group })
    }

    /// Has a socket leave a group.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if it is not in it, and those of [`Self::join`].
    pub fn leave(&self, socket: Socket, group: IpAddr) -> Result<(), Errno> {
        let group = (group, 0).into();
        self.on(socket, |socket| op::Leave { socket, group })
    }

    /// What is known of an interface; they count from 0.
    ///
    /// # Errors
    /// `ENODEV` if there is no such interface.
    pub fn interface(&self, index: u64) -> Result<layouts::Interface, Errno> {
        self.query(QueryKind::Interface, index)
    }

    /// What this client has and may have.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted; ask again.
    pub fn account(&self) -> Result<layouts::Account, Errno> {
        self.query(QueryKind::Account, 0)
    }

    /// Servers for names and for the time, as they are declared or as a DHCP server says.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted; ask again.
    pub fn names(&self) -> Result<layouts::Names, Errno> {
        self.query(QueryKind::Names, 0)
    }

    /// What is known of a socket.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn socket_state(&self, socket: Socket) -> Result<layouts::SocketState, Errno> {
        self.query(QueryKind::Socket, self.handle(socket)?.raw())
    }

    /// What is known of a stream socket's connection, as `TCP_INFO` of Linux.
    ///
    /// # Errors
    /// `EOPNOTSUPP` on a datagram socket.
    pub fn tcp_info(&self, socket: Socket) -> Result<layouts::TcpInfo, Errno> {
        self.query(QueryKind::Tcp, self.handle(socket)?.raw())
    }

    pub(crate) fn query<L: Layout>(&self, what: QueryKind, index: u64) -> Result<L, Errno> {
        let mut layout = L::default();
        let bytes = layout.bytes_mut();
        let span = Span {
            length: bytes.len() as u64,
            ..self.s2c_scratch()
        };
        let written = self.call(op::Query { what, index, span })?;
        if written.bytes != bytes.len() as u64 {
            return Err(Errno::EPROTO);
        }
        self.copy_out(span, 0, bytes)?;
        Ok(layout)
    }

    /// Takes the pending error of the socket (`SO_ERROR`) and clears it. Returns `Ok` if there is
    /// none.
    ///
    /// # Errors
    /// The error that waited, or why it could not be read.
    pub fn take_error(&self, socket: Socket) -> Result<(), Errno> {
        match self.getsockopt(socket, SocketOption::Error)? {
            0 => Ok(()),
            number => Err(Errno::from_raw(number).unwrap_or(Errno::EPROTO)),
        }
    }

    /// Asks for a notification at `deadline` even if nothing becomes ready. The server keeps
    /// one deadline a client: the earliest asked for, until it has passed.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted; ask again.
    pub fn wake_at(&self, deadline: Instant) -> Result<(), Errno> {
        self.call(op::Poll {
            socket: None,
            deadline: deadline.as_nanos().max(1),
        })
        .map(drop)
    }
}
