// SPDX-License-Identifier: BSD-2-Clause

//! `socketpair`: two sockets of one program that are connected to each other. net_server has
//! nothing to do with them.

use core::net::SocketAddr;

use socket_client::{Errno, Flag, Flags, Instant, PollBits, Shutdown, SocketKind, Transport};

use crate::files::{File, Target};
use crate::transfer::Received;
use crate::{Error, Posix, Wait};

/// Bytes that a pair keeps in each direction. A datagram takes two besides.
pub const PAIR_ROOM: usize = 8192;
/// Pairs at once.
pub const PAIRS: usize = 16;

/// What the two sockets of a pair keep received bytes in.
pub type Memory<'n> = [&'n mut [u8]; 2];

/// Bytes of the length in front of a datagram.
const LENGTH: usize = 2;

/// One of the two sockets of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pair: usize,
    side: usize,
}

/// What an end has been told, and the bytes that wait for it.
struct Side<'n> {
    room: &'n mut [u8],
    start: usize,
    length: usize,
    is_open: bool,
    no_read: bool,
    no_write: bool,
    error: Option<Errno>,
    /// A datagram socket that has been told that its peer is gone.
    is_alone: bool,
}

impl<'n> Side<'n> {
    fn new(room: &'n mut [u8]) -> Self {
        Side {
            room,
            start: 0,
            length: 0,
            is_open: true,
            no_read: false,
            no_write: false,
            error: None,
            is_alone: false,
        }
    }

    fn free(&self) -> usize {
        self.room.len() - self.length
    }

    fn put<'b>(&mut self, bytes: impl Iterator<Item = &'b u8>) -> usize {
        let before = self.length;
        for &byte in bytes.take(self.free()) {
            let at = (self.start + self.length) % self.room.len();
            self.room[at] = byte;
            self.length += 1;
        }
        self.length - before
    }

    fn drop_first(&mut self, count: usize) {
        self.start = (self.start + count) % self.room.len();
        self.length -= count;
    }

    /// Copies bytes from the `skip`th on to the pieces, `most` of them or as many as fit.
    fn copy(&self, skip: usize, most: usize, pieces: &mut [&mut [u8]]) -> usize {
        let places = pieces.iter_mut().flat_map(|piece| piece.iter_mut());
        let mut count = 0;
        for (at, place) in (skip..self.length).take(most).zip(places) {
            *place = self.room[(self.start + at) % self.room.len()];
            count += 1;
        }
        count
    }

    /// Bytes of the first datagram, if there is one.
    fn datagram(&self) -> Option<usize> {
        let mut length = [0; LENGTH];
        let copied = self.copy(0, LENGTH, &mut [&mut length]);
        (copied == LENGTH).then(|| u16::from_ne_bytes(length).into())
    }
}

/// Two sockets that are connected to each other.
pub(crate) struct Pair<'n> {
    kind: SocketKind,
    sides: [Side<'n>; 2],
}

/// All pairs of a program.
pub(crate) type Pairs<'n> = [Option<Pair<'n>>; PAIRS];

