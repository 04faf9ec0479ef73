// SPDX-License-Identifier: BSD-2-Clause

//! The pool of TCP connections. All sockets and buffers are made at the start; each lies in a set
//! of its own, so that smoltcp looks at one socket a packet.

use alloc::vec;
use alloc::vec::Vec;

use smoltcp::iface::{SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::AnySocket;
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::{Duration, Instant};
use socket_proto::{Errno, PollBits};

use crate::accounts::ports::SocketRef;
use crate::ip::packet::Tuple;
use crate::ip::stack::PACE;
use crate::tables::list::Links;
use crate::transport::congestion::Flow;
use crate::transport::numbers::PeerOptions;
use crate::transport::segment::{Glance, MSS, before};

/// After so long without a segment the peer is asked whether it is still there (RFC 9293 section
/// 3.8.4).
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// How long an acknowledgement may wait for something to go with (RFC 9293 section 3.8.6.3).
const ACK_DELAY: Duration = Duration::from_millis(10);

/// Who has a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody: it is in the pool.
    Free,
    /// A listening socket, until `accept`.
    Pending { listener: SocketRef },
    /// A client's socket.
    Client(SocketRef),
    /// The handle is gone; what was taken is still being sent. Once the peer has all of it,
    /// `drained`, only the two FINs and their acknowledgements are awaited.
    Closing { client: u8, drained: bool },
}

impl Owner {
    /// The client on whose behalf packets are sent.
    pub(crate) fn client(self) -> Option<u8> {
        match self {
            Owner::Free => None,
            Owner::Pending { listener } => Some(listener.client),
            Owner::Client(owner) => Some(owner.client),
            Owner::Closing { client, .. } => Some(client),
        }
    }
}

/// One connection.
pub(crate) struct Connection {
    pub set: SocketSet<'static>,
    handle: SocketHandle,
    pub owner: Owner,
    /// The two ends, for as long as somebody may ask. It is in the table of connections unless
    /// `owner` is `Free`.
    pub tuple: Option<Tuple>,
    pub error: Option<Errno>,
    /// A connection attempt of a client is under way.
    pub connecting: bool,
    pub read_shut: bool,
    pub write_shut: bool,
    /// A packet has left, so the next hop is known.
    pub reached: bool,
    /// When it came out of the pool, or when its handle was closed.
    pub since: Instant,
    /// When the last segment came.
    pub heard: Instant,
    /// When its state last changed or the peer last acknowledged something new.
    pub moved: Instant,
    /// Since when the peer owes an acknowledgement and has been silent.
    pub waiting_since: Option<Instant>,
    /// Our first sequence number.
    iss: u32,
    /// The peer's first.
    irs: u32,
    /// Bytes that have been put into the transmit buffer, modulo 2^32.
    written: u32,
    /// Bytes that have been taken out of the receive buffer, modulo 2^32.
    read: u32,
    /// What the peer had acknowledged when the connection was last looked at.
    acked: u32,
    /// The state when it was last looked at.
    pub seen: State,
    pub flow: Flow,
    /// Highest sequence number sent, to notice what is sent again.
    pub highest: Option<u32>,
}

