// SPDX-License-Identifier: BSD-2-Clause

//! Bytes of streams, through the window.

use core::ops::Range;

use socket_proto::{Errno, Flag, Flags, Span, op};

use crate::{Area, Client, Socket, Transport};

/// What a `send` on a stream did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Bytes taken.
    pub count: usize,
    /// Bytes that the socket would take now. Only the peer's acknowledgements change it until the
    /// next `send`, and they raise it.
    pub room: usize,
}

impl<T: Transport> Client<T> {
    /// Sends as many of `data` as the socket and the scratch space take: see
    /// [the crate](crate#memory).
    ///
    /// # Errors
    /// `EAGAIN` if it takes none for the moment, `EPIPE` if the sending direction is closed,
    /// `ECONNRESET`, `ENOTCONN`.
    pub fn send(&self, socket: Socket, data: &[u8]) -> Result<usize, Errno> {
        self.send_vectored(socket, &[data]).map(|sent| sent.count)
    }

    /// Sends several pieces as one stream of bytes, in one call, up to what the scratch space
    /// takes.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_vectored(&self, socket: Socket, pieces: &[&[u8]]) -> Result<Sent, Errno> {
        self.send_with(socket, usize::MAX, |window| {
            let mut at = 0;
            for piece in pieces {
                let room = &mut window[at..];
                let count = piece.len().min(room.len());
                room[..count].copy_from_slice(&piece[..count]);
                at += count;
            }
            at
        })
    }

    /// Lets `fill` write up to `max` bytes into the scratch space, as far as it goes, and sends as
    /// many as it says it wrote. What the socket does not take is lost: be ready to produce
    /// it again, or ask for no more than the `room` of the last [`Sent`].
    ///
    /// # Errors
    /// As [`Self::send`]; `EINVAL` if `fill` itself sends.
    pub fn send_with(
        &self,
        socket: Socket,
        max: usize,
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<Sent, Errno> {
        let max = max.min(self.c2s_areas.scratch_len());
        let filled = self.with_c2s(0..max, |window| fill(window).min(max))?;
        self.send_span(
            socket,
            Span {
                offset: 0,
                length: filled as u64,
            },
        )
    }

    /// Lets `f` write into a range of the client's half.
    pub(crate) fn with_c2s<R>(
        &self,
        range: Range<usize>,
        f: impl FnOnce(&mut [u8]) -> R,
    ) -> Result<R, Errno> {
        let mut c2s = self.c2s.try_borrow_mut().map_err(|_| Errno::EINVAL)?;
        let window = c2s.slice_mut(range.start, range.len());
        Ok(f(window.map_err(|_| Errno::EFAULT)?))
    }

    /// Sends bytes that lie in the window already, in either half: what was received can be sent
    /// without a copy here.
    ///
    /// # Errors
    /// As [`Self::send`]; `EFAULT` if the span leaves the window.
    pub fn send_span(&self, socket: Socket, span: Span) -> Result<Sent, Errno> {
        let sent = self.on(socket, |socket| op::Send::new(socket, span))?;
        // For a client its server is a peer too: more than was offered cannot be.
        if sent.count > span.length {
            return Err(Errno::EPROTO);
        }
        Ok(Sent {
            count: sent.count as usize,
            room: usize::try_from(sent.room).unwrap_or(usize::MAX),
        })
    }

    /// Receives up to `buf.len()` bytes, as far as the scratch space goes. 0 means that the peer
    /// has ended the stream, or that `buf` is empty.
    ///
    /// # Errors
    /// `EAGAIN` if there are none for the moment, `ECONNRESET`, `ENOTCONN`.
    pub fn recv(&self, socket: Socket, buf: &mut [u8]) -> Result<usize, Errno> {
        self.recv_with(socket, buf, Flags::NONE)
    }

    /// As [`Self::recv`], and the bytes can be received again (`MSG_PEEK`).
    ///
    /// # Errors
    /// As [`Self::recv`].
    pub fn peek(&self, socket: Socket, buf: &mut [u8]) -> Result<usize, Errno> {
        self.recv_with(socket, buf, Flag::Peek.into())
    }

    fn recv_with(&self, socket: Socket, buf: &mut [u8], flags: Flags) -> Result<usize, Errno> {
        let mut span = self.s2c_scratch();
        span.length = span.length.min(buf.len() as u64);
        let (span, _) = self.recv_span(socket, span, flags)?;
        let count = span.length as usize;
        let filled = buf.get_mut(..count).ok_or(Errno::EPROTO)?;
        self.copy_out(span, 0, filled)?;
        Ok(count)
    }

    /// Receives up to `max` bytes into the scratch space of the window and leaves them there, until
    /// the next receiving call. They are looked at with [`Self::copy_out`], or sent on with
    /// [`Self::send_span`]. An empty span means end of stream.
    ///
    /// # Errors
    /// As [`Self::recv`].
    pub fn recv_in_place(&self, socket: Socket, max: usize) -> Result<Span, Errno> {
        self.recv_in_place_with(socket, max, Flags::NONE)
    }

    /// As [`Self::recv_in_place`], with flags. With `MSG_TRUNC` the span says how many bytes were
    /// taken, and has none of them.
    ///
    /// # Errors
    /// As [`Self::recv`].
    pub fn recv_in_place_with(
        &self,
        socket: Socket,
        max: usize,
        flags: Flags,
    ) -> Result<Span, Errno> {
        let mut span = self.s2c_scratch();
        span.length = span.length.min(max as u64);
        let filled = self.recv_span(socket, span, flags)?;
        Ok(filled.0)
    }

    /// Receives into any part of the server's half. Returns the part that was filled, and for a
    /// datagram socket the number of datagrams in it.
    pub(crate) fn recv_span(
        &self,
        socket: Socket,
        span: Span,
        flags: Flags,
    ) -> Result<(Span, usize), Errno> {
        let received = self.on(socket, |socket| op::Recv {
            socket,
            span,
            flags,
        })?;
        if received.bytes > span.length {
            return Err(Errno::EPROTO);
        }
        let filled = Span {
            offset: span.offset,
            length: received.bytes,
        };
        let datagrams = usize::try_from(received.datagrams).map_err(|_| Errno::EPROTO)?;
        Ok((filled, datagrams))
    }

    /// Copies received bytes out of the server's half, starting `skip` bytes into `span`.
    ///
    /// # Errors
    /// `EFAULT` if that range does not lie in the span and the server's half.
    pub fn copy_out(&self, span: Span, skip: usize, into: &mut [u8]) -> Result<(), Errno> {
        let end = skip.checked_add(into.len()).ok_or(Errno::EFAULT)?;
        if end as u64 > span.length {
            return Err(Errno::EFAULT);
        }
        let start = span
            .offset
            .checked_sub(self.sizes.s2c_offset())
            .and_then(|start| usize::try_from(start).ok())
            .and_then(|start| start.checked_add(skip))
            .ok_or(Errno::EFAULT)?;
        self.s2c.read_at(start, into).map_err(|_| Errno::EFAULT)
    }

    /// The scratch space of the server's half.
    pub(crate) fn s2c_scratch(&self) -> Span {
        Span {
            offset: self.sizes.s2c_offset(),
            length: self.s2c_areas.scratch_len() as u64,
        }
    }

    /// An area of the server's half.
    pub(crate) fn s2c_span(&self, area: &Area<'_>) -> Span {
        Span {
            offset: self.sizes.s2c_offset() + area.start() as u64,
            length: area.len() as u64,
        }
    }

    /// Takes an area of the client's half, for payload that is prepared in the window and sent from
    /// there, perhaps many times.
    ///
    /// # Errors
    /// `ENOBUFS` if no such area is left.
    pub fn reserve(&self, len: usize) -> Result<Area<'_>, Errno> {
        self.c2s_areas.allocate(len)
    }

    /// Writes into an area of the client's half.
    ///
    /// # Errors
    /// `EFAULT` if the range does not lie in the area.
    pub fn write_area(&self, area: &Area<'_>, at: usize, data: &[u8]) -> Result<(), Errno> {
        let span = self.area_span(area, at..at.saturating_add(data.len()))?;
        let start = span.offset as usize;
        self.with_c2s(start..start + data.len(), |room| room.copy_from_slice(data))
    }

    /// The span of a part of an area of the client's half, for [`Self::send_span`].
    ///
    /// # Errors
    /// `EFAULT` if the range does not lie in the area.
    pub fn area_span(&self, area: &Area<'_>, range: Range<usize>) -> Result<Span, Errno> {
        if range.start > range.end || range.end > area.len() {
            return Err(Errno::EFAULT);
        }
        Ok(Span {
            offset: (area.start() + range.start) as u64,
            length: range.len() as u64,
        })
    }
}