impl Pair<'_> {
    fn send(&mut self, side: usize, pieces: &[&[u8]], skip: usize) -> Result<usize, Errno> {
        let total = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let bytes = pieces.iter().flat_map(|piece| piece.iter());
        let is_stream = self.kind == SocketKind::Stream;
        let [own, peer] = self.from(side);
        if own.no_write || peer.is_open && peer.no_read {
            return Err(Errno::EPIPE);
        }
        if own.is_alone {
            return Err(Errno::ENOTCONN);
        }
        if !peer.is_open {
            // Linux throws away what it has received, too.
            own.is_alone = true;
            own.drop_first(own.length);
            return Err(Errno::ECONNREFUSED);
        }
        if is_stream {
            return match peer.free() {
                0 if total > skip => Err(Errno::EAGAIN),
                _ => Ok(peer.put(bytes.skip(skip))),
            };
        }
        if LENGTH + total > peer.room.len() {
            return Err(Errno::EMSGSIZE);
        }
        if LENGTH + total > peer.free() {
            return Err(Errno::EAGAIN);
        }
        let length = (total as u16).to_ne_bytes();
        peer.put(length.iter().chain(bytes));
        Ok(total)
    }

    fn recv(
        &mut self,
        side: usize,
        pieces: &mut [&mut [u8]],
        flags: Flags,
    ) -> Result<Received, Errno> {
        let peek = flags.has(Flag::Peek);
        let own = &mut self.sides[side];
        let mut received = Received {
            count: 0,
            from: None,
            is_cut: false,
        };
        if self.kind == SocketKind::Datagram {
            let length = own.datagram().ok_or(Errno::EAGAIN)?;
            let copied = own.copy(LENGTH, length, pieces);
            if !peek {
                own.drop_first(LENGTH + length);
            }
            received.is_cut = copied < length;
            received.count = match flags.has(Flag::Truncate) {
                true => length,
                false => copied,
            };
            return Ok(received);
        }
        if own.length == 0 {
            return match own.error.take() {
                Some(error) => Err(error),
                None if own.no_read => Ok(received),
                None => Err(Errno::EAGAIN),
            };
        }
        received.count = own.copy(0, own.length, pieces);
        if !peek {
            own.drop_first(received.count);
        }
        Ok(received)
    }

    /// Ends directions. A datagram socket's peer is not told, as on Linux.
    fn shutdown(&mut self, side: usize, how: Shutdown) {
        let is_stream = self.kind == SocketKind::Stream;
        let (read, write) = (how.read(), how.write());
        let [own, peer] = self.from(side);
        own.no_read |= read;
        own.no_write |= write;
        peer.no_write |= read && is_stream;
        peer.no_read |= write && is_stream;
    }

    /// Closes an end; true if the other one is closed, too.
    fn close(&mut self, side: usize) -> bool {
        let is_stream = self.kind == SocketKind::Stream;
        let [own, peer] = self.from(side);
        own.is_open = false;
        if is_stream {
            peer.no_read = true;
            peer.no_write = true;
            // What it sent was never read.
            peer.error = (own.length > 0).then_some(Errno::ECONNRESET);
        }
        !peer.is_open
    }

    fn bits(&self, side: usize) -> PollBits {
        let (own, peer) = (&self.sides[side], &self.sides[1 - side]);
        PollBits::NONE
            .with(PollBits::ERR, own.error.is_some())
            .with(PollBits::IN, own.length > 0 || own.no_read)
            .with(PollBits::RDHUP, own.no_read)
            .with(PollBits::HUP, own.no_read && own.no_write)
            .with(
                PollBits::OUT,
                !peer.is_open || 2 * peer.free() >= peer.room.len(),
            )
    }
}

impl<'n> Pair<'n> {
    fn from(&mut self, side: usize) -> [&mut Side<'n>; 2] {
        let [first, second] = &mut self.sides;
        match side {
            0 => [first, second],
            _ => [second, first],
        }
    }
}

impl<'n, T: Transport, W: Wait> Posix<'n, T, W> {
    /// Two sockets that are connected to each other. `memory` is called if there is a place for
    /// them, and returns two rooms of [`PAIR_ROOM`] bytes; [`Self::close`] gives these back.
    ///
    /// # Errors
    /// `EMFILE`; `ENOBUFS` if there are [`PAIRS`] already, or no memory.
    pub fn socketpair(
        &self,
        kind: SocketKind,
        nonblocking: bool,
        memory: impl FnOnce() -> Option<Memory<'n>>,
    ) -> Result<[i32; 2], Error> {
        let mut files = self.files.borrow_mut();
        let mut pairs = self.pairs.borrow_mut();
        if files.free() < 2 {
            return Err(Error::EMFILE);
        }
        let place = pairs.iter().position(Option::is_none);
        let pair = place.ok_or(Errno::ENOBUFS)?;
        let sides = memory().ok_or(Errno::ENOBUFS)?.map(Side::new);
        pairs[pair] = Some(Pair { kind, sides });
        let mut open = |side| {
            let end = Target::End(End { pair, side });
            files.insert(File::new(end, kind, nonblocking))
        };
        Ok([open(0)?, open(1)?])
    }

