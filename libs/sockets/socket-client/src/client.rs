// SPDX-License-Identifier: BSD-2-Clause

//! The connection to the server: attaching, calling, and noticing a restart.

use core::cell::{Cell, RefCell};

use shm::{ExclusiveBytes, ReadWindow};
use socket_proto::ready::ReadinessReader;
use socket_proto::{Call, Errno, Failure, Handle, PollBits, VERSION, WindowSizes, op, reply};
use time::Instant;

use crate::area::Areas;
use crate::{Memory, Transport};

/// Attempts to attach before giving up: a server that restarts again and again must not keep its
/// clients in a loop.
const ATTACH_ATTEMPTS: usize = 3;

/// The least size of each half of the window, in bytes. Without scratch space a `recv` of nothing
/// would look like the end of a stream.
const MIN_HALF: u32 = 4096;

/// What [`Client::poll_bits`] returns for a socket that went with an earlier life of the server.
const RESET: PollBits = PollBits::IN
    .union(PollBits::OUT)
    .union(PollBits::ERR)
    .union(PollBits::HUP);

/// Names a socket. It is a plain value, like a file descriptor: it is given back with
/// [`Client::close`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Socket {
    pub(crate) handle: Handle,
    /// The attachment that it belongs to.
    life: u32,
}

impl Socket {
    /// A small number that no other open socket of this client has; it can index a table.
    pub fn index(self) -> usize {
        self.handle.index()
    }
}

/// A client of the network server, with non-blocking calls.
///
/// One PD has one `Client`. Every method takes `&self`, so that several users can share it within
/// the PD's single thread. In a PD, `pd_net::attach` makes it.
///
/// This is an echo of one connection without tasks. Its `notified` belongs into the method of that
/// name of the PD's `Handler`, and is called once before the PD waits. What the socket does not
/// take is lost here; `libs/apps/echo-service` receives no more than [`Sent::room`](crate::Sent).
///
/// ```
/// # let wire = test_world::Wire::simple();
/// # let client = wire.client();
/// use socket_client::{Client, Errno, Socket, SocketKind, Transport};
///
/// fn open<T: Transport>(client: &Client<T>) -> Result<Socket, Errno> {
///     let listener = client.socket(SocketKind::Stream)?;
///     client.bind(listener, ([0, 0, 0, 0], 7000).into())?;
///     client.listen(listener, 8)?;
///     Ok(listener)
/// }
///
/// struct Echo<T: Transport> {
///     client: Client<T>,
///     listener: Socket,
///     stream: Option<Socket>,
/// }
///
/// impl<T: Transport> Echo<T> {
///     /// Goes on until nothing can be done at once, which is `EAGAIN`.
///     fn notified(&mut self) {
///         loop {
///             if self.client.check_restart() {
///                 // Every socket has gone with the server's earlier life.
///                 self.stream = None;
///                 self.listener = open(&self.client).expect("the port is ours");
///             }
///             let serial = self.client.ready_serial();
///             let ended = match self.step() {
///                 Ok(0) => true,
///                 Ok(_) => false,
///                 // What the calls above have made ready brings no notification.
///                 Err(Errno::EAGAIN) if serial == self.client.ready_serial() => return,
///                 Err(Errno::EAGAIN) => false,
///                 Err(_) => true,
///             };
///             if let Some(stream) = self.stream.take_if(|_| ended) {
///                 let _ = self.client.close(stream);
///             }
///         }
///     }
///
///     /// Returns the number of bytes that were echoed; 0 at the end of the stream.
///     fn step(&mut self) -> Result<usize, Errno> {
///         let stream = match self.stream {
///             Some(stream) => stream,
///             None => *self.stream.insert(self.client.accept(self.listener)?.0),
///         };
///         let received = self.client.recv_in_place(stream, 512)?;
///         Ok(self.client.send_span(stream, received)?.count)
///     }
/// }
/// # let listener = open(&client).unwrap();
/// # let mut echo = Echo { client, listener, stream: None };
/// # echo.notified();
/// # let peer = wire.connect(7000);
/// # peer.send(b"hello");
/// # echo.notified();
/// # wire.settle();
/// # assert_eq!(peer.recv(), b"hello");
/// # wire.restart();
/// # echo.notified();
/// # assert!(wire.connect(7000).is_connected());
/// ```
pub struct Client<T: Transport> {
    pub(crate) transport: T,
    pub(crate) c2s: RefCell<ExclusiveBytes>,
    pub(crate) s2c: ReadWindow,
    pub(crate) c2s_areas: Areas,
    pub(crate) s2c_areas: Areas,
    pub(crate) sizes: WindowSizes,
    pub(crate) ready: ReadinessReader<'static>,
    /// Counts attachments. Sockets of earlier ones are gone.
    life: Cell<u32>,
    /// The attachment that [`Client::check_restart`] has reported.
    told: Cell<u32>,
    /// The server's epoch at the last attachment; `None` if that failed.
    epoch: Cell<Option<u32>>,
    /// The epoch of the server that has no place for this client.
    no_place_since: Cell<Option<u32>>,
}

