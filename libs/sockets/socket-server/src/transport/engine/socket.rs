// SPDX-License-Identifier: BSD-2-Clause

//! A TCP socket of smoltcp.

use alloc::vec;
use smoltcp::iface::{SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::AnySocket;
use smoltcp::socket::tcp::{self, CongestionControl, SocketBuffer, State};

use super::PACE;
use super::told::Told;
use crate::ip::address::Address;
use crate::ip::output::Marks;
use crate::ip::packet::Tuple;
use crate::time::Duration;
use crate::transport::connection::Settings;

/// How long an acknowledgement may wait for something to go with (RFC 9293 section 3.8.6.3).
const ACK_DELAY: Duration = Duration::from_millis(10);

/// What [`Settings`] has for a buffer of which nothing has been set.
const UNLIMITED: usize = u32::MAX as usize;

/// How far smoltcp shifts the windows of a buffer of so many bytes (RFC 7323 section 2).
pub(crate) fn scale(receive: usize) -> u8 {
    (usize::BITS - receive.leading_zeros()).saturating_sub(16) as u8
}

/// One TCP socket of smoltcp with its buffers.
pub(crate) struct Socket {
    pub(super) set: SocketSet<'static>,
    handle: SocketHandle,
    pub told: Told,
    /// The addresses of its packets, source and destination; smoltcp knows others.
    pub ends: (Address, Address),
    /// The type of service of its packets, which smoltcp does not know.
    pub(super) service: u8,
    /// Bytes that it takes to send, and that it lets the peer send.
    send_most: usize,
    pub receive_most: usize,
}

impl Default for Socket {
    /// A place that a socket was taken from.
    fn default() -> Self {
        Socket {
            set: SocketSet::new(&mut [][..]),
            handle: SocketHandle::default(),
            told: Told::default(),
            ends: Tuple::NONE.addresses(),
            service: 0,
            send_most: UNLIMITED,
            receive_most: UNLIMITED,
        }
    }
}

impl Socket {
    /// A closed socket with buffers of these sizes in bytes, which are allocated for good: without
    /// its feature `alloc` smoltcp takes slices.
    pub(crate) fn new(receive: usize, send: usize) -> Self {
        let buffer = |size: usize| SocketBuffer::new(vec![0; size].leak());
        let socket = tcp::Socket::new(buffer(receive), buffer(send));
        let mut set = SocketSet::new(vec![SocketStorage::EMPTY].leak());
        let handle = set.add(socket.upcast());
        Socket {
            set,
            handle,
            told: Told::default(),
            ends: Tuple::NONE.addresses(),
            service: 0,
            send_most: UNLIMITED,
            receive_most: UNLIMITED,
        }
    }

    /// How far smoltcp shifts its windows once the peer has agreed to that.
    pub(super) fn scale(&self) -> u8 {
        self.told
            .scale
            .map_or(0, |_| scale(self.receive_capacity()))
    }

    pub(super) fn tcp(&self) -> &tcp::Socket<'static> {
        self.set.get(self.handle)
    }

    pub(super) fn tcp_mut(&mut self) -> &mut tcp::Socket<'static> {
        self.set.get_mut(self.handle)
    }

    /// Makes a used socket like new. smoltcp resets most of it itself when it starts to listen or
    /// connect. It does not reset the congestion control, and the set remembers a neighbour that
    /// did not answer. What is known of selective and duplicate acknowledgements is set anew by
    /// the handshake: its last segment acknowledges nothing that is in flight, so that it counts
    /// as fresh.
    pub(crate) fn renew(&mut self) {
        self.told = Told::default();
        self.service = 0;
        (self.send_most, self.receive_most) = (UNLIMITED, UNLIMITED);
        let socket = self.set.remove(self.handle);
        self.handle = self.set.add(socket);
        let socket = self.tcp_mut();
        // Congestion is our own business: see `crate::transport::congestion`.
        socket.set_congestion_control(CongestionControl::None);
        // Writes are gathered until the end of a wake-up anyway, and answers written in two pieces
        // must not wait for a delayed acknowledgement of the first.
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(Some(ACK_DELAY * PACE));
        socket.set_hop_limit(None);
    }

    /// Takes what a client has set. Its packets say `marks`.
    pub(crate) fn set(&mut self, settings: Settings, marks: Marks) {
        let socket = self.tcp_mut();
        socket.set_nagle_enabled(!settings.no_delay);
        // smoltcp has no packets that may not pass any router.
        socket.set_hop_limit(Some(marks.time_to_live.max(1)));
        self.service = marks.service;
        self.send_most = settings.send_most as usize;
        self.receive_most = settings.receive_most as usize;
    }

    /// Has a socket that has nothing on its way ask the peer whether it is still there (RFC 9293
    /// section 3.8.4), once: smoltcp only knows one time for all questions, and would start anew
    /// with each of them.
    pub(crate) fn ask(&mut self) {
        let socket = self.tcp_mut();
        socket.set_keep_alive(Some(Duration::ZERO));
        socket.set_keep_alive(None);
    }

    pub(crate) fn state(&self) -> State {
        self.tcp().state()
    }

    /// Bytes that the peer has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.tcp().send_queue()
    }

    /// Bytes received in order and not yet read.
    pub(crate) fn unread(&self) -> usize {
        self.tcp().recv_queue()
    }

    /// Bytes of the receive buffer.
    pub(crate) fn receive_capacity(&self) -> usize {
        self.tcp().recv_capacity()
    }

    /// Bytes that the peer may be shown, if its client has set how many.
    pub(super) fn window(&self) -> Option<usize> {
        (self.receive_most < UNLIMITED).then(|| self.receive_room())
    }

    /// Bytes that the peer may send now.
    pub(crate) fn receive_room(&self) -> usize {
        let most = self.receive_capacity().min(self.receive_most);
        most.saturating_sub(self.unread())
    }

    /// Whether a larger buffer would have it take more to send.
    pub(crate) fn may_send_more(&self) -> bool {
        self.send_most > self.tcp().send_capacity()
    }

    /// Bytes of the send buffer, and how many of them are free; none if nothing can be sent any
    /// more.
    pub(crate) fn send_room(&self) -> Option<(usize, usize)> {
        let socket = self.tcp();
        let capacity = socket.send_capacity().min(self.send_most);
        let may = socket.may_send();
        may.then(|| (capacity, capacity.saturating_sub(socket.send_queue())))
    }

    /// Whether it is closed, and a reset that was due has been sent.
    pub(crate) fn is_over(&self) -> bool {
        self.state() == State::Closed && self.tcp().local_endpoint().is_none()
    }

    /// Puts up to `length` bytes behind what is to be sent: `fill` gets an offset and where to
    /// write. Returns how many were taken.
    ///
    /// # Errors
    /// Of `fill`; what it has written before then is sent.
    pub(crate) fn write<E>(
        &mut self,
        length: usize,
        mut fill: impl FnMut(usize, &mut [u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let length = match self.send_most {
            UNLIMITED => length,
            _ => length.min(self.send_room().map_or(0, |(_, free)| free)),
        };
        copy_all(length, |done| {
            let fill = |buffer: &mut [u8]| copy(buffer, length - done, |part| fill(done, part));
            self.tcp_mut().send(fill).unwrap_or(Ok(0))
        })
    }

    /// Takes up to `length` received bytes out: `drain` gets an offset and the bytes. Returns how
    /// many were taken.
    ///
    /// # Errors
    /// Of `drain`; what it has taken before then is gone.
    pub(crate) fn read<E>(
        &mut self,
        length: usize,
        mut drain: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        copy_all(length, |done| {
            let drain = |buffer: &mut [u8]| copy(buffer, length - done, |part| drain(done, part));
            self.tcp_mut().recv(drain).unwrap_or(Ok(0))
        })
    }

    /// As [`Self::read`], and the bytes stay. Those that wrap around in the buffer are gathered in
    /// `scratch`, as far as it goes.
    ///
    /// # Errors
    /// Of `drain`.
    pub(crate) fn peek<E>(
        &mut self,
        length: usize,
        scratch: &mut [u8],
        mut drain: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let length = length.min(self.unread());
        let socket = self.tcp_mut();
        let bytes = match socket.peek(length) {
            Ok(bytes) if bytes.len() == length => bytes,
            _ => {
                let room = length.min(scratch.len());
                let count = socket.peek_slice(&mut scratch[..room]).unwrap_or(0);
                &scratch[..count]
            }
        };
        drain(0, bytes)?;
        Ok(bytes.len())
    }

    /// Ends the outgoing stream: a FIN follows what is to be sent.
    pub(crate) fn close(&mut self) {
        self.tcp_mut().close();
    }

    /// Ends the connection with a reset, which leaves with the next turn.
    pub(crate) fn abort(&mut self) {
        self.tcp_mut().abort();
    }

    pub(super) fn peer(&self) -> Option<Address> {
        self.tcp().remote_endpoint()?;
        Some(self.ends.1)
    }
}

/// Copies one part of a ring buffer with up to `most` bytes: what smoltcp and what the caller get.
fn copy<E>(
    part: &mut [u8],
    most: usize,
    copy: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> (usize, Result<usize, E>) {
    let count = part.len().min(most);
    match copy(&mut part[..count]) {
        Ok(()) => (count, Ok(count)),
        Err(error) => (0, Err(error)),
    }
}

/// Copies up to `length` bytes by parts, as a ring buffer may wrap around. `part` gets how many
/// have been copied, and returns how many it has.
fn copy_all<E>(length: usize, mut part: impl FnMut(usize) -> Result<usize, E>) -> Result<usize, E> {
    let mut done = 0;
    while done < length {
        match part(done)? {
            0 => break,
            count => done += count,
        }
    }
    Ok(done)
}
