// SPDX-License-Identifier: BSD-2-Clause

//! A server on a TCP port: one task accepts, many serve a connection each.
//!
//! A connection is accepted only when a worker is idle, so that connections too many wait in the
//! network server's backlog. While one waits there, connections make room for it: [`Places`] says
//! which, and a client that asks again and again has its turn and then makes room by itself
//! ([`Guest::requested`]). And nobody keeps a worker waiting for ever: a connection that does not
//! move a KiB a second is ended after 30 s.

use core::array::from_fn;
use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::future::poll_fn;
use core::net::{Ipv6Addr, SocketAddr};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use embassy_futures::join::join_array;
use embassy_futures::select::{Either, Either3, select, select3};
use embassy_futures::yield_now;
use heapless::Vec;
use socket_proto::{Errno, PollBits};
use time::Instant;

use crate::places::worth;
use crate::{Net, Places, Sent, TcpListener, TcpStream, Transport};

/// How long a connection may keep its worker waiting, and again after each request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that are worth a second more of it.
const LEAST_RATE: u64 = 1024;
/// How long a connection is kept from request to request while others wait.
const TURN: Duration = Duration::from_secs(1);
/// How long to wait when the port cannot be opened or no socket is left.
const RETRY: Duration = Duration::from_millis(100);

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served<R> {
    /// It was served.
    Done(R),
    /// It kept its worker waiting while another connection waited for a place.
    Displaced,
    /// It kept its worker waiting for too long.
    TooSlow,
}

struct State<'n, T: Transport, const WORKERS: usize> {
    places: Places<WORKERS>,
    /// Wakers of those that serve, by place.
    serving: [Option<Waker>; WORKERS],
    /// Accepted, with their places, and not yet taken by the workers that were woken for them.
    given: Vec<(TcpStream<'n, T>, usize), WORKERS>,
    /// Workers that wait.
    idle: Vec<Waker, WORKERS>,
    workers: usize,
    /// The accepting task, if it waits for a worker.
    acceptor: Option<Waker>,
}

/// Where the tasks meet: one that calls [`Service::accept`], and `WORKERS` that call
/// [`Service::work`].
///
/// ```
/// # test_world::example_of_server(7000, b"Hello!\nyes", async |net| {
/// use embassy_futures::join::join3;
/// use socket_client::{Errno, Guest, Served, Service, Transport};
///
/// async fn greet<T: Transport>(guest: &Guest<'_, '_, T, 2>) -> Result<(), Errno> {
///     guest.write_all(b"Hello!\n").await?;
///     let mut buf = [0; 512];
///     let count = guest.read(&mut buf).await?;
///     guest.write_all(&buf[..count]).await
/// }
///
/// let service = Service::<_, 2>::new(net);
/// let accept = service.accept(([0, 0, 0, 0], 7000).into(), 8, |accepted| match accepted {
///     Ok(peer) => println!("{peer} has connected"),
///     Err(errno) => println!("{errno}"),
/// });
/// let ended = |served| match served {
///     Served::Done(Ok(())) => println!("served"),
///     Served::Done(Err(errno)) => println!("{errno}"),
///     Served::Displaced | Served::TooSlow => println!("sent away"),
/// };
/// // In a PD each of them is a task of its own.
/// let workers = [(); 2].map(|()| service.work(async |guest| greet(guest).await, ended));
/// let [first, second] = workers;
/// join3(accept, first, second).await;
/// # });
/// ```
pub struct Service<'n, T: Transport, const WORKERS: usize> {
    net: &'n Net<T>,
    state: RefCell<State<'n, T, WORKERS>>,
    /// A connection waits, and no worker is idle.
    pressed: Cell<bool>,
}

impl<'n, T: Transport, const WORKERS: usize> Service<'n, T, WORKERS> {
    /// Nobody is there yet.
    pub const fn new(net: &'n Net<T>) -> Self {
        Service {
            net,
            state: RefCell::new(State {
                places: Places::new(),
                serving: [const { None }; WORKERS],
                given: Vec::new(),
                idle: Vec::new(),
                workers: 0,
                acceptor: None,
            }),
            pressed: Cell::new(false),
        }
    }

