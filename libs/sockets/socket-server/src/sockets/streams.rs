// SPDX-License-Identifier: BSD-2-Clause

//! Bytes of stream sockets.

use smoltcp::socket::tcp::{RecvError, Socket, State};
use socket_proto::{CheckedSpan, Errno, Received, Sent, Shutdown, Span};

use crate::accounts::client::{Phase, Role, Stream};
use crate::accounts::ports::{Local, SocketRef};
use crate::protocol::requests::client_in;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::ending::Cause;

impl<W: Window> Server<W> {
    /// The connection of a stream socket. Without one, the failure of the last attempt is told
    /// once, and then `otherwise` makes the reply.
    fn connection_of<R>(
        &mut self,
        owner: SocketRef,
        otherwise: impl FnOnce(&Stream) -> Result<R, Errno>,
    ) -> Result<usize, Result<R, Errno>> {
        let Ok(client) = client_in(&mut self.clients, owner.client.into()) else {
            return Err(Err(Errno::EBADF));
        };
        let Some(stream) = client.stream_mut(owner.slot.into()) else {
            return Err(Err(Errno::EBADF));
        };
        if let Role::Connection(index) = stream.role {
            return Ok(index);
        }
        let reply = match stream.error.take() {
            Some(errno) => Err(errno),
            None => otherwise(stream),
        };
        self.refresh(owner);
        Err(reply)
    }

    /// `send`: one copy, from the window into the connection's buffer.
    pub(crate) fn send_stream(&mut self, owner: SocketRef, span: Span) -> Result<Sent, Errno> {
        let client = self.client_mut(owner.client.into())?;
        let span = client.window.sizes().check(span)?;
        let index = match self.connection_of(owner, |_| Err(Errno::EPIPE)) {
            Ok(index) => index,
            Err(reply) => return reply,
        };
        let client = client_in(&mut self.clients, owner.client.into())?;
        let connection = self.tcp.get_mut(index);
        let failure = if let Some(errno) = connection.error.take() {
            Some(errno)
        } else if connection.connecting {
            Some(Errno::EAGAIN)
        } else if connection.write_shut || !connection.socket().may_send() {
            Some(Errno::EPIPE)
        } else if span.length() > 0 && connection.room() == 0 {
            Some(Errno::EAGAIN)
        } else {
            None
        };
        if let Some(errno) = failure {
            self.refresh(owner);
            return Err(errno);
        }
        let taken = connection.write(|socket| copy_in(socket, &client.window, span))?;
        let room = connection.room() as u64;
        if taken > 0 {
            self.counters.copies_from_client += 1;
            self.counters.copied_from_client += taken as u64;
            self.settle(index, Cause::Turn);
            self.dirty.push(index);
        }
        Ok(Sent {
            count: taken as u64,
            room,
        })
    }

    /// `recv`: one copy, from the connection's buffer into the window.
    pub(crate) fn recv_stream(&mut self, owner: SocketRef, span: Span) -> Result<Received, Errno> {
        let client = self.client_mut(owner.client.into())?;
        let span = client.window.sizes().check_writable(span)?;
        const END: Received = Received {
            bytes: 0,
            datagrams: 0,
        };
        let without = |stream: &Stream| match stream.role {
            Role::Idle if stream.read_shut => Ok(END),
            _ => Err(Errno::ENOTCONN),
        };
        let index = match self.connection_of(owner, without) {
            Ok(index) => index,
            Err(reply) => return reply,
        };
        let client = client_in(&mut self.clients, owner.client.into())?;
        let connection = self.tcp.get_mut(index);
        if connection.connecting {
            return Err(Errno::EAGAIN);
        }
        let available = connection.socket().can_recv();
        if available && span.length() == 0 {
            return Ok(END);
        }
        if !available {
            // What was received before a reset comes first, then the error once, then the end of
            // the stream. `EPIPE` is kept for `send`: the stream had ended before.
            if connection.error.is_some_and(|errno| errno != Errno::EPIPE) {
                let errno = connection.error.take().unwrap_or(Errno::ECONNRESET);
                self.refresh(owner);
                return Err(errno);
            }
            let ended = connection.peer_done() || connection.read_shut;
            return if ended { Ok(END) } else { Err(Errno::EAGAIN) };
        }
        let taken = connection.read(|socket| copy_out(socket, &mut client.window, span))?;
        self.counters.copies_to_client += 1;
        self.counters.copied_to_client += taken as u64;
        self.refresh(owner);
        // The window that the peer sees has grown.
        self.dirty.push(index);
        Ok(Received {
            bytes: taken as u64,
            datagrams: 0,
        })
    }

