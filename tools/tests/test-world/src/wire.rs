// SPDX-License-Identifier: BSD-2-Clause

//! The client library's way into a world, and the test peer's end of what the client does.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;
use socket_client::{Client, Instant, Net, Storage, Transport};
use socket_proto::{Errno, RESTARTED, Request, reply};
use socket_server::{ClientLimits, Config};

use crate::{Faults, PEER_IP, PEER_MAC, SERVER_IP, SERVER_MAC, World, config, frames, limits};

/// The first word of the readiness page that belongs to a socket.
const FIRST_SOCKET: usize = 16;

/// The protocol number of UDP.
const UDP: u8 = 17;

/// Label and words of a reply.
type Words = (u64, [u64; 4]);

/// A transport into a world, as its client 0.
pub struct Wire {
    /// The world. It stands still while nobody takes a step.
    pub world: RefCell<World>,
    /// Requests since the last look.
    calls: RefCell<Vec<Request>>,
    /// What the next calls return, whatever they are; `None` for one that is served.
    lies: RefCell<VecDeque<Option<Words>>>,
}

impl Wire {
    /// Into that world.
    pub fn new(world: World) -> Self {
        Wire {
            world: RefCell::new(world),
            calls: RefCell::default(),
            lies: RefCell::default(),
        }
    }

    /// Into a world without faults, whose link takes a microsecond.
    pub fn simple() -> Self {
        Wire::with_limits(limits(32, 8))
    }

    /// As [`Self::simple`], with other limits.
    pub fn with_limits(limits: ClientLimits) -> Self {
        Wire::with_buffers(limits, 1 << 16)
    }

    /// As [`Self::with_limits`], with so many bytes of buffer for each direction of a stream, at
    /// each end.
    pub fn with_buffers(limits: ClientLimits, bytes: usize) -> Self {
        let config = Config {
            stream_receive: bytes,
            stream_send: bytes,
            ..config()
        };
        let mut world = World::new(config, vec![limits], Faults::quick());
        world.peer.buffer = bytes;
        Wire::new(world)
    }

    /// Attaches a client of the library.
    ///
    /// # Panics
    /// If that fails.
    pub fn client(&self) -> Client<&Wire> {
        let memory = self.world.borrow().clients[0].client();
        Client::attach(self, memory).expect("attach")
    }

    /// Attaches sockets and timers for tasks.
    ///
    /// # Panics
    /// If that fails.
    pub fn net(&self) -> Net<&Wire> {
        Net::new(
            self.client(),
            Box::leak(Box::new(Storage::<256, 512>::new())),
        )
    }

    /// The time.
    pub fn time(&self) -> Instant {
        Instant::from_nanos(self.world.borrow().now)
    }

    /// Requests since the last look.
    pub fn take_calls(&self) -> Vec<Request> {
        self.calls.take()
    }

    /// How many requests there were since the last look.
    pub fn count_calls(&self) -> usize {
        self.take_calls().len()
    }

    /// The deadlines that the client has asked for since the last look.
    pub fn take_deadlines(&self) -> Vec<Instant> {
        let deadline = |request| match request {
            Request::Poll(poll) => Some(Instant::from_nanos(poll.deadline)),
            _ => None,
        };
        self.take_calls().into_iter().filter_map(deadline).collect()
    }

    /// The next of the calls that nothing is planned for returns this instead of being served. With
    /// [`RESTARTED`] the server restarts within it.
    pub fn lie(&self, label: u64, words: [u64; 4]) {
        self.lies.borrow_mut().push_back(Some((label, words)));
    }

    /// As [`Self::lie`], with an error.
    pub fn refuse(&self, errno: Errno) {
        let (label, words) = reply::encode(Err(errno.into()));
        self.lie(label, words);
    }

    /// The next calls that nothing is planned for are served.
    pub fn serve(&self, calls: usize) {
        let mut lies = self.lies.borrow_mut();
        lies.extend(std::iter::repeat_n(None, calls));
    }

    /// Calls that are planned and not yet made.
    pub fn planned(&self) -> usize {
        self.lies.borrow().len()
    }

    /// The server restarts.
    pub fn restart(&self) {
        self.world.borrow_mut().restart();
    }

    /// Sockets that the client has, as its readiness page shows them.
    pub fn sockets(&self) -> usize {
        let world = self.world.borrow();
        let words = world.clients[0].page_words();
        let (sockets, _) = socket_proto::ready::layout(words.len());
        let words = &words[FIRST_SOCKET..][..sockets];
        let open = |word: &&AtomicU32| word.load(Ordering::Relaxed) != 0;
        words.iter().filter(open).count()
    }

    /// Whether the client was notified since the last look.
    pub fn take_notified(&self) -> bool {
        self.world.borrow_mut().take_notified(0)
    }

