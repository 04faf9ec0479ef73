// SPDX-License-Identifier: BSD-2-Clause

//! The calls with payload, in one piece or in several.

use core::net::SocketAddr;

use socket_client::{Errno, Flag, Flags, Socket, SocketKind, Span, Transport};

use crate::files::{File, How, Target};
use crate::{Error, Posix, Wait};

/// What a receiving call brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// What the call returns: bytes copied, or with `MSG_TRUNC` the datagram's or those taken.
    pub count: usize,
    /// Who sent the datagram.
    pub from: Option<SocketAddr>,
    /// Whether the datagram was cut off.
    pub is_cut: bool,
}

/// Copies `pieces` from byte `skip` on, as far as `room` goes, and returns how many bytes.
fn gather(pieces: &[&[u8]], mut skip: usize, room: &mut [u8]) -> usize {
    let mut at = 0;
    for piece in pieces {
        let rest = &piece[skip.min(piece.len())..];
        skip -= piece.len() - rest.len();
        let count = rest.len().min(room.len() - at);
        room[at..at + count].copy_from_slice(&rest[..count]);
        at += count;
    }
    at
}

impl<T: Transport, W: Wait> Posix<'_, T, W> {
    /// Sends. A stream takes everything before the call returns, unless it is not to wait or an
    /// error comes in between; a datagram goes as a whole.
    ///
    /// # Errors
    /// Those of [`socket_client::Client::send`] and [`socket_client::Client::sendto`]; `EISCONN`
    /// for an address of another peer on a connected stream.
    pub fn send(
        &self,
        fd: i32,
        pieces: &[&[u8]],
        to: Option<SocketAddr>,
        flags: Flags,
    ) -> Result<usize, Error> {
        let file = self.file(fd)?;
        let total = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let until = file.until(how(flags), file.send_timeout, self.now());
        let socket = match file.target {
            Target::Server(socket) => socket,
            Target::End(end) => return self.send_to_end(end, pieces, to, until),
        };
        if file.kind == SocketKind::Datagram {
            self.repeat(until, |client| client.sendto_vectored(socket, pieces, to))?;
            return Ok(total);
        }
        let mut sent = 0;
        loop {
            let taken = self.repeat(until, |client| {
                let fill = |room: &mut [u8]| gather(pieces, sent, room);
                client.send_with(socket, total - sent, fill)
            });
            match taken {
                Ok(taken) => sent += taken.count,
                // What has gone is told first; the error comes again.
                Err(_) if sent > 0 => return Ok(sent),
                Err(error) => return Err(error),
            }
            if sent >= total || until.is_none() {
                return Ok(sent);
            }
        }
    }

    /// Receives. `copy` gets the received bytes in the order in which they are to be stored, and
    /// where.
    ///
    /// # Errors
    /// Those of [`socket_client::Client::recv`].
    pub fn recv(&self, fd: i32, pieces: &mut [&mut [u8]], flags: Flags) -> Result<Received, Error> {
        let file = self.file(fd)?;
        let socket = match file.target {
            Target::Server(socket) => socket,
            Target::End(end) => {
                let until = file.until(how(flags), file.receive_timeout, self.now());
                return self.recv_at_end(end, pieces, flags, until);
            }
        };
        match file.kind {
            SocketKind::Stream => self.recv_stream(file, socket, pieces, flags),
            SocketKind::Datagram => self.recv_datagram(file, socket, pieces, flags),
        }
    }

    fn recv_stream(
        &self,
        file: File,
        socket: Socket,
        pieces: &mut [&mut [u8]],
        flags: Flags,
    ) -> Result<Received, Error> {
        let total = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let until = file.until(how(flags), file.receive_timeout, self.now());
        // The server knows nothing of waiting.
        let mut passed = Flags::NONE;
        for flag in [Flag::Peek, Flag::Truncate] {
            if flags.has(flag) {
                passed = passed | flag;
            }
        }
        let all = flags.has(Flag::WaitAll) && !flags.has(Flag::Peek);
        let mut done = 0;
        loop {
            let received = self.repeat(until, |client| {
                client.recv_in_place_with(socket, total - done, passed)
            });
            match received {
                Ok(span) => {
                    if !flags.has(Flag::Truncate) {
                        self.scatter(span, pieces, done)?;
                    }
                    done += span.length as usize;
                    if span.length > 0 && done < total && all && until.is_some() {
                        continue;
                    }
                }
                Err(_) if done > 0 => {}
                Err(error) => return Err(error),
            }
            return Ok(Received {
                count: done,
                from: None,
                is_cut: false,
            });
        }
    }

    fn recv_datagram(
        &self,
        file: File,
        socket: Socket,
        pieces: &mut [&mut [u8]],
        flags: Flags,
    ) -> Result<Received, Error> {
        let total = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let until = file.until(how(flags), file.receive_timeout, self.now());
        let datagram = self.repeat(until, |client| {
            client.recv_oldest(socket, total, flags.has(Flag::Peek))
        })?;
        self.scatter(datagram.payload, pieces, 0)?;
        let copied = datagram.payload.length as usize;
        Ok(Received {
            count: match flags.has(Flag::Truncate) {
                true => datagram.wire_len,
                false => copied,
            },
            from: Some(datagram.from),
            is_cut: copied < datagram.wire_len,
        })
    }

    /// Copies received bytes to the pieces, from byte `skip` of these on.
    fn scatter(&self, span: Span, pieces: &mut [&mut [u8]], mut skip: usize) -> Result<(), Error> {
        let mut at = 0;
        for piece in pieces {
            let from = skip.min(piece.len());
            skip -= from;
            let rest = &mut piece[from..];
            let count = rest.len().min(span.length as usize - at);
            self.client().copy_out(span, at, &mut rest[..count])?;
            at += count;
        }
        Ok(())
    }

    /// Bytes that `recv` would return at once (`FIONREAD`): of a datagram socket those of the next
    /// datagram.
    ///
    /// # Errors
    /// `EBADF`, `ECONNRESET`; `EINVAL` of a listener.
    pub fn readable(&self, fd: i32) -> Result<usize, Error> {
        let file = self.file(fd)?;
        let socket = match file.target {
            Target::Server(socket) => socket,
            Target::End(end) => return Ok(self.end_readable(end)?),
        };
        if file.kind == SocketKind::Datagram {
            return match self.client().recv_oldest(socket, 0, true) {
                Err(Errno::EAGAIN) => Ok(0),
                datagram => Ok(datagram?.wire_len),
            };
        }
        let state = self.client().socket_state(socket)?;
        match state.state {
            LISTENING => Err(Error::EINVAL),
            _ => Ok(state.unread as usize),
        }
    }
}

/// `TCP_LISTEN` of Linux.
const LISTENING: u32 = 10;

fn how(flags: Flags) -> How {
    match flags.has(Flag::DontWait) {
        true => How::DontWait,
        false => How::AsSet,
    }
}