impl<T: Transport> Client<T> {
    /// Attaches to the server. Sockets that an earlier life of this PD had are closed by that.
    ///
    /// # Errors
    /// `EPROTO` if the server speaks another version or sees a window of another size, `EINVAL` if
    /// a half of the window is smaller than 4 KiB or larger than 4 GiB.
    pub fn attach(transport: T, memory: Memory) -> Result<Self, Errno> {
        let size = |len: usize| match u32::try_from(len) {
            Ok(len) if len >= MIN_HALF => Ok(len),
            _ => Err(Errno::EINVAL),
        };
        let sizes = WindowSizes {
            c2s: size(memory.c2s.len())?,
            s2c: size(memory.s2c.len())?,
        };
        let client = Client {
            transport,
            c2s_areas: Areas::new(memory.c2s.len()),
            s2c_areas: Areas::new(memory.s2c.len()),
            c2s: RefCell::new(memory.c2s),
            s2c: memory.s2c,
            sizes,
            ready: ReadinessReader::new(memory.ready),
            life: Cell::new(0),
            told: Cell::new(0),
            epoch: Cell::new(None),
            no_place_since: Cell::new(None),
        };
        client.attach_again()?;
        client.told.set(client.life.get());
        Ok(client)
    }

    /// The way to the server.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.transport.now()
    }

    /// Looks whether the server has restarted, and attaches again if so. Worth a call at each
    /// notification and before waiting: it costs none to the server as long as nothing has
    /// happened.
    ///
    /// Returns whether every socket from before is gone, once for each time that this has happened:
    /// also when it was another call that found the server restarted and has attached again.
    pub fn check_restart(&self) -> bool {
        if self.epoch.get() != Some(self.ready.epoch()) {
            // If it fails the next call of `socket` tries again.
            let _ = self.attach_again();
        }
        self.told.replace(self.life.get()) != self.life.get()
    }

    /// How often this client has attached, modulo 2^32. Each time all earlier sockets are gone.
    pub fn attachments(&self) -> u32 {
        self.life.get()
    }

    /// The serial number of the readiness page: unchanged means that no socket has become ready
    /// since. A client looks at it before it waits, because the server does not notify a client
    /// of what the client's own calls have made ready.
    pub fn ready_serial(&self) -> u32 {
        self.ready.serial()
    }

    /// A socket's readiness, from the page: no call.
    pub fn poll_bits(&self, socket: Socket) -> PollBits {
        if socket.life != self.life.get() || self.epoch.get() != Some(self.ready.epoch()) {
            RESET
        } else {
            self.ready.bits(socket.handle)
        }
    }

    pub(crate) fn adopt(&self, handle: Handle) -> Socket {
        Socket {
            handle,
            life: self.life.get(),
        }
    }

    pub(crate) fn is_current(&self, socket: Socket) -> bool {
        socket.life == self.life.get()
    }

    /// The handle of a socket that has not gone with an earlier life of the server.
    pub(crate) fn handle(&self, socket: Socket) -> Result<Handle, Errno> {
        match self.is_current(socket) {
            true => Ok(socket.handle),
            false => Err(Errno::ECONNRESET),
        }
    }

    /// A call about a socket.
    pub(crate) fn on<C: Call>(
        &self,
        socket: Socket,
        request: impl FnOnce(Handle) -> C,
    ) -> Result<C::Reply, Errno> {
        self.call(request(self.handle(socket)?))
    }

    /// A call; a restarted server is attached to again, and the call fails with `ECONNRESET`.
    pub(crate) fn call<C: Call>(&self, request: C) -> Result<C::Reply, Errno> {
        self.exchange(request).map_err(|failure| match failure {
            Failure::Errno(errno) => errno,
            Failure::Restarted => self.attach_again().err().unwrap_or(Errno::ECONNRESET),
            Failure::NoPlace => self.no_place(),
        })
    }

    /// A call that names no socket, so that it can simply be made again after a restart.
    pub(crate) fn call_again_if_restarted<C: Call>(&self, request: C) -> Result<C::Reply, Errno> {
        if self.epoch.get().is_none() {
            self.attach_again()?;
        }
        let life = self.life.get();
        match self.call(request) {
            Err(Errno::ECONNRESET) if self.life.get() != life => self.call(request),
            result => result,
        }
    }

    fn exchange<C: Call>(&self, request: C) -> Result<C::Reply, Failure> {
        let (label, words) = self.transport.call(C::OPERATION.raw(), request.encode());
        reply::decode(label, words)
    }

    fn attach_again(&self) -> Result<(), Errno> {
        if self.no_place_since.get() == Some(self.ready.epoch()) {
            return Err(Errno::ENXIO);
        }
        self.life.set(self.life.get().wrapping_add(1));
        self.epoch.set(None);
        for _ in 0..ATTACH_ATTEMPTS {
            match self.exchange(op::Attach { version: VERSION }) {
                Ok(server) if server.version == VERSION && server.window == self.sizes => {
                    self.no_place_since.set(None);
                    self.epoch.set(Some(server.epoch));
                    return Ok(());
                }
                Ok(_) => break,
                Err(Failure::Errno(errno)) => return Err(errno),
                Err(Failure::NoPlace) => return Err(self.no_place()),
                Err(Failure::Restarted) => {}
            }
        }
        Err(Errno::EPROTO)
    }

    /// This life of the server has no place for the client: it is not asked again.
    fn no_place(&self) -> Errno {
        self.epoch.set(None);
        self.no_place_since.set(Some(self.ready.epoch()));
        Errno::ENXIO
    }
}
