// SPDX-License-Identifier: BSD-2-Clause

//! Bytes of stream sockets.

use smoltcp::socket::tcp::{RecvError, Socket, State};
use socket_proto::{CheckedSpan, Errno, Reply, Shutdown, Span, Success};

use super::Server;
use super::connections::Cause;
use super::requests::client_in;
use crate::client::Role;
use crate::ports::SocketRef;
use crate::window::Window;

impl<W: Window> Server<W> {
    /// The connection of a stream socket. Without one, the failure of the last attempt is told once.
    fn connection_of(&mut self, owner: SocketRef) -> Result<usize, Errno> {
        let client = client_in(&mut self.clients, owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        if let Role::Connection(index) = stream.role {
            return Ok(index);
        }
        let errno = stream.error.take();
        self.refresh(owner);
        Err(errno.unwrap_or(Errno::ENOTCONN))
    }

    /// `send`: one copy, from the window into the connection's buffer.
    pub(super) fn send_stream(&mut self, owner: SocketRef, span: Span) -> Reply {
        let client = self.client_mut(owner.client.into())?;
        let span = client.window.sizes().check(span)?;
        let index = self.connection_of(owner)?;
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
            return Err(errno.into());
        }
        let taken = connection.write(|socket| copy_in(socket, &client.window, span))?;
        let room = connection.room() as u64;
        if taken > 0 {
            self.counters.copies_from_client += 1;
            self.counters.copied_from_client += taken as u64;
            self.settle(index, Cause::Turn);
            self.dirty.push(index);
        }
        Ok(Success::Sent {
            count: taken as u64,
            room,
        })
    }

    /// `recv`: one copy, from the connection's buffer into the window.
    pub(super) fn recv_stream(&mut self, owner: SocketRef, span: Span) -> Reply {
        let client = self.client_mut(owner.client.into())?;
        let span = client.window.sizes().check_writable(span)?;
        let index = self.connection_of(owner)?;
        let client = client_in(&mut self.clients, owner.client.into())?;
        let connection = self.tcp.get_mut(index);
        if connection.connecting {
            return Err(Errno::EAGAIN.into());
        }
        let available = connection.socket().can_recv();
        if !available || span.length() == 0 {
            // What was received before a reset comes first, then the error once, then the end of the stream.
            if !available && let Some(errno) = connection.error.take() {
                self.refresh(owner);
                return Err(errno.into());
            }
            let ended = available || connection.peer_done() || connection.read_shut;
            return if ended {
                Ok(Success::Received {
                    bytes: 0,
                    datagrams: 0,
                })
            } else {
                Err(Errno::EAGAIN.into())
            };
        }
        let taken = connection.read(|socket| copy_out(socket, &mut client.window, span))?;
        self.counters.copies_to_client += 1;
        self.counters.copied_to_client += taken as u64;
        self.refresh(owner);
        // The window that the peer sees has grown.
        self.dirty.push(index);
        Ok(Success::Received {
            bytes: taken as u64,
            datagrams: 0,
        })
    }

    /// `shutdown`.
    pub(super) fn shutdown_stream(&mut self, owner: SocketRef, how: Shutdown) -> Reply {
        let client = self.client_mut(owner.client.into())?;
        let stream = client.stream_mut(owner.slot.into()).ok_or(Errno::EBADF)?;
        let Role::Connection(index) = stream.role else {
            return Err(Errno::ENOTCONN.into());
        };
        let connection = self.tcp.get_mut(index);
        if connection.connecting || connection.socket().state() == State::Closed {
            return Err(Errno::ENOTCONN.into());
        }
        if how.read() {
            connection.read_shut = true;
            connection.drain();
        }
        if how.write() {
            connection.write_shut = true;
            connection.socket_mut().close();
        }
        self.settle(index, Cause::Turn);
        self.dirty.push(index);
        Ok(Success::Done)
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
