// SPDX-License-Identifier: BSD-2-Clause

//! The async side: tasks wait for sockets and times, the PD's event loop wakes them.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::task::{Poll, Waker};
use core::time::Duration;

use embassy_futures::select::{Either, select};
use heapless::Vec;
use socket_proto::{Errno, Family, SocketKind};
use time::Instant;

use crate::timer::{Entry, Timers};
use crate::wakers::{Waiting, Wakers};
use crate::{Client, NetSocket, Socket, Transport};

/// Attempts to set the deadline before a wait. The second is for a server that has restarted
/// meanwhile.
const ASK_ATTEMPTS: usize = 2;

/// Memory for what the tasks of a [`Net`] wait for: sockets, and times, of which a task has one.
/// About 64 bytes for each socket and 24 for each time, in a static:
///
/// ```
/// use socket_client::Storage;
/// use static_cell::StaticCell;
///
/// static STORAGE: StaticCell<Storage<1024, 64>> = StaticCell::new();
/// let storage = STORAGE.init_with(Storage::new);
/// ```
pub struct Storage<const SOCKETS: usize, const TIMERS: usize> {
    waiting: [Waiting; SOCKETS],
    timers: Vec<Entry, TIMERS>,
}

impl<const SOCKETS: usize, const TIMERS: usize> Storage<SOCKETS, TIMERS> {
    /// Nobody waits.
    #[expect(
        clippy::new_without_default,
        reason = "it is too large to be moved about"
    )]
    #[must_use]
    pub const fn new() -> Self {
        Storage {
            waiting: [const { Waiting::NONE }; SOCKETS],
            timers: Vec::new(),
        }
    }
}

/// Sockets and timers for tasks.
///
/// The PD's event loop calls [`Net::run`] for each notification from the server.
///
/// ```
/// # test_world::example(async |net, peer| {
/// use core::time::Duration;
/// use embassy_futures::select::{Either, select};
/// use socket_client::{TcpListener, UdpSocket};
///
/// let listener = TcpListener::bind(net, ([0, 0, 0, 0], 7000).into(), 8)?;
/// let socket = UdpSocket::bind(net, ([0, 0, 0, 0], 7000).into(), 4096)?;
/// # socket.send_to(b"x", peer.echo()).await?;
/// // Whichever comes first, but not for longer than a second.
/// let mut buf = [0; 1500];
/// let first = select(listener.accept(), socket.recv_from(&mut buf));
/// match net.timeout(Duration::from_secs(1), first).await? {
///     Either::First(accepted) => println!("{} has connected", accepted?.1),
///     Either::Second(datagram) => println!("{} bytes have come", datagram?.len),
/// }
/// // A pause.
/// let before = net.now();
/// net.sleep(Duration::from_millis(20)).await?;
/// assert!(net.now() - before >= Duration::from_millis(20));
/// # Ok(())
/// # });
/// ```
///
/// Limits: as many sockets (`EMFILE` beyond) and tasks that wait for a time (`ENOBUFS`) as its
/// [`Storage`] has room for, and 64 tasks that wait for a socket and direction for which another
/// task waits already (`ENOBUFS`). What a notification costs depends on the sockets that have
/// changed, not on how many there are.
pub struct Net<T: Transport> {
    client: Client<T>,
    pub(crate) wakers: Wakers,
    timers: Timers,
    /// Serial number of the readiness page at the last look.
    seen: Cell<Option<u32>>,
    /// The deadline that the server has been asked for and that has not passed;
    /// [`Instant::MAX`] if there is none.
    asked: Cell<Instant>,
}

impl<T: Transport> Net<T> {
    /// Takes over a client. Its sockets, if it has any, can go on being used with the calls of
    /// [`Client`].
    pub fn new<const SOCKETS: usize, const TIMERS: usize>(
        client: Client<T>,
        storage: &'static mut Storage<SOCKETS, TIMERS>,
    ) -> Self {
        Net {
            client,
            wakers: Wakers::new(&mut storage.waiting),
            timers: Timers::new(&mut storage.timers),
            seen: Cell::new(None),
            asked: Cell::new(Instant::MAX),
        }
    }

