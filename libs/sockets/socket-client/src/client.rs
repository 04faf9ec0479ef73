// SPDX-License-Identifier: BSD-2-Clause

//! The connection to the server: attaching, calling, and noticing a restart.

use core::cell::{Cell, RefCell};

use shm::{ExclusiveBytes, ReadWindow};
use socket_proto::ready::ReadinessReader;
use socket_proto::{
    Attached, Call, Errno, Failure, Handle, PollBits, VERSION, WindowSizes, op, reply,
};
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
const RESET: PollBits = PollBits::from_raw(
    (PollBits::IN.raw() | PollBits::OUT.raw() | PollBits::ERR.raw() | PollBits::HUP.raw()) as u64,
);

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
/// the PD's single thread.
pub struct Client<T: Transport> {
    pub(crate) transport: T,
    pub(crate) c2s: RefCell<ExclusiveBytes>,
    pub(crate) s2c: ReadWindow,
    pub(crate) c2s_areas: Areas,
    pub(crate) s2c_areas: Areas,
    pub(crate) sizes: WindowSizes,
    ready: ReadinessReader<'static>,
    /// Counts attachments. Sockets of earlier ones are gone.
    life: Cell<u32>,
    /// The attachment that [`Client::check_restart`] has told of.
    told: Cell<u32>,
    /// The server's epoch at the last attachment; `None` if that failed.
    epoch: Cell<Option<u32>>,
    /// The epoch of the server that has no place for this client.
    no_place_since: Cell<Option<u32>>,
    max_sockets: Cell<usize>,
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
            max_sockets: Cell::new(0),
        };
        client.attach_again()?;
        client.told.set(client.life.get());
        Ok(client)
    }

    /// The most sockets that the server lets this client have at once.
    pub fn max_sockets(&self) -> usize {
        self.max_sockets.get()
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

    /// The serial number of the readiness page: unchanged means that no socket has become ready
    /// since. A client looks at it before it waits, because the server does not notify a client
    /// of what the client's own calls have made ready.
    pub fn ready_serial(&self) -> u32 {
        self.ready.serial()
    }

    /// Calls `changed` with the index of each socket that has become ready or has ended since the
    /// serial was `since`; some may come several times. Returns the serial to go on from.
    ///
    /// # Errors
    /// There were too many changes: look at all sockets, and go on from this serial.
    pub fn ready_changes(&self, since: u32, changed: impl FnMut(usize)) -> Result<u32, u32> {
        self.ready.changes(since, changed)
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

    /// A call about a socket.
    pub(crate) fn on<C: Call>(
        &self,
        socket: Socket,
        request: impl FnOnce(Handle) -> C,
    ) -> Result<C::Reply, Errno> {
        if !self.is_current(socket) {
            return Err(Errno::ECONNRESET);
        }
        self.call(request(socket.handle))
    }

    /// A call; a restarted server is attached to again, and the call fails with `ECONNRESET`.
    pub(crate) fn call<C: Call>(&self, request: C) -> Result<C::Reply, Errno> {
        self.exchange(request).map_err(|failure| match failure {
            Failure::Errno(errno) => errno,
            Failure::Restarted => match self.attach_again() {
                Ok(()) => Errno::ECONNRESET,
                Err(errno) => errno,
            },
            Failure::NoPlace => self.no_place(),
        })
    }

    /// A call that names no socket, so that it can simply be made again after a restart.
    pub(crate) fn call_again_if_restarted<C: Call>(&self, request: C) -> Result<C::Reply, Errno> {
        if self.epoch.get().is_none() {
            self.attach_again()?;
        }
        match self.exchange(request) {
            Err(Failure::Restarted) => {
                self.attach_again()?;
                self.call(request)
            }
            Err(Failure::Errno(errno)) => Err(errno),
            Err(Failure::NoPlace) => Err(self.no_place()),
            Ok(reply) => Ok(reply),
        }
    }

    fn exchange<C: Call>(&self, request: C) -> Result<C::Reply, Failure> {
        let (label, words) = (C::OPERATION.label(), request.encode());
        let (label, words) = self.transport.call(label, words);
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
                Ok(attached) => return self.attached(attached),
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

    fn attached(&self, attached: Attached) -> Result<(), Errno> {
        if attached.version != VERSION || attached.window != self.sizes {
            return Err(Errno::EPROTO);
        }
        self.no_place_since.set(None);
        self.epoch.set(Some(attached.epoch));
        self.max_sockets
            .set(usize::try_from(attached.sockets).unwrap_or(usize::MAX));
        Ok(())
    }
}
