// SPDX-License-Identifier: BSD-2-Clause

//! The pool of TCP connections. All sockets and buffers are made at the start; each lies in a set of its own, so that smoltcp
//! looks at one socket a packet.

use alloc::vec;
use alloc::vec::Vec;

use smoltcp::iface::{SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::AnySocket;
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use socket_proto::{Errno, PollBits};

use crate::frame::Tuple;
use crate::list::{Links, List};
use crate::ports::SocketRef;

/// Who has a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody: it is in the pool.
    Free,
    /// A listening socket, until `accept`. `queued` once it is established.
    Pending { listener: SocketRef, queued: bool },
    /// A client's socket.
    Client(SocketRef),
    /// The handle is gone; what was taken is still being sent, and the peer's FIN awaited.
    Closing { client: u8 },
    /// As `Closing`, and all is done except waiting for stray segments.
    TimeWait,
}

impl Owner {
    /// The client on whose behalf packets are sent.
    pub(crate) fn client(self) -> Option<u8> {
        match self {
            Owner::Free | Owner::TimeWait => None,
            Owner::Pending { listener, .. } => Some(listener.client),
            Owner::Client(owner) => Some(owner.client),
            Owner::Closing { client } => Some(client),
        }
    }
}

/// One connection.
pub(crate) struct Connection {
    pub set: SocketSet<'static>,
    handle: SocketHandle,
    pub owner: Owner,
    /// The two ends, for as long as somebody may ask. It is in the table of connections unless `owner` is `Free`.
    pub tuple: Option<Tuple>,
    pub error: Option<Errno>,
    /// A connection attempt of a client is under way.
    pub connecting: bool,
    pub read_shut: bool,
    pub write_shut: bool,
    /// A packet has left, so the next hop is known.
    pub reached: bool,
    /// An answer to an ARP request is awaited.
    pub stalled: bool,
    /// When it came out of the pool, or when its handle was closed.
    pub since: Instant,
    /// Since when the peer owes an acknowledgement and has been silent.
    pub waiting_since: Option<Instant>,
    /// The state when it was last looked at.
    pub seen: State,
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

    /// Makes a socket that comes out of the pool like new. smoltcp resets most of it itself when it starts to listen or
    /// connect; not the congestion control, and not the memory of a neighbour that did not answer, which is the set's.
    fn renew(&mut self, now: Instant) {
        let socket = self.set.remove(self.handle);
        self.handle = self.set.add(socket);
        let socket = self.socket_mut();
        // Reno: CUBIC of smoltcp 0.14 calls functions on floating-point numbers that only the standard library has.
        socket.set_congestion_control(CongestionControl::Reno);
        // Writes are gathered until the end of a wake-up anyway, and answers written in two pieces must not wait for a delayed
        // acknowledgement of the first.
        socket.set_nagle_enabled(false);
        self.tuple = None;
        self.error = None;
        self.connecting = false;
        self.read_shut = false;
        self.write_shut = false;
        self.reached = false;
        self.stalled = false;
        self.since = now;
        self.waiting_since = None;
        self.seen = State::Closed;
        self.highest = None;
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
        // A third of the buffer must be free, so that a writer who waits is not woken for every segment that is acknowledged.
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
    pub links: Links,
    free: List,
    /// Oldest first.
    pub time_wait: List,
    used: usize,
}

impl TcpPool {
    pub(crate) fn new(count: usize, receive: usize, send: usize) -> Self {
        let mut links = Links::new(count);
        let mut free = List::default();
        let connections = (0..count)
            .map(|index| {
                free.push_back(&mut links, index);
                connection(receive, send)
            })
            .collect();
        TcpPool {
            connections,
            links,
            free,
            time_wait: List::default(),
            used: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.connections.len()
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
        let index = self.free.pop_front(&mut self.links)?;
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
        self.free.push_back(&mut self.links, index);
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
        stalled: false,
        since: Instant::ZERO,
        waiting_since: None,
        seen: State::Closed,
        highest: None,
    }
}