    /// The calls that do not wait.
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.client.now()
    }

    /// Runs tasks until all of them wait: to be called at the start and for each notification from
    /// the server. `turn` polls each task that is awake once, and returns whether any is awake
    /// after that.
    ///
    /// Sockets and timers are looked at before every turn. So a task that is always awake takes
    /// turns with those whose sockets become ready meanwhile, and `run` does not return as long
    /// as it has work: no notification is needed to go on with it.
    pub fn run(&self, mut turn: impl FnMut() -> bool) {
        loop {
            self.look();
            if !turn() && self.before_wait() {
                return;
            }
        }
    }

    /// Wakes the tasks whose sockets are ready or whose time has come. The readiness page is shared
    /// memory: this makes no call.
    fn look(&self) {
        self.notice_restart();
        self.wake_ready();
        let asked = self.asked.get();
        if asked != Instant::MAX || self.timers.earliest() != Instant::MAX {
            let now = self.now();
            if now >= asked {
                self.asked.set(Instant::MAX);
            }
            self.timers.expire(now);
        }
    }

    /// After a restart of the server all sockets are to be looked at, whatever the page's serial
    /// number, and the deadline is forgotten.
    fn notice_restart(&self) {
        if self.client.check_restart() {
            self.asked.set(Instant::MAX);
            self.seen.set(None);
        }
    }

    /// Looks at the sockets that have changed, and returns whether a task was woken.
    fn wake_ready(&self) -> bool {
        let serial = self.client.ready_serial();
        let bits = |socket| self.client.poll_bits(socket);
        let Some(seen) = self.seen.replace(Some(serial)) else {
            return self.wakers.wake_ready(bits);
        };
        if seen == serial {
            return false;
        }
        let mut any = false;
        let at = |index| any |= self.wakers.wake_ready_at(index, bits);
        match self.client.ready.changes(seen, at) {
            Ok(serial) => {
                self.seen.set(Some(serial));
                any | self.wakers.wake_ready_further(bits)
            }
            Err(_) => self.wakers.wake_ready(bits) | any,
        }
    }

    /// When no task is awake: asks the server for a notification at the earliest deadline. Returns
    /// `false` if tasks have become awake meanwhile.
    fn before_wait(&self) -> bool {
        for _ in 0..ASK_ATTEMPTS {
            // A task's call may have found the server restarted, which concerns all others.
            self.notice_restart();
            // Of what the tasks' own calls have made ready there is no notification.
            if self.wake_ready() {
                return false;
            }
            let earliest = self.timers.earliest();
            if earliest >= self.asked.get() {
                return true;
            }
            if self.client.wake_at(earliest).is_ok() {
                self.asked.set(earliest);
                return true;
            }
        }
        // A server that starts again notifies its clients, which brings this PD back here.
        true
    }

    /// Waits until `deadline`.
    ///
    /// # Errors
    /// `ENOBUFS` if no timer is left.
    pub async fn sleep_until(&self, deadline: Instant) -> Result<(), Errno> {
        poll_fn(|cx| {
            if self.now() >= deadline {
                return Poll::Ready(Ok(()));
            }
            match self.timers.schedule(deadline, cx.waker()) {
                Ok(()) => Poll::Pending,
                Err(errno) => Poll::Ready(Err(errno)),
            }
        })
        .await
    }

    /// Waits for so long, counted from the first poll.
    ///
    /// # Errors
    /// As [`Self::sleep_until`].
    pub async fn sleep(&self, duration: Duration) -> Result<(), Errno> {
        self.sleep_until(self.now() + duration).await
    }

    /// Wakes a task once `deadline` has passed, for time drivers of other libraries. A task that is
    /// to be woken in this way already is woken at the earlier of the times. If no timer is left it
    /// is woken at once, and has to ask again.
    pub fn schedule_wake(&self, deadline: Instant, waker: &Waker) {
        if self.timers.schedule(deadline, waker).is_err() {
            waker.wake_by_ref();
        }
    }

    /// Waits for `future`, but not longer than `duration`. If the future is ready at its
    /// first poll the clock is not read.
    ///
    /// # Errors
    /// `ETIMEDOUT`, `ENOBUFS` if no timer is left; the future is dropped then.
    pub async fn timeout<F: Future>(
        &self,
        duration: Duration,
        future: F,
    ) -> Result<F::Output, Errno> {
        match select(future, self.sleep(duration)).await {
            Either::First(output) => Ok(output),
            Either::Second(slept) => Err(slept.err().unwrap_or(Errno::ETIMEDOUT)),
        }
    }

    /// A new socket that tasks can wait for, of the family of `addr`.
    pub(crate) fn open(
        &self,
        addr: SocketAddr,
        kind: SocketKind,
    ) -> Result<NetSocket<'_, T>, Errno> {
        let family = match addr {
            SocketAddr::V4(_) => Family::Inet,
            SocketAddr::V6(_) => Family::Inet6,
        };
        self.admit(self.client.socket_of(family, kind)?)
    }

    /// Takes a socket. One that the table of wakers has no place for is closed.
    pub(crate) fn admit(&self, socket: Socket) -> Result<NetSocket<'_, T>, Errno> {
        let owned = NetSocket::own(self, socket);
        match self.wakers.admits(socket) {
            true => Ok(owned),
            false => Err(Errno::EMFILE),
        }
    }
}
