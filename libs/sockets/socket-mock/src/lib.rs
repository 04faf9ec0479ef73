// SPDX-License-Identifier: BSD-2-Clause

//! For tests of clients: a network server of a few hundred lines in the same process, which keeps
//! the protocol's promises and has nothing else. Streams are pipes between sockets and test peers
//! ([`Peer`]), datagrams are queues, time is a number. It shows what a client does, call by call,
//! and can be told to restart, or to answer nonsense. [`Tasks`] is the event loop of a PD with
//! async tasks.

mod executor;
mod memory;
mod peers;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::rc::Rc;

use socket_client::{Client, Transport};
use socket_proto::datagram::{DatagramHeader, HEADER_SIZE, stride};
use socket_proto::ready::ReadinessWriter;
use socket_proto::{
    Accepted, Attached, Errno, Failure, Handle, Name, Opened, OptionValue, PollBits, RESTARTED,
    Ready, Received, Record, Reply, Request, Sent, SocketKind, SocketOption, VERSION, WORDS,
    WindowSizes, op, reply,
};

pub use executor::Tasks;
pub use memory::SharedMemory;
pub use peers::{Peer, Pipe};

/// Size of each half of the window in bytes.
pub const HALF: usize = 64 * 1024;
const MAX_SOCKETS: usize = 80;

/// The machine's address.
pub fn addr(port: u16) -> SocketAddr {
    (Ipv4Addr::new(10, 0, 2, 15), port).into()
}

/// An address on the network.
pub fn peer_addr(port: u16) -> SocketAddr {
    (Ipv4Addr::new(10, 0, 2, 2), port).into()
}

/// Both directions of a stream, as one end sees them.
#[derive(Clone)]
pub struct End {
    /// What this end receives.
    pub rx: Rc<RefCell<Pipe>>,
    /// What this end sends.
    pub tx: Rc<RefCell<Pipe>>,
    peer: SocketAddr,
}

/// What a socket is.
pub enum State {
    /// A stream that is not connected.
    Stream,
    /// A listener with the connections that wait.
    Listening(VecDeque<End>),
    /// A connection attempt that has not been answered.
    Connecting,
    /// A connection.
    Connected(End),
    /// A connection attempt that failed.
    Failed(Errno),
    /// A datagram socket.
    Datagram {
        /// What waits to be received.
        received: VecDeque<(SocketAddr, Vec<u8>)>,
    },
}

/// A socket.
pub struct Slot {
    generation: NonZeroU16,
    port: u16,
    /// What it is.
    pub state: State,
}

/// The server, for one client.
pub struct Server {
    /// The window and the readiness page.
    pub memory: SharedMemory,
    writer: ReadinessWriter<'static>,
    /// Sockets by index.
    pub slots: RefCell<BTreeMap<u16, Slot>>,
    last_bits: RefCell<BTreeMap<u16, PollBits>>,
    generation: Cell<u16>,
    epoch: Cell<u32>,
    attached: Cell<bool>,
    /// The time in nanoseconds.
    pub now: Cell<u64>,
    /// When the client wants to be notified.
    pub deadline: Cell<Option<u64>>,
    /// The client has been notified and has not looked yet.
    pub notified: Cell<bool>,
    /// Datagrams that the client sent, with their destination.
    pub sent: RefCell<Vec<(Option<SocketAddr>, Vec<u8>)>>,
    /// Calls since the last look, by label.
    pub calls: RefCell<Vec<u64>>,
    /// Answers the next calls with these words, whatever they were.
    pub lies: RefCell<VecDeque<(u64, [u64; 4])>>,
    /// Restarts in the middle of a call, when so many have been answered.
    pub fail_after: Cell<Option<usize>>,
    /// Bytes that a new stream's pipe holds.
    pub capacity: Cell<usize>,
    /// Datagrams that a call takes at most.
    pub datagrams_taken: Cell<usize>,
    /// Where no datagram can be sent.
    pub unreachable: Cell<Option<SocketAddr>>,
    /// Sockets that the client may have; what it was told at attach does not change with it.
    pub max_sockets: Cell<usize>,
}

impl Server {
    /// A server that runs and knows nobody.
    #[must_use]
    pub fn new() -> Self {
        let memory = SharedMemory::new(HALF);
        let writer = ReadinessWriter::new(memory.ready);
        writer.set_epoch(1);
        Server {
            memory,
            writer,
            slots: RefCell::default(),
            last_bits: RefCell::default(),
            generation: Cell::new(1),
            epoch: Cell::new(1),
            attached: Cell::new(false),
            now: Cell::new(1_000),
            deadline: Cell::new(None),
            notified: Cell::new(false),
            sent: RefCell::default(),
            calls: RefCell::default(),
            lies: RefCell::default(),
            fail_after: Cell::new(None),
            capacity: Cell::new(1000),
            datagrams_taken: Cell::new(usize::MAX),
            unreachable: Cell::new(None),
            max_sockets: Cell::new(MAX_SOCKETS),
        }
    }

