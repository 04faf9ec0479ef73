// SPDX-License-Identifier: BSD-2-Clause

//! Datagrams, one at a time and in batches. A batch is one call for as many datagrams as fit, which
//! is what makes small ones fast.

use core::net::SocketAddr;

use socket_proto::datagram::{HEADER_SIZE, MAX_PAYLOAD, stride};
use socket_proto::layouts::Layout;
use socket_proto::{DatagramHeader, Errno, Flag, Flags, Span};

use crate::{Client, Socket, Transport};

/// A received datagram. Its payload lies in the window until the next receiving call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// Where its payload lies.
    pub payload: Span,
    /// Bytes that it had on the wire: more than the payload's length if it was cut off.
    pub wire_len: usize,
}

/// A datagram that was copied out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Bytes copied.
    pub len: usize,
    /// Who sent it.
    pub from: SocketAddr,
    /// Bytes of payload that it had on the wire.
    pub wire_len: usize,
}

impl Incoming {
    /// Whether the rest of it was cut off, because the buffer is too small.
    pub fn is_cut(&self) -> bool {
        self.len < self.wire_len
    }
}

/// Datagrams that one call has received, to be taken out one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What has not been looked at.
    span: Span,
    /// Datagrams in it, as the server says.
    datagrams: usize,
}

impl Batch {
    /// The batch as it lies in the window, for [`Client::send_batch`]: every datagram then goes
    /// back to where it came from.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Datagrams left.
    pub fn len(&self) -> usize {
        self.datagrams
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.datagrams == 0
    }

    /// Takes the next datagram out of the batch.
    ///
    /// # Errors
    /// `EAGAIN` if the batch is empty, `EPROTO` if the server has written nonsense; the batch is
    /// empty then.
    pub fn next<T: Transport>(&mut self, client: &Client<T>) -> Result<Datagram, Errno> {
        if self.datagrams == 0 {
            return Err(Errno::EAGAIN);
        }
        let next = self.parse(client).ok_or(Errno::EPROTO);
        if next.is_err() {
            *self = Batch::default();
        }
        next
    }

    fn parse<T: Transport>(&mut self, client: &Client<T>) -> Option<Datagram> {
        let mut header = DatagramHeader::default();
        client.copy_out(self.span, 0, header.bytes_mut()).ok()?;
        let from = header.peer().ok()??;
        let payload = Span {
            offset: self.span.offset + HEADER_SIZE as u64,
            length: header.length.into(),
        };
        if payload.length > self.span.length.checked_sub(HEADER_SIZE as u64)? {
            return None;
        }
        // The last one may lack its padding.
        let step = (stride(header.length.into()) as u64).min(self.span.length);
        self.span.offset += step;
        self.span.length -= step;
        self.datagrams -= 1;
        Some(Datagram {
            from,
            payload,
            wire_len: header.wire_length.into(),
        })
    }
}

/// Writes a batch of outgoing datagrams into the window; see [`Client::send_datagrams`].
#[derive(Debug)]
pub struct BatchWriter<'w> {
    window: &'w mut [u8],
    used: usize,
    count: usize,
}

impl BatchWriter<'_> {
    /// Adds a datagram to `to`, or to the connected peer.
    ///
    /// # Errors
    /// `ENOBUFS` if it does not fit behind those that are there, `EMSGSIZE` if no datagram can be
    /// that long.
    pub fn push(&mut self, to: Option<SocketAddr>, payload: &[u8]) -> Result<(), Errno> {
        self.push_vectored(to, &[payload])
    }

    /// Adds a datagram that consists of several pieces.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_vectored(&mut self, to: Option<SocketAddr>, pieces: &[&[u8]]) -> Result<(), Errno> {
        let total = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let length = match u16::try_from(total) {
            Ok(length) if total <= MAX_PAYLOAD => length,
            _ => return Err(Errno::EMSGSIZE),
        };
        let end = self.used + HEADER_SIZE + total;
        let room = self.window.get_mut(self.used..end).ok_or(Errno::ENOBUFS)?;
        let (header, mut rest) = room.split_at_mut(HEADER_SIZE);
        header.copy_from_slice(DatagramHeader::new(length, to).bytes());
        for piece in pieces {
            let (place, behind) = rest.split_at_mut(piece.len());
            place.copy_from_slice(piece);
            rest = behind;
        }
        self.used = (self.used + stride(total)).min(self.window.len());
        self.count += 1;
        Ok(())
    }
}

impl<T: Transport> Client<T> {
    /// Sends one datagram, to `to` or to the connected peer.
    ///
    /// # Errors
    /// `EAGAIN` if the socket takes none for the moment, `EMSGSIZE`, `EDESTADDRREQ`, `EACCES`,
    /// `ENETUNREACH`.
    pub fn sendto(
        &self,
        socket: Socket,
        payload: &[u8],
        to: Option<SocketAddr>,
    ) -> Result<(), Errno> {
        self.sendto_vectored(socket, &[payload], to)
    }

