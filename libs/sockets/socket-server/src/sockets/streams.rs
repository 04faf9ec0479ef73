// SPDX-License-Identifier: BSD-2-Clause

//! Stream sockets: connections are made, carry bytes, and end.

use core::net::SocketAddr;

use socket_proto::{Accepted, Errno, Flag, Flags, Protocol, Received, Sent, Shutdown, Span};

use super::socket::{Phase, Role, Socket};
use super::{Call, destination};
use crate::accounts::ports::Local;
use crate::counters::Counter;
use crate::ip::interface::NextHop;
use crate::ip::packet::Tuple;
use crate::protocol::window::Window;
use crate::tables::id::{ConnectionId, Slot};
use crate::transport::engine::State;

/// The end of a stream.
const END: Received = Received {
    bytes: 0,
    datagrams: 0,
};

impl<W: Window> Call<'_, W> {
    /// The connection of a stream socket, if it has one.
    ///
    /// # Errors
    /// It has none, and why the last attempt failed has not been told.
    fn connection_of(&mut self, slot: Slot) -> Result<Option<ConnectionId>, Errno> {
        let socket = self.account.socket_mut(slot)?;
        let connection = socket.connection();
        if connection.is_none()
            && let Some(errno) = socket.error.take()
        {
            self.refresh(slot);
            return Err(errno);
        }
        Ok(connection)
    }

    /// `connect` on a stream socket.
    pub(crate) fn connect_stream(&mut self, slot: Slot, to: SocketAddr) -> Result<(), Errno> {
        let socket = self.account.socket_mut(slot)?;
        match (socket.phase, &socket.role) {
            (Phase::Unconnected, Role::Idle) => {}
            (Phase::Unconnected | Phase::Connected, _) => return Err(Errno::EISCONN),
            (Phase::Disconnecting, _) => return Err(Errno::EINVAL),
            (Phase::Connecting, _) => return self.connect_again(slot),
        }
        let bound = socket.local;
        let families = socket.families();
        let remote = destination(socket, &to)?;
        self.account.check_reach(Protocol::Tcp, remote)?;
        let address = bound.and_then(|local| local.address);
        let (address, next_hop) = self.net.way(address, remote.0)?;
        if next_hop == NextHop::Everyone {
            return Err(Errno::ENETUNREACH);
        }
        let local = match bound {
            Some(local) => local,
            None => self.bind_ephemeral(slot, None, families, Some(remote))?,
        };
        let tuple = Tuple {
            local: (address, local.port),
            remote,
        };
        // smoltcp does not get through a handshake with itself.
        if tuple.local == remote {
            return Err(Errno::ECONNREFUSED);
        }
        if self.tcp.is_taken(&tuple) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        let id = self.tcp.connect(self.id(slot), tuple, self.net)?;
        let connection = &mut self.tcp.connections[id];
        let socket = self.account.socket_mut(slot)?;
        connection.read_shut = socket.read_shut;
        connection.write_shut = socket.write_shut;
        connection.set(socket.options.settings);
        connection.socket.told.mss = socket.options.mss();
        socket.error = None;
        socket.role = Role::Connection(id);
        socket.phase = Phase::Connecting;
        socket.name = Some(Local {
            address: Some(address),
            ..local
        });
        self.refresh(slot);
        Err(Errno::EINPROGRESS)
    }

    /// `connect` on a socket that has started an attempt before: tells its end, once.
    fn connect_again(&mut self, slot: Slot) -> Result<(), Errno> {
        let socket = self.account.socket_mut(slot)?;
        let error = match socket.role {
            Role::Connection(id) => {
                let connection = &mut self.tcp.connections[id];
                if connection.is_connecting() {
                    return Err(Errno::EALREADY);
                }
                if !connection.is_closed() {
                    socket.phase = Phase::Connected;
                    return Ok(());
                }
                connection.error.take()
            }
            _ => socket.error.take(),
        };
        self.dissolve_stream(slot)?;
        Err(error.unwrap_or(Errno::ECONNABORTED))
    }

    /// `accept`.
    pub(crate) fn accept(&mut self, slot: Slot) -> Result<Accepted, Errno> {
        let Some(listener) = self.account.listener_mut(slot) else {
            return Err(Errno::EINVAL);
        };
        let id = listener.ready.front().ok_or(Errno::EAGAIN)?;
        let tuple = self.tcp.connections[id].tuple.ok_or(Errno::EAGAIN)?;
        let listening = self.account.socket_mut(slot)?;
        let (options, peer) = (listening.options, listening.show(tuple.remote));
        let mut socket = Socket::new(listening.family, Role::Connection(id));
        socket.options = options;
        // It was counted when it came into the backlog, so there is an index.
        let (accepted, handle) = self.account.open(socket).ok_or(Errno::EMFILE)?;
        if let Some(listener) = self.account.listener_mut(slot) {
            listener.ready.remove(&mut self.tcp.links, id);
        }
        self.tcp.accept(id, self.id(accepted), self.net);
        self.tcp.set(id, options.settings, self.net);
        self.refresh(slot);
        Ok(Accepted {
            socket: handle,
            peer,
        })
    }

    /// `send`: one copy, from the window into the connection's buffer.
    pub(crate) fn send_stream(&mut self, slot: Slot, span: Span) -> Result<Sent, Errno> {
        let span = self.account.window.sizes().check(span)?;
        let id = self.connection_of(slot)?.ok_or(Errno::EPIPE)?;
        let connection = &mut self.tcp.connections[id];
        let failure = if let Some(errno) = connection.error.take() {
            Some(errno)
        } else if connection.is_connecting() {
            Some(Errno::EAGAIN)
        } else if connection.write_shut || connection.socket.send_room().is_none() {
            Some(Errno::EPIPE)
        } else if span.length() > 0 && connection.room() == 0 {
            Some(Errno::EAGAIN)
        } else {
            None
        };
        if let Some(errno) = failure {
            self.refresh(slot);
            return Err(errno);
        }
        let window = &self.account.window;
        let fill = |at, into: &mut [u8]| window.read(span.half(), span.start() + at, into);
        let taken = self.tcp.write(id, span.length(), self.net, fill)?;
        if taken > 0 {
            self.net.stats.inc(Counter::CopiesFromClient);
            self.net.stats.add(Counter::CopiedFromClient, taken as u64);
        }
        Ok(Sent {
            count: taken as u64,
            room: self.tcp.connections[id].room() as u64,
        })
    }

    /// `recv`: one copy, from the connection's buffer into the window.
    pub(crate) fn recv_stream(
        &mut self,
        slot: Slot,
        span: Span,
        flags: Flags,
    ) -> Result<Received, Errno> {
        let span = self.account.window.sizes().check_writable(span)?;
        let Some(id) = self.connection_of(slot)? else {
            let socket = self.account.socket_mut(slot)?;
            return match socket.role {
                Role::Idle if socket.read_shut => Ok(END),
                _ => Err(Errno::ENOTCONN),
            };
        };
        let connection = &mut self.tcp.connections[id];
        if connection.is_connecting() {
            return Err(Errno::EAGAIN);
        }
        let available = connection.socket.unread() > 0;
        if available && span.length() == 0 {
            return Ok(END);
        }
        if !available {
            // What was received before a reset comes first, then the error once, then the end of
            // the stream. `EPIPE` is kept for `send`: the stream had ended before.
            if let Some(errno) = connection.error.take_if(|errno| *errno != Errno::EPIPE) {
                self.refresh(slot);
                return Err(errno);
            }
            let ended = connection.peer_done() || connection.read_shut;
            return if ended { Ok(END) } else { Err(Errno::EAGAIN) };
        }
        let window = &mut self.account.window;
        let drain = |at, bytes: &[u8]| match flags.has(Flag::Truncate) {
            true => Ok(()),
            false => window.write(span.start() + at, bytes),
        };
        let taken = match flags.has(Flag::Peek) {
            true => {
                let scratch = &mut self.net.scratch;
                connection.socket.peek(span.length(), scratch, drain)?
            }
            false => self.tcp.read(id, span.length(), drain)?,
        };
        self.net.stats.inc(Counter::CopiesToClient);
        self.net.stats.add(Counter::CopiedToClient, taken as u64);
        Ok(Received {
            bytes: taken as u64,
            datagrams: 0,
        })
    }

    /// `shutdown`, as `inet_shutdown` of Linux: a listener stops at the end of reading, an attempt
    /// is given up, and without a connection there is an error, but readers are woken.
    pub(crate) fn shutdown_stream(&mut self, slot: Slot, how: Shutdown) -> Result<(), Errno> {
        let socket = self.account.socket_mut(slot)?;
        let id = match socket.role {
            Role::Listening(_) if how.read() => return self.dissolve_stream(slot),
            Role::Listening(_) => return Ok(()),
            Role::Idle | Role::Datagram(_) => {
                if socket.phase == Phase::Connecting {
                    socket.phase = Phase::Disconnecting;
                }
                socket.read_shut |= how.read();
                socket.write_shut |= how.write();
                self.refresh(slot);
                return Err(Errno::ENOTCONN);
            }
            Role::Connection(id) => id,
        };
        let connection = &self.tcp.connections[id];
        let closed = connection.is_closed();
        if connection.is_connecting() {
            return self.dissolve_stream(slot);
        }
        if socket.phase == Phase::Connecting {
            socket.phase = if closed {
                Phase::Disconnecting
            } else {
                Phase::Connected
            };
        }
        self.tcp.shut_down(id, how.read(), how.write(), self.net);
        if closed { Err(Errno::ENOTCONN) } else { Ok(()) }
    }

    /// `connect` with `AF_UNSPEC`, as `tcp_disconnect` of Linux: the socket can be used anew. Bytes
    /// that were not read or not sent are lost, and the peer gets a reset.
    pub(crate) fn dissolve_stream(&mut self, slot: Slot) -> Result<(), Errno> {
        let socket = self.account.socket_mut(slot)?;
        socket.phase = Phase::Unconnected;
        socket.read_shut = false;
        socket.write_shut = false;
        let mut shown = socket.name.or(socket.local).map(|local| local.port);
        let mut goes_on = true;
        if let Some(id) = socket.connection() {
            let connection = &mut self.tcp.connections[id];
            shown = connection.tuple.map(|tuple| tuple.local.1);
            goes_on = matches!(
                connection.state(),
                State::Closed | State::TimeWait | State::Closing | State::LastAck
            );
            socket.error = connection.error.take();
            if !goes_on {
                socket.error = Some(Errno::ECONNRESET);
            }
        }
        // The address stays if the client has bound it.
        let address = socket.local.and_then(|local| local.address);
        let families = socket.families();
        socket.name = shown.map(|port| Local {
            address,
            families,
            port,
        });
        let role = core::mem::replace(&mut socket.role, Role::Idle);
        self.leave(role, !goes_on);
        self.release_chosen_port(slot);
        self.refresh(slot);
        Ok(())
    }
}