    /// Attaches a client.
    ///
    /// # Panics
    /// If that fails.
    pub fn client(&self) -> Client<&Server> {
        Client::attach(self, self.memory.client()).unwrap()
    }

    /// A new life: nothing is known any more. The client is notified, as the real server does.
    pub fn restart(&self) {
        self.slots.borrow_mut().clear();
        self.last_bits.borrow_mut().clear();
        for index in 0..self.max_sockets.get() {
            self.writer.clear(index);
        }
        self.epoch.set(self.epoch.get() + 1);
        self.writer.set_epoch(self.epoch.get());
        self.attached.set(false);
        self.deadline.set(None);
        self.notified.set(true);
    }

    /// How many calls have been made since the last question.
    pub fn count_calls(&self) -> usize {
        self.calls.take().len()
    }

    /// Writes the readiness page; notifies if a bit has been raised.
    pub fn publish(&self) {
        if self.refresh() {
            self.notified.set(true);
        }
    }

    /// Writes the readiness page, and answers whether a bit has been raised.
    fn refresh(&self) -> bool {
        let mut last = self.last_bits.borrow_mut();
        let mut raised = false;
        let mut changed = false;
        for (&index, slot) in self.slots.borrow().iter() {
            let bits = slot.bits();
            let before = last.insert(index, bits).unwrap_or_default();
            raised |= !(bits & !before).is_empty();
            changed |= bits != before;
            self.writer.set(Handle::new(index, slot.generation), bits);
        }
        if changed {
            self.writer.bump_serial();
        }
        raised
    }

    fn insert(&self, state: State, port: u16) -> Result<Handle, Errno> {
        let mut slots = self.slots.borrow_mut();
        let index = (0..self.max_sockets.get() as u16)
            .find(|index| !slots.contains_key(index))
            .ok_or(Errno::EMFILE)?;
        self.generation
            .set(self.generation.get().wrapping_add(1).max(1));
        let generation = NonZeroU16::new(self.generation.get()).unwrap();
        let slot = Slot {
            generation,
            port,
            state,
        };
        slots.insert(index, slot);
        self.last_bits.borrow_mut().remove(&index);
        Ok(Handle::new(index, generation))
    }

    fn with<R>(
        &self,
        handle: Handle,
        f: impl FnOnce(&mut Slot) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let mut slots = self.slots.borrow_mut();
        match slots.get_mut(&(handle.index() as u16)) {
            Some(slot) if slot.generation == handle.generation() => f(slot),
            _ => Err(Errno::EBADF),
        }
    }

    fn serve(&self, request: Request) -> Reply {
        if let Request::Attach(_) = request {
            self.slots.borrow_mut().clear();
            (0..self.max_sockets.get()).for_each(|index| self.writer.clear(index));
            self.attached.set(true);
            return Ok(Attached {
                version: VERSION,
                window: WindowSizes {
                    c2s: HALF as u32,
                    s2c: HALF as u32,
                },
                sockets: MAX_SOCKETS as u64,
                epoch: self.epoch.get(),
            }
            .encode());
        }
        if !self.attached.get() {
            return Err(Failure::Restarted);
        }
        self.operate(request).map_err(Failure::Errno)
    }