    /// `shutdown`, as `inet_shutdown` of Linux: a listener stops at the end of reading, an attempt
    /// is given up, and without a connection there is an error, but readers are woken.
    pub(crate) fn shutdown_stream(&mut self, owner: SocketRef, how: Shutdown) -> Result<(), Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        let index = match stream.role {
            Role::Listening(_) => {
                return if how.read() {
                    self.dissolve_stream(owner)
                } else {
                    Ok(())
                };
            }
            Role::Idle => {
                stream.read_shut |= how.read();
                stream.write_shut |= how.write();
                if stream.phase == Phase::Connecting {
                    stream.phase = Phase::Disconnecting;
                }
                self.refresh(owner);
                return Err(Errno::ENOTCONN);
            }
            Role::Connection(index) => index,
        };
        let connection = self.tcp.get_mut(index);
        if connection.connecting {
            return self.dissolve_stream(owner);
        }
        if stream.phase == Phase::Connecting {
            stream.phase = if connection.is_closed() {
                Phase::Disconnecting
            } else {
                Phase::Connected
            };
        }
        connection.read_shut |= how.read();
        connection.write_shut |= how.write();
        if connection.is_closed() {
            self.refresh(owner);
            return Err(Errno::ENOTCONN);
        }
        if how.write() {
            connection.socket_mut().close();
        }
        self.settle(index, Cause::Turn);
        self.dirty.push(index);
        Ok(())
    }

    /// `connect` with `AF_UNSPEC`, as `tcp_disconnect` of Linux: the socket can be used anew. Bytes
    /// that were not read or not sent are lost, and the peer gets a reset.
    pub(crate) fn dissolve_stream(&mut self, owner: SocketRef) -> Result<(), Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        stream.phase = Phase::Unconnected;
        stream.read_shut = false;
        stream.write_shut = false;
        let shown = match &stream.role {
            Role::Connection(index) => self.tcp.get(*index).tuple.map(|tuple| tuple.local.1),
            _ => stream.name.or(stream.local).map(|local| local.port),
        };
        // The address stays if the client has bound it.
        let address = stream.local.and_then(|local| local.address);
        stream.name = shown.map(|port| Local { address, port });
        match core::mem::replace(&mut stream.role, Role::Idle) {
            Role::Idle => {}
            Role::Listening(listener) => self.stop_listening(owner, listener),
            Role::Connection(index) => {
                let connection = self.tcp.get_mut(index);
                stream.error = connection.error.take();
                let goes_on = matches!(
                    connection.socket().state(),
                    State::Closed | State::TimeWait | State::Closing | State::LastAck
                );
                if !goes_on {
                    stream.error = Some(Errno::ECONNRESET);
                }
                self.abandon(index, owner.client.into(), !goes_on);
            }
        }
        self.release_chosen_port(owner);
        self.refresh(owner);
        Ok(())
    }
}

/// Copies from the window to the end of the transmit buffer, in two pieces if that wraps around.
fn copy_in<W: Window>(
    socket: &mut Socket<'static>,
    window: &W,
    span: CheckedSpan,
) -> Result<usize, Errno> {
    let mut done = 0;
    while done < span.length() {
        let copied = socket.send(|buffer| {
            let count = buffer.len().min(span.length() - done);
            match window.read(span.half(), span.start() + done, &mut buffer[..count]) {
                Ok(()) => (count, Ok(count)),
                Err(outside) => (0, Err(outside)),
            }
        });
        match copied {
            Ok(Ok(0)) | Err(_) => break,
            Ok(Ok(count)) => done += count,
            Ok(Err(_)) => return Err(Errno::EFAULT),
        }
    }
    Ok(done)
}

/// Copies from the start of the receive buffer to the window.
fn copy_out<W: Window>(
    socket: &mut Socket<'static>,
    window: &mut W,
    span: CheckedSpan,
) -> Result<usize, Errno> {
    let mut done = 0;
    while done < span.length() {
        let copied = socket.recv(|buffer| {
            let count = buffer.len().min(span.length() - done);
            match window.write(span.start() + done, &buffer[..count]) {
                Ok(()) => (count, Ok(count)),
                Err(outside) => (0, Err(outside)),
            }
        });
        match copied {
            Ok(Ok(0)) | Err(RecvError::Finished | RecvError::InvalidState) => break,
            Ok(Ok(count)) => done += count,
            Ok(Err(_)) => return Err(Errno::EFAULT),
        }
    }
    Ok(done)
}