    fn with_pair<R>(&self, end: End, act: impl FnOnce(&mut Pair<'n>) -> R) -> Result<R, Errno> {
        // An end that a descriptor names has its pair.
        let mut pairs = self.pairs.borrow_mut();
        pairs[end.pair].as_mut().map(act).ok_or(Errno::EBADF)
    }

    /// Only this program itself could end a wait. So one without a limit is refused.
    fn try_pair<R>(
        &self,
        end: End,
        until: Option<Instant>,
        mut attempt: impl FnMut(&mut Pair<'n>) -> Result<R, Errno>,
    ) -> Result<R, Error> {
        loop {
            match (self.with_pair(end, &mut attempt)?, until) {
                (Err(Errno::EAGAIN), Some(Instant::MAX)) => return Err(Error::EDEADLK),
                (Err(Errno::EAGAIN), Some(until)) if until > self.now() => {
                    self.wait_until(until, self.seen())?;
                }
                (result, _) => return Ok(result?),
            }
        }
    }

    pub(crate) fn send_to_end(
        &self,
        end: End,
        pieces: &[&[u8]],
        to: Option<SocketAddr>,
        until: Option<Instant>,
    ) -> Result<usize, Error> {
        if to.is_some() {
            return Err(Errno::EISCONN.into());
        }
        let total = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let mut sent = 0;
        loop {
            match self.try_pair(end, until, |pair| pair.send(end.side, pieces, sent)) {
                Ok(count) => sent += count,
                // What has gone is told first; the error comes again.
                Err(_) if sent > 0 => return Ok(sent),
                Err(error) => return Err(error),
            }
            if sent >= total || until.is_none() {
                return Ok(sent);
            }
        }
    }

    pub(crate) fn recv_at_end(
        &self,
        end: End,
        pieces: &mut [&mut [u8]],
        flags: Flags,
        until: Option<Instant>,
    ) -> Result<Received, Error> {
        self.try_pair(end, until, |pair| pair.recv(end.side, pieces, flags))
    }

    pub(crate) fn shutdown_end(&self, end: End, how: Shutdown) -> Result<(), Errno> {
        self.with_pair(end, |pair| pair.shutdown(end.side, how))
    }

    pub(crate) fn close_end(&self, end: End) -> Result<Option<Memory<'n>>, Errno> {
        let is_over = self.with_pair(end, |pair| pair.close(end.side))?;
        let pair = match is_over {
            true => self.pairs.borrow_mut()[end.pair].take(),
            false => None,
        };
        Ok(pair.map(|pair| pair.sides.map(|side| side.room)))
    }

    pub(crate) fn end_bits(&self, end: End) -> PollBits {
        let bits = self.with_pair(end, |pair| pair.bits(end.side));
        bits.unwrap_or(PollBits::NVAL)
    }

    /// Bytes that wait, or those of the next datagram.
    pub(crate) fn end_readable(&self, end: End) -> Result<usize, Errno> {
        self.with_pair(end, |pair| match pair.kind {
            SocketKind::Datagram => pair.sides[end.side].datagram().unwrap_or(0),
            _ => pair.sides[end.side].length,
        })
    }

    /// The error that waits, as a number, or 0.
    pub(crate) fn take_end_error(&self, end: End) -> Result<u16, Errno> {
        let error = self.with_pair(end, |pair| pair.sides[end.side].error.take())?;
        Ok(error.map_or(0, Errno::raw))
    }
}