    fn operate(&self, request: Request) -> Result<[u64; WORDS], Errno> {
        let none = ().encode();
        Ok(match request {
            Request::Attach(_) => unreachable!("handled before"),
            Request::Socket(op::Socket { kind, .. }) => {
                let state = match kind {
                    SocketKind::Stream => State::Stream,
                    SocketKind::Datagram => State::Datagram {
                        received: VecDeque::new(),
                    },
                };
                let socket = self.insert(state, 0)?;
                Opened { socket }.encode()
            }
            Request::Bind(op::Bind { socket, addr }) => self.with(socket, |slot| {
                slot.port = addr.port();
                Ok(none)
            })?,
            Request::Listen(op::Listen { socket, .. }) => self.with(socket, |slot| {
                slot.state = State::Listening(VecDeque::new());
                Ok(none)
            })?,
            Request::Accept(op::Accept { socket }) => {
                let (end, port) = self.with(socket, |slot| match &mut slot.state {
                    State::Listening(queue) => {
                        Ok((queue.pop_front().ok_or(Errno::EAGAIN)?, slot.port))
                    }
                    _ => Err(Errno::EINVAL),
                })?;
                let peer = end.peer;
                let socket = self.insert(State::Connected(end), port)?;
                Accepted { socket, peer }.encode()
            }
            Request::Connect(op::Connect { socket, .. }) => {
                self.with(socket, |slot| match &slot.state {
                    State::Stream => {
                        slot.state = State::Connecting;
                        Err(Errno::EINPROGRESS)
                    }
                    State::Connecting => Err(Errno::EALREADY),
                    _ => Err(Errno::EISCONN),
                })?
            }
            Request::Send(op::Send { socket, span, .. }) => {
                let bytes = self.memory.read(span);
                self.with(socket, |slot| match &mut slot.state {
                    State::Connected(end) => end.tx.borrow_mut().send(&bytes),
                    State::Datagram { .. } => self.send_datagrams(&bytes),
                    _ => Err(Errno::ENOTCONN),
                })?
                .encode()
            }
            Request::Recv(op::Recv { socket, span, .. }) => {
                let (bytes, datagrams) = self.with(socket, |slot| match &mut slot.state {
                    State::Connected(end) => {
                        let bytes = end.rx.borrow_mut().recv(span.length as usize)?;
                        Ok((bytes, 0))
                    }
                    State::Datagram { received } => take_datagrams(received, span.length as usize),
                    _ => Err(Errno::ENOTCONN),
                })?;
                self.memory.write(span, &bytes);
                let bytes = bytes.len() as u64;
                Received { bytes, datagrams }.encode()
            }
            Request::Shutdown(op::Shutdown { socket, how }) => {
                self.with(socket, |slot| match &slot.state {
                    State::Connected(end) => {
                        if how.write() {
                            end.tx.borrow_mut().fin = true;
                        }
                        Ok(none)
                    }
                    _ => Err(Errno::ENOTCONN),
                })?
            }
            Request::Close(op::Close { socket }) => {
                self.with(socket, |slot| {
                    if let State::Connected(end) = &slot.state {
                        end.tx.borrow_mut().fin = true;
                    }
                    Ok(())
                })?;
                self.slots.borrow_mut().remove(&(socket.index() as u16));
                self.writer.clear(socket.index());
                none
            }
            Request::SockName(op::SockName { socket }) => {
                let address = self.with(socket, |slot| Ok(addr(slot.port)))?;
                Name { address }.encode()
            }
            Request::PeerName(op::PeerName { socket }) => {
                let address = self.with(socket, |slot| match &slot.state {
                    State::Connected(end) => Ok(end.peer),
                    _ => Err(Errno::ENOTCONN),
                })?;
                Name { address }.encode()
            }
            Request::GetOption(op::GetOption { socket, option }) => {
                let value = self.with(socket, |slot| match (option, &slot.state) {
                    (SocketOption::Type, _) => Ok(1),
                    (SocketOption::Error, State::Failed(errno)) => Ok(errno.raw().into()),
                    (SocketOption::Error, _) => Ok(0),
                })?;
                OptionValue::new(value).encode()
            }
            Request::Poll(op::Poll { deadline, .. }) => {
                if deadline != 0 {
                    let earliest = self.deadline.get().map_or(deadline, |d| d.min(deadline));
                    self.deadline.set(Some(earliest));
                }
                let bits = PollBits::NONE;
                Ready { bits }.encode()
            }
        })
    }

    fn send_datagrams(&self, mut bytes: &[u8]) -> Result<Sent, Errno> {
        let mut count = 0;
        while bytes.len() >= HEADER_SIZE && (count as usize) < self.datagrams_taken.get() {
            let header = DatagramHeader::from_bytes(bytes[..HEADER_SIZE].try_into().unwrap());
            let to = header.peer()?;
            if to.is_some() && to == self.unreachable.get() {
                if count == 0 {
                    return Err(Errno::EACCES);
                }
                break;
            }
            let end = HEADER_SIZE + usize::from(header.length);
            self.sent
                .borrow_mut()
                .push((to, bytes[HEADER_SIZE..end].to_vec()));
            bytes = &bytes[stride(header.length.into()).min(bytes.len())..];
            count += 1;
        }
        Ok(Sent { count, room: 0 })
    }
}

/// As many datagrams as fit, each padded, the first one cut off if it does not.
fn take_datagrams(
    received: &mut VecDeque<(SocketAddr, Vec<u8>)>,
    max: usize,
) -> Result<(Vec<u8>, u64), Errno> {
    let mut bytes = Vec::new();
    let mut count = 0;
    while let Some((from, payload)) = received.front() {
        let room = max.saturating_sub(bytes.len() + HEADER_SIZE);
        if payload.len() > room && count > 0 {
            break;
        }
        let taken = payload.len().min(room);
        let header = DatagramHeader::incoming(taken as u16, payload.len() as u16, *from);
        bytes.extend(header.to_bytes());
        bytes.extend(&payload[..taken]);
        bytes.resize(bytes.len().next_multiple_of(8).min(max), 0);
        received.pop_front();
        count += 1;
    }
    if count == 0 {
        return Err(Errno::EAGAIN);
    }
    Ok((bytes, count))
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Server {
    fn call(&self, label: u64, words: [u64; 4]) -> (u64, [u64; 4]) {
        self.calls.borrow_mut().push(label);
        if let Some(lie) = self.lies.borrow_mut().pop_front() {
            if lie.0 == RESTARTED {
                self.restart();
            }
            return lie;
        }
        if let Some(left) = self.fail_after.get() {
            self.fail_after.set(left.checked_sub(1));
            if left == 0 {
                self.restart();
                return (RESTARTED, [0; 4]);
            }
        }
        let request =
            Request::decode(label, words).expect("the library sends well-formed requests");
        let reply = self.serve(request);
        // As the real server: no notification of what the client brought about itself.
        self.refresh();
        reply::encode(reply)
    }

    fn now(&self) -> u64 {
        self.now.get()
    }
}