impl Connection {
    pub(crate) fn socket(&self) -> &Socket<'static> {
        self.set.get(self.handle)
    }

    pub(crate) fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.set.get_mut(self.handle)
    }

    /// Makes a socket that comes out of the pool like new. smoltcp resets most of it itself when it
    /// starts to listen or connect. It does not reset the congestion control, and the set remembers
    /// a neighbour that did not answer. What is known of selective and duplicate
    /// acknowledgements is set anew by the handshake: its last segment acknowledges nothing
    /// that is in flight, so that it counts as fresh.
    fn renew(&mut self, now: Instant) {
        let socket = self.set.remove(self.handle);
        self.handle = self.set.add(socket);
        let socket = self.socket_mut();
        // Congestion is our own business: see `crate::transport::congestion`.
        socket.set_congestion_control(CongestionControl::None);
        // Writes are gathered until the end of a wake-up anyway, and answers written in two pieces
        // must not wait for a delayed acknowledgement of the first.
        socket.set_nagle_enabled(false);
        socket.set_keep_alive(Some(KEEP_ALIVE * PACE));
        socket.set_ack_delay(Some(ACK_DELAY * PACE));
        self.tuple = None;
        self.error = None;
        self.connecting = false;
        self.read_shut = false;
        self.write_shut = false;
        self.reached = false;
        self.since = now;
        self.heard = now;
        self.moved = now;
        self.waiting_since = None;
        self.seen = State::Closed;
        self.highest = None;
    }

    /// Sets the first sequence numbers of a connection that begins.
    pub(crate) fn renumber(&mut self, iss: u32) {
        self.iss = iss;
        self.written = 0;
        self.read = 0;
        self.acked = iss;
    }

    /// The peer's SYN: its first sequence number and its options.
    pub(crate) fn set_peer(&mut self, irs: u32, options: PeerOptions) {
        self.irs = irs;
        self.flow = Flow::new(options, MSS);
    }

    /// Whether a segment only repeats the last acknowledgement while something is on its way (RFC
    /// 5681 section 2).
    pub(crate) fn is_duplicate(&self, glance: Glance) -> bool {
        let una = self.snd_una();
        glance.bare
            && glance.ack == Some(una)
            && self.is_sending()
            && !self.flow.is_closed()
            && self.highest.is_some_and(|highest| before(una, highest))
            && self.flow.offers_the_same(glance.window)
            && glance.seq == self.rcv_nxt()
    }

    /// Whether smoltcp takes an acknowledgement without data in this state, and has something to
    /// send.
    pub(crate) fn is_sending(&self) -> bool {
        let socket = self.socket();
        let state = socket.state();
        socket.send_queue() > 0
            && matches!(
                state,
                State::Established | State::CloseWait | State::FinWait1 | State::Closing
            )
    }

    /// Lets `put` write into the transmit buffer.
    pub(crate) fn write<R>(&mut self, put: impl FnOnce(&mut Socket<'static>) -> R) -> R {
        let before = self.socket().send_queue();
        let result = put(self.socket_mut());
        let taken = self.socket().send_queue() - before;
        self.written = self.written.wrapping_add(taken as u32);
        result
    }

    /// Lets `take` read out of the receive buffer.
    pub(crate) fn read<R>(&mut self, take: impl FnOnce(&mut Socket<'static>) -> R) -> R {
        let before = self.socket().recv_queue();
        let result = take(self.socket_mut());
        let taken = before - self.socket().recv_queue();
        self.read = self.read.wrapping_add(taken as u32);
        result
    }

    /// The oldest sequence number that the peer has not acknowledged (SND.UNA of RFC 9293).
    pub(crate) fn snd_una(&self) -> u32 {
        let socket = self.socket();
        match socket.state() {
            State::SynSent | State::SynReceived => self.iss,
            state => {
                let fin = matches!(state, State::FinWait2 | State::TimeWait);
                let queued = socket.send_queue() as u32;
                let acked = self.written.wrapping_sub(queued);
                self.after_syn()
                    .wrapping_add(acked)
                    .wrapping_add(u32::from(fin))
            }
        }
    }

    /// The number behind the last byte of an outgoing stream that has been closed, and its FIN.
    pub(crate) fn snd_nxt_closed(&self) -> u32 {
        self.after_syn().wrapping_add(self.written).wrapping_add(1)
    }

    /// The highest number that the peer can have seen and acknowledge.
    pub(crate) fn snd_max(&self) -> u32 {
        match self.socket().state() {
            // Its FIN may have been sent.
            State::FinWait1
            | State::FinWait2
            | State::Closing
            | State::LastAck
            | State::TimeWait => self.snd_nxt_closed(),
            _ => self.highest.unwrap_or(self.after_syn()),
        }
    }

    /// The number that the peer sends next (RCV.NXT of RFC 9293).
    pub(crate) fn rcv_nxt(&self) -> u32 {
        let socket = self.socket();
        let fin = matches!(
            socket.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait
        );
        let received = self.read.wrapping_add(socket.recv_queue() as u32);
        let flags = 1 + u32::from(fin);
        self.irs.wrapping_add(received).wrapping_add(flags)
    }

    /// Bytes that the peer may send from there on.
    pub(crate) fn window(&self) -> u32 {
        let socket = self.socket();
        (socket.recv_capacity() - socket.recv_queue()) as u32
    }

    /// Whether a segment with this number is on its way to the peer: what an ICMP error must quote
    /// to be believed (RFC 5927 section 4.1).
    pub(crate) fn is_in_flight(&self, seq: u32) -> bool {
        let una = self.snd_una();
        seq.wrapping_sub(una) < self.snd_max().wrapping_sub(una)
    }

    fn after_syn(&self) -> u32 {
        self.iss.wrapping_add(1)
    }

    /// Notes whether the peer has acknowledged something new. Returns whether it has.
    pub(crate) fn note_progress(&mut self) -> bool {
        let acked = self.snd_una();
        core::mem::replace(&mut self.acked, acked) != acked
    }

    /// Whether the peer will send no more.
    pub(crate) fn peer_done(&self) -> bool {
        matches!(
            self.socket().state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait | State::Closed
        )
    }

    /// Bytes that `send` would take.
    pub(crate) fn room(&self) -> usize {
        let socket = self.socket();
        if socket.may_send() {
            socket.send_capacity() - socket.send_queue()
        } else {
            0
        }
    }

    /// Whether the peer has yet to acknowledge something, so that its silence must end.
    pub(crate) fn awaits_peer(&self) -> bool {
        let socket = self.socket();
        socket.send_queue() > 0
            || matches!(
                socket.state(),
                State::FinWait1 | State::Closing | State::LastAck
            )
    }

    /// Whether everything is over, a reset that was due included.
    pub(crate) fn is_over(&self) -> bool {
        let socket = self.socket();
        socket.state() == State::Closed && socket.local_endpoint().is_none()
    }

    /// Whether it is over for its client: TIME-WAIT is the server's own business.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.socket().state(), State::Closed | State::TimeWait)
    }

    /// As `tcp_poll` of Linux.
    pub(crate) fn bits(&self) -> PollBits {
        if self.connecting {
            return PollBits::NONE;
        }
        let socket = self.socket();
        let peer_done = self.peer_done() || self.read_shut;
        let over = self.is_closed() || (peer_done && self.write_shut);
        // A third of the buffer must be free, so that a writer who waits is not woken for every
        // segment that is acknowledged.
        let writable = !socket.may_send() || self.room() * 3 >= socket.send_capacity();
        PollBits::NONE
            .with(PollBits::IN, socket.can_recv() || peer_done)
            .with(PollBits::OUT, writable)
            .with(PollBits::ERR, self.error.is_some())
            .with(PollBits::RDHUP, peer_done)
            .with(PollBits::HUP, over)
    }
}