    /// The sockets and timers that it uses.
    pub fn net(&self) -> &'n Net<T> {
        self.net
    }

    /// Accepts connections at `addr`, for good: one task's work. After a restart of the network
    /// server it listens again. `report` hears of each connection, and why none can be had.
    pub async fn accept(
        &self,
        addr: SocketAddr,
        backlog: usize,
        mut report: impl FnMut(Result<SocketAddr, Errno>),
    ) -> Infallible {
        loop {
            let Err(error) = self.accept_at(addr, backlog, &mut report).await;
            report(Err(error));
            self.pause().await;
        }
    }

    async fn accept_at(
        &self,
        addr: SocketAddr,
        backlog: usize,
        report: &mut impl FnMut(Result<SocketAddr, Errno>),
    ) -> Result<Infallible, Errno> {
        let listener = TcpListener::bind(self.net, addr, backlog)?;
        loop {
            self.place(&listener).await?;
            match listener.accept().await {
                Ok((stream, peer)) => {
                    report(Ok(peer));
                    self.give(stream, peer);
                }
                Err(error) if matches!(error, Errno::EMFILE | Errno::ENFILE) => {
                    report(Err(error));
                    self.pause().await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Without a free timer it is at least a turn of the others.
    async fn pause(&self) {
        if self.net.sleep(RETRY).await.is_err() {
            yield_now().await;
        }
    }

    /// Waits until a worker is idle; if a connection waits, others are asked to make room for it.
    async fn place(&self, listener: &TcpListener<'n, T>) -> Result<(), Errno> {
        loop {
            if let Either::First(()) = select(self.worker_is_idle(), listener.readable()).await {
                self.pressed.set(false);
                return Ok(());
            }
            if listener.poll_bits().intersects(PollBits::ERR) {
                // Nobody waits: accepting says what it is.
                return Ok(());
            }
            self.pressed.set(true);
            let room = self.state.borrow_mut().places.make_room(self.net.now());
            match room {
                Ok(place) => {
                    let waker = self.state.borrow_mut().serving[place].take();
                    waker.into_iter().for_each(Waker::wake);
                    self.worker_is_idle().await;
                }
                Err(next) => {
                    let sleep = self.net.sleep_until(next);
                    if let Either::Second(slept) = select(self.worker_is_idle(), sleep).await {
                        slept?;
                    }
                }
            }
        }
    }

    async fn worker_is_idle(&self) {
        poll_fn(|cx| {
            let mut state = self.state.borrow_mut();
            if state.idle.is_empty() {
                state.acceptor = Some(cx.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }

    /// Gives a connection to the worker that was busy last. Closes it if none is idle, which only
    /// an error of the listener leads to.
    fn give(&self, stream: TcpStream<'n, T>, peer: SocketAddr) {
        let now = self.net.now();
        let mut state = self.state.borrow_mut();
        let Some(worker) = state.idle.pop() else {
            drop(state);
            return;
        };
        let refused = match state.places.enter(peer, now) {
            Some(place) => state.given.push((stream, place)).err(),
            None => Some((stream, WORKERS)),
        };
        drop(state);
        drop(refused);
        worker.wake();
    }

    /// Serves one connection after the other, for good: the work of each of the `WORKERS` tasks.
    /// `ended` hears how each came to its end.
    ///
    /// # Errors
    /// `ENOBUFS`: there are more workers than places.
    pub async fn work<R>(
        &self,
        mut serve: impl AsyncFnMut(&Guest<'_, 'n, T, WORKERS>) -> R,
        mut ended: impl FnMut(Served<R>),
    ) -> Result<Infallible, Errno> {
        {
            let mut state = self.state.borrow_mut();
            if state.workers == WORKERS {
                return Err(Errno::ENOBUFS);
            }
            state.workers += 1;
        }
        loop {
            let guest = poll_fn(|cx| self.poll_take(cx)).await;
            let ends = select3(guest.is_displaced(), serve(&guest), guest.exceeds_limit());
            let served = match ends.await {
                Either3::First(()) => Served::Displaced,
                Either3::Second(result) => Served::Done(result),
                Either3::Third(()) => Served::TooSlow,
            };
            drop(guest);
            ended(served);
        }
    }

    fn poll_take<'s>(&'s self, cx: &mut Context<'_>) -> Poll<Guest<'s, 'n, T, WORKERS>> {
        let mut state = self.state.borrow_mut();
        if let Some((stream, place)) = state.given.pop() {
            let now = self.net.now();
            return Poll::Ready(Guest {
                service: self,
                stream,
                place,
                entered: now,
                limit: Cell::new(now + PATIENCE),
            });
        }
        if !state.idle.iter().any(|waker| waker.will_wake(cx.waker())) {
            // There is room: one entry for each of the workers, which are counted.
            let _ = state.idle.push(cx.waker().clone());
        }
        let acceptor = state.acceptor.take();
        drop(state);
        acceptor.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

impl<T: Transport> Net<T> {
    /// Serves connections to a TCP port of every address, for good: up to `WORKERS` at once, each
    /// by a call of `serve`. Who keeps a place when more come is described at [`Places`]; after a
    /// restart of the network server it listens again.
    ///
    /// All of it is one task, whose future holds `WORKERS` futures of `serve` and which looks at
    /// each of them when it is awake. A service with many workers, or one that counts what happens,
    /// is better made of a [`Service`].
    ///
    /// ```
    /// # test_world::example_of_server(7000, b"Hello!\nyes", async |net| {
    /// net.serve::<8>(7000, async |guest| {
    ///     guest.write_all(b"Hello!\n").await?;
    ///     let mut buf = [0; 512];
    ///     loop {
    ///         let count = guest.read(&mut buf).await?;
    ///         // When others wait, each guest has its turn.
    ///         if count == 0 || !guest.requested() {
    ///             return Ok(());
    ///         }
    ///         guest.write_all(&buf[..count]).await?;
    ///     }
    /// })
    /// .await;
    /// # });
    /// ```
    pub async fn serve<const WORKERS: usize>(
        &self,
        port: u16,
        serve: impl AsyncFn(&Guest<'_, '_, T, WORKERS>) -> Result<(), Errno>,
    ) -> Infallible {
        let service = Service::new(self);
        let address = (Ipv6Addr::UNSPECIFIED, port).into();
        let accept = service.accept(address, WORKERS, |_| {});
        let workers = from_fn(|_| service.work(&serve, |_| {}));
        match select(accept, join_array::<_, WORKERS>(workers)).await {
            Either::First(never) => never,
            // As many workers as places: none of them ends.
            Either::Second(_) => core::future::pending().await,
        }
    }
}

/// A connection that has a place in a service. Dropping it closes it.
pub struct Guest<'s, 'n, T: Transport, const WORKERS: usize> {
    service: &'s Service<'n, T, WORKERS>,
    stream: TcpStream<'n, T>,
    place: usize,
    entered: Instant,
    /// When it is ended whether others wait or not.
    limit: Cell<Instant>,
}

impl<'n, T: Transport, const WORKERS: usize> Guest<'_, 'n, T, WORKERS> {
    /// The connection. What is read and written there does not count for keeping the place.
    pub fn stream(&self) -> &TcpStream<'n, T> {
        &self.stream
    }

    fn moved(&self, bytes: usize) {
        let now = self.service.net.now();
        let most = now + PATIENCE;
        let limit = self.limit.get() + worth(bytes, LEAST_RATE);
        self.limit.set(limit.min(most));
        let mut state = self.service.state.borrow_mut();
        state.places.moved(self.place, bytes, now);
    }

    /// To be called for each request that has come as a whole. Returns whether the connection may
    /// go on after the response: not if others wait and it has had its turn.
    pub fn requested(&self) -> bool {
        let now = self.service.net.now();
        self.limit.set(now + PATIENCE);
        let mut state = self.service.state.borrow_mut();
        state.places.requested(self.place, now);
        !self.service.pressed.get() || now - self.entered < TURN
    }

    /// As [`TcpStream::read`].
    ///
    /// # Errors
    /// As [`TcpStream::read`].
    pub async fn read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        let count = self.stream.read(buf).await?;
        self.moved(count);
        Ok(count)
    }

    /// As [`TcpStream::write`].
    ///
    /// # Errors
    /// As [`TcpStream::write`].
    pub async fn write(&self, data: &[u8]) -> Result<usize, Errno> {
        let count = self.stream.write(data).await?;
        self.moved(count);
        Ok(count)
    }

    /// As [`TcpStream::write_all`].
    ///
    /// # Errors
    /// As [`TcpStream::write_all`].
    pub async fn write_all(&self, mut data: &[u8]) -> Result<(), Errno> {
        while !data.is_empty() {
            let count = self.write(data).await?;
            data = &data[count..];
        }
        Ok(())
    }

    /// As [`TcpStream::write_with`].
    ///
    /// # Errors
    /// As [`TcpStream::write_with`].
    pub async fn write_with(
        &self,
        max: usize,
        fill: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<Sent, Errno> {
        let sent = self.stream.write_with(max, fill).await?;
        self.moved(sent.count);
        Ok(sent)
    }

    /// Is ready when the connection has kept its worker waiting for too long.
    async fn exceeds_limit(&self) {
        let net = self.service.net;
        loop {
            // Without a timer there is no other end of the wait.
            if net.sleep_until(self.limit.get()).await.is_err() || net.now() >= self.limit.get() {
                return;
            }
        }
    }

    /// Is ready when the place is to be left for another connection.
    async fn is_displaced(&self) {
        poll_fn(|cx| {
            let mut state = self.service.state.borrow_mut();
            if state.places.leaves(self.place) {
                return Poll::Ready(());
            }
            state.serving[self.place]
                .get_or_insert_with(|| cx.waker().clone())
                .clone_from(cx.waker());
            Poll::Pending
        })
        .await;
    }
}

impl<T: Transport, const WORKERS: usize> Drop for Guest<'_, '_, T, WORKERS> {
    fn drop(&mut self) {
        let mut state = self.service.state.borrow_mut();
        state.places.leave(self.place);
        state.serving[self.place] = None;
    }
}