    /// The world goes on while the client works, for so many nanoseconds at most.
    pub fn go_on(&self, nanoseconds: u64) {
        let mut world = self.world.borrow_mut();
        let until = world.now + nanoseconds;
        world.step(until);
    }

    /// Goes to the next moment at which something happens, at most 50 ms on. Returns whether the
    /// client was notified.
    pub fn step(&self) -> bool {
        self.go_on(50_000_000);
        self.take_notified()
    }

    /// Goes on until nothing is on the link and nobody has anything to do at once.
    pub fn settle(&self) {
        self.world.borrow_mut().settle();
    }

    /// Lets time pass until `end`.
    pub fn run_until(&self, end: Instant) {
        let mut world = self.world.borrow_mut();
        let left = end.as_nanos().saturating_sub(world.now);
        world.run_for(left);
    }

    /// The test peer connects to a port.
    pub fn connect(&self, port: u16) -> Stream<'_> {
        let handle = self.world.borrow_mut().peer.connect(port);
        self.settle();
        Stream { wire: self, handle }
    }

    /// The test peer takes the next connection to a port.
    pub fn listen(&self, port: u16) -> Stream<'_> {
        let handle = self.world.borrow_mut().peer.listen(port);
        Stream { wire: self, handle }
    }

    /// A datagram of the test peer, from any port.
    pub fn datagram_arrives(&self, port: u16, from: u16, payload: &[u8]) {
        let packet = frames::udp((PEER_IP, from), (SERVER_IP, port), payload);
        let frame = frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &packet);
        self.world.borrow_mut().inject(frame);
    }

    /// Datagrams that the client has sent since the last look, the first of which sees none: the
    /// port that each goes to, and its payload.
    pub fn take_datagrams(&self) -> Vec<(u16, Vec<u8>)> {
        let world = self.world.borrow();
        let frames = world.medium.take_tap();
        world.medium.start_tap();
        let datagram = |frame: &Vec<u8>| {
            let (_, _, datagram) = frames::payload(frame, UDP)?;
            let port = u16::from_be_bytes([datagram[2], datagram[3]]);
            Some((port, datagram[8..].to_vec()))
        };
        frames.iter().filter_map(datagram).collect()
    }
}

impl Transport for &Wire {
    fn call(&self, label: u64, words: [u64; 4]) -> (u64, [u64; 4]) {
        let request = Request::decode(label, words);
        let request = request.expect("the library sends well-formed requests");
        self.calls.borrow_mut().push(request);
        let lie = self.lies.borrow_mut().pop_front().flatten();
        if let Some(lie) = lie {
            if lie.0 == RESTARTED {
                self.restart();
            }
            return lie;
        }
        self.world.borrow_mut().raw_call(0, label, words)
    }

    fn now(&self) -> Instant {
        self.time()
    }
}

/// The test peer's end of a connection. After each of its methods that send something the world
/// has settled.
#[derive(Clone, Copy)]
pub struct Stream<'w> {
    wire: &'w Wire,
    /// Its socket, for [`Peer::tcp`](crate::Peer::tcp).
    pub handle: SocketHandle,
}

impl Stream<'_> {
    fn with<R>(&self, f: impl FnOnce(&mut tcp::Socket<'static>) -> R) -> R {
        f(self.wire.world.borrow_mut().peer.tcp(self.handle))
    }

    /// The test peer's address.
    pub fn addr(&self) -> SocketAddr {
        let port = self.with(|socket| socket.local_endpoint().map_or(0, |end| end.port));
        (PEER_IP, port).into()
    }

    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        self.with(|socket| socket.may_send())
    }

    /// Sends; returns how many bytes there was room for in the test peer.
    pub fn send(&self, bytes: &[u8]) -> usize {
        let count = self.with(|socket| socket.send_slice(bytes).unwrap_or(0));
        self.wire.settle();
        count
    }

    /// Everything that has arrived.
    pub fn recv(&self) -> Vec<u8> {
        let mut received = Vec::new();
        self.with(|socket| {
            while socket.can_recv() {
                let taken = socket.recv(|bytes| {
                    received.extend_from_slice(bytes);
                    (bytes.len(), ())
                });
                taken.expect("recv");
            }
        });
        self.wire.settle();
        received
    }

    /// Whether everything was received, the end of the stream too.
    pub fn saw_end(&self) -> bool {
        self.with(|socket| !socket.may_recv())
    }

    /// Ends the direction towards the client.
    pub fn finish(&self) {
        self.with(tcp::Socket::close);
        self.wire.settle();
    }

    /// Resets the connection.
    pub fn reset(&self) {
        self.with(tcp::Socket::abort);
        self.wire.settle();
    }
}