/// All connections.
pub(crate) struct TcpPool {
    connections: Vec<Connection>,
    receive: usize,
    pub links: Links,
    /// A stack: the memory of the connection that ended last is likely to be at hand still.
    free: Vec<u32>,
    used: usize,
}

impl TcpPool {
    pub(crate) fn new(count: usize, receive: usize, send: usize) -> Self {
        TcpPool {
            connections: (0..count).map(|_| connection(receive, send)).collect(),
            receive,
            links: Links::new(count),
            free: (0..count as u32).rev().collect(),
            used: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Size of a connection's receive buffer, which is its first window.
    pub(crate) fn receive_window(&self) -> usize {
        self.receive
    }

    /// How far smoltcp shifts the windows of these buffers (RFC 7323 section 2).
    pub(crate) fn window_scale(&self) -> u8 {
        let bits = usize::BITS - self.receive.leading_zeros();
        bits.saturating_sub(16) as u8
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    pub(crate) fn get(&self, index: usize) -> &Connection {
        &self.connections[index]
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> &mut Connection {
        &mut self.connections[index]
    }

    /// Takes a connection out of the pool.
    pub(crate) fn take(&mut self, owner: Owner, now: Instant) -> Option<usize> {
        let index = self.free.pop()? as usize;
        self.used += 1;
        let connection = &mut self.connections[index];
        connection.renew(now);
        connection.owner = owner;
        Some(index)
    }

    /// Puts a connection back that is in no list.
    pub(crate) fn put_back(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.socket_mut().abort();
        connection.owner = Owner::Free;
        connection.tuple = None;
        self.used -= 1;
        self.free.push(index as u32);
    }
}

fn connection(receive: usize, send: usize) -> Connection {
    // Lent for good: without its feature `alloc` smoltcp takes slices.
    let buffer = |size: usize| SocketBuffer::new(vec![0; size].leak());
    let socket = Socket::new(buffer(receive), buffer(send));
    let mut set = SocketSet::new(vec![SocketStorage::EMPTY].leak());
    let handle = set.add(socket.upcast());
    Connection {
        set,
        handle,
        owner: Owner::Free,
        tuple: None,
        error: None,
        connecting: false,
        read_shut: false,
        write_shut: false,
        reached: false,
        since: Instant::ZERO,
        heard: Instant::ZERO,
        moved: Instant::ZERO,
        waiting_since: None,
        iss: 0,
        irs: 0,
        written: 0,
        read: 0,
        acked: 0,
        flow: Flow::new(PeerOptions::NONE, MSS),
        seen: State::Closed,
        highest: None,
    }
}