    /// As [`Self::sendto`], of several pieces.
    ///
    /// # Errors
    /// As [`Self::sendto`].
    pub fn sendto_vectored(
        &self,
        socket: Socket,
        pieces: &[&[u8]],
        to: Option<SocketAddr>,
    ) -> Result<(), Errno> {
        let mut pushed = Ok(());
        let fill = |batch: &mut BatchWriter<'_>| pushed = batch.push_vectored(to, pieces);
        let taken = self.send_datagrams(socket, fill)?;
        match (pushed, taken) {
            (Ok(()), 1) => Ok(()),
            (Ok(()), _) => Err(Errno::EAGAIN),
            // A payload that does not fit into the window is one that this client cannot send.
            (Err(_), _) => Err(Errno::EMSGSIZE),
        }
    }

    /// Lets `fill` write datagrams into the window and sends them in one call. Returns how many
    /// were taken, the first ones first; the others are lost.
    ///
    /// # Errors
    /// As [`Self::sendto`], about the first datagram.
    pub fn send_datagrams(
        &self,
        socket: Socket,
        fill: impl FnOnce(&mut BatchWriter<'_>),
    ) -> Result<usize, Errno> {
        let fill = |window: &mut [u8]| {
            let mut batch = BatchWriter {
                window,
                used: 0,
                count: 0,
            };
            fill(&mut batch);
            (batch.used as u64, batch.count)
        };
        let (length, count) = self.with_c2s(0..self.c2s_areas.scratch_len(), fill)?;
        match count {
            0 => Ok(0),
            _ => self.send_batch(socket, Span { offset: 0, length }),
        }
    }

    /// Sends a batch that lies in the window already, in either half. Returns how many datagrams
    /// were taken.
    ///
    /// # Errors
    /// As [`Self::send_datagrams`]; `EFAULT` if the span leaves the window.
    pub fn send_batch(&self, socket: Socket, batch: Span) -> Result<usize, Errno> {
        self.send_span(socket, batch).map(|sent| sent.count)
    }

    /// Receives as many datagrams as wait and fit into the scratch space. They stay there until the
    /// next receiving call.
    ///
    /// # Errors
    /// `EAGAIN` if none waits; an error that waited on the socket.
    pub fn recv_batch(&self, socket: Socket) -> Result<Batch, Errno> {
        self.recv_batch_into(socket, self.s2c_scratch())
    }

    pub(crate) fn recv_batch_into(&self, socket: Socket, span: Span) -> Result<Batch, Errno> {
        let (span, datagrams) = self.recv_span(socket, span, Flags::NONE)?;
        // Each has a header at least: what counts for a bound of the loops that follow.
        if datagrams as u64 > span.length / HEADER_SIZE as u64 {
            return Err(Errno::EPROTO);
        }
        Ok(Batch { span, datagrams })
    }

    /// Receives the oldest datagram alone, with up to `max` bytes of its payload, which lie in the
    /// scratch space until the next receiving call. With `keep` it can be received again. A batch
    /// would bring others with it, which a caller that has no place for them loses; so this is two
    /// calls, one that looks and one that takes.
    ///
    /// # Errors
    /// As [`Self::recv_batch`].
    pub fn recv_oldest(&self, socket: Socket, max: usize, keep: bool) -> Result<Datagram, Errno> {
        let mut span = self.s2c_scratch();
        span.length = span
            .length
            .min((max as u64).saturating_add(HEADER_SIZE as u64));
        let (span, datagrams) = self.recv_span(socket, span, Flag::Peek.into())?;
        let oldest = Batch { span, datagrams }.next(self)?;
        if !keep {
            // A range without room for payload takes one datagram. It overwrites the header alone.
            let length = HEADER_SIZE as u64;
            self.recv_span(socket, Span { length, ..span }, Flags::NONE)?;
        }
        Ok(oldest)
    }

    /// Takes the next datagram of `batch` into `buf`, and receives a new batch if it is empty.
    /// A datagram that is longer than `buf` is cut off ([`Incoming::is_cut`]). Between calls with
    /// the same batch there must be no other receiving call.
    ///
    /// # Errors
    /// As [`Self::recv_batch`].
    pub fn recvfrom(
        &self,
        socket: Socket,
        batch: &mut Batch,
        buf: &mut [u8],
    ) -> Result<Incoming, Errno> {
        if batch.is_empty() {
            *batch = self.recv_batch(socket)?;
        }
        self.take_datagram(batch, buf)
    }

    /// As [`Self::recvfrom`], and the datagram stays in the batch.
    ///
    /// # Errors
    /// As [`Self::recv_batch`].
    pub fn peekfrom(
        &self,
        socket: Socket,
        batch: &mut Batch,
        buf: &mut [u8],
    ) -> Result<Incoming, Errno> {
        if batch.is_empty() {
            *batch = self.recv_batch(socket)?;
        }
        let mut looked_at = *batch;
        self.take_datagram(&mut looked_at, buf)
    }

    pub(crate) fn take_datagram(
        &self,
        batch: &mut Batch,
        buf: &mut [u8],
    ) -> Result<Incoming, Errno> {
        let datagram = batch.next(self)?;
        let count = buf.len().min(datagram.payload.length as usize);
        self.copy_out(datagram.payload, 0, &mut buf[..count])?;
        Ok(Incoming {
            len: count,
            from: datagram.from,
            wire_len: datagram.wire_len,
        })
    }
}
