// SPDX-License-Identifier: BSD-2-Clause
//! The switch and the cable, run by one thread.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use tappers::Tap;

use crate::lane::{Lane, LaneCounts};
use crate::narrow::{Narrow, judge};
use crate::port::{self, Far, Port, TapPort};
use crate::{Conditions, RawPort};

/// Frames that are kept for a test that does not look.
const RAW_QUEUE: usize = 16 * 1024;
/// Raw frames that are taken before others have their turn.
const RAW_BATCH: usize = 64;

const NEAR: usize = 0;
const FAR: usize = 1;

/// What has become of the frames on the cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// from the near end
    pub to_far: LaneCounts,
    /// from the far end
    pub to_near: LaneCounts,
    /// from the far end, larger than [`Conditions::mtu`]
    pub too_big: u64,
}

impl Counts {
    /// Frames lost by intention in both directions.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.to_far.lost + self.to_near.lost
    }
}

/// What the thread and its owner both look at.
#[derive(Debug, Default)]
struct Shared {
    conditions: Conditions,
    /// Whether the test gets a copy of what the far end sends to the near end.
    mirror: bool,
    /// Bumped with each change.
    version: u64,
    counts: Counts,
}

/// A running switch; it ends when this is dropped or the far end goes.
#[derive(Debug)]
pub struct Switch {
    shared: Arc<Mutex<Shared>>,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Switch {
    /// Starts it.
    ///
    /// # Errors
    /// If the operating system has no sockets or threads left.
    pub fn start(near: Tap, far: Far) -> Result<(Self, RawPort)> {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (to, raw) = UnixDatagram::pair()?;
        raw.set_nonblocking(true)?;
        let (for_raw, from) = sync_channel(RAW_QUEUE);
        let (stop, stopped) = UnixStream::pair()?;
        let mut runner = Runner {
            ports: [Box::new(TapPort::new(near)), port::far(far)?],
            lanes: [Lane::new(), Lane::new()],
            raw,
            for_raw,
            stopped,
            near_address: None,
            conditions: Conditions::default(),
            mirror: false,
            version: u64::MAX,
            too_big: 0,
            far_may_send: None,
            shared: Arc::clone(&shared),
        };
        let thread = thread::Builder::new()
            .name("switch".into())
            .spawn(move || {
                // An error is the end of an end: its users see that by themselves.
                let _ = runner.run();
            })?;
        let switch = Self {
            shared,
            stop: Some(stop),
            thread: Some(thread),
        };
        Ok((switch, RawPort::new(to, from)))
    }

    /// Runs a function while the cable is as described; afterwards it is good again.
    pub fn under<T>(&self, conditions: Conditions, function: impl FnOnce() -> T) -> T {
        struct Restore<'s>(&'s Switch);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.set(Conditions::default());
            }
        }
        self.set(conditions);
        let _restore = Restore(self);
        function()
    }

    /// Changes the cable. Frames under way are not touched.
    pub fn set(&self, conditions: Conditions) {
        let mut shared = self.lock();
        shared.conditions = conditions;
        shared.version += 1;
    }

    /// Runs a function while the test's port also gets what the far end sends to the near end.
    pub fn mirrored<T>(&self, function: impl FnOnce() -> T) -> T {
        struct Restore<'s>(&'s Switch);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.mirror(false);
            }
        }
        self.mirror(true);
        let _restore = Restore(self);
        function()
    }

    fn mirror(&self, mirror: bool) {
        let mut shared = self.lock();
        shared.mirror = mirror;
        shared.version += 1;
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        // The thread wakes when the other end of its socket goes.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Runner {
    ports: [Box<dyn Port>; 2],
    /// By the end that they lead to.
    lanes: [Lane; 2],
    raw: UnixDatagram,
    for_raw: SyncSender<Vec<u8>>,
    stopped: UnixStream,
    /// Of the near end, learned from its frames.
    near_address: Option<[u8; 6]>,
    conditions: Conditions,
    mirror: bool,
    version: u64,
    too_big: u64,
    /// On a slow link: when the far end may send again.
    far_may_send: Option<Instant>,
    shared: Arc<Mutex<Shared>>,
}

impl Runner {
    fn run(&mut self) -> io::Result<()> {
        loop {
            let ready = self.wait()?;
            self.exchange_with_owner();
            if ready.stopped {
                return Ok(());
            }
            if ready.ends[NEAR] {
                self.read_near()?;
            }
            if ready.ends[FAR] {
                self.read_far()?;
            }
            self.deliver()?;
            if ready.raw {
                self.read_raw()?;
            }
        }
    }

    /// Waits for a frame, for room, or until a frame on the cable arrives.
    fn wait(&mut self) -> io::Result<Ready> {
        let now = Instant::now();
        self.far_may_send = self.far_may_send.filter(|at| *at > now);
        let flags = |port: &dyn Port, reads: bool| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::POLLIN, reads);
            flags.set(PollFlags::POLLOUT, port.waiting() > 0);
            flags
        };
        let [near, far] = &self.ports;
        // Raw frames wait while the far end takes none, and so does who sends them.
        let raw = if far.is_full() {
            PollFlags::empty()
        } else {
            PollFlags::POLLIN
        };
        let mut fds = [
            PollFd::new(near.fd(), flags(near.as_ref(), true)),
            PollFd::new(far.fd(), flags(far.as_ref(), self.far_may_send.is_none())),
            PollFd::new(self.raw.as_fd(), raw),
            PollFd::new(self.stopped.as_fd(), PollFlags::POLLIN),
        ];
        let next = [self.next_arrival(), self.far_may_send];
        let timeout = next.into_iter().flatten().min();
        let timeout = timeout.map(|at| TimeSpec::from_duration(at.saturating_duration_since(now)));
        match ppoll(&mut fds, timeout, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is = |fd: &PollFd<'_>, wanted: PollFlags| {
            let also = PollFlags::POLLHUP | PollFlags::POLLERR;
            fd.revents()
                .is_some_and(|events| events.intersects(wanted | also))
        };
        let [near, far, raw, stopped] = &fds;
        Ok(Ready {
            ends: [near, far].map(|fd| is(fd, PollFlags::POLLIN)),
            raw: is(raw, PollFlags::POLLIN),
            stopped: is(stopped, PollFlags::POLLIN),
        })
    }

    /// The next arrival at an end that has room.
    fn next_arrival(&self) -> Option<Instant> {
        let ends = self.lanes.iter().zip(&self.ports);
        ends.filter(|(_, port)| !port.is_full())
            .filter_map(|(lane, _)| lane.next_arrival())
            .min()
    }

    fn exchange_with_owner(&mut self) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.version != self.version {
            self.version = shared.version;
            self.conditions = shared.conditions;
            self.mirror = shared.mirror;
            for (lane, number) in self.lanes.iter_mut().zip(0..) {
                lane.seed(self.conditions.seed.wrapping_mul(2) + number);
            }
        }
        shared.counts = Counts {
            to_far: self.lanes[FAR].counts,
            to_near: self.lanes[NEAR].counts,
            too_big: self.too_big,
        };
    }

    fn read_near(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let (lane, conditions) = (&mut self.lanes[FAR], &self.conditions);
        let address = &mut self.near_address;
        self.ports[NEAR].read(&mut |frame| {
            *address = frame.get(6..12).and_then(|source| source.try_into().ok());
            lane.offer(conditions, frame, now);
        })
    }

    fn read_far(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let [to_near, to_far] = &mut self.lanes;
        let (conditions, too_big) = (&self.conditions, &mut self.too_big);
        let (near_address, for_raw) = (self.near_address, &self.for_raw);
        let mirror = self.mirror;
        let mut bytes = 0;
        self.ports[FAR].read(&mut |frame| {
            bytes += frame.len();
            let to = Recipient::of(frame, near_address);
            if to.is_test() || mirror {
                // Nobody may be looking.
                let _ = for_raw.try_send(frame.to_vec());
            }
            if to.is_near() {
                match conditions
                    .mtu
                    .map_or(Narrow::Passes, |mtu| judge(frame, mtu))
                {
                    Narrow::Passes => to_near.offer(conditions, frame, now),
                    Narrow::Dropped(answer) => {
                        *too_big += 1;
                        if let Some(answer) = answer {
                            to_far.offer(conditions, &answer, now);
                        }
                    }
                }
            }
        })?;
        self.far_may_send = self.conditions.rate.map(|rate| {
            let seconds = bytes as f64 / f64::from(rate.max(1));
            now + Duration::from_secs_f64(seconds)
        });
        Ok(())
    }

    fn read_raw(&mut self) -> io::Result<()> {
        let mut buffer = [0; 65536];
        for _ in 0..RAW_BATCH {
            match self.raw.recv(&mut buffer) {
                Ok(n) => self.ports[FAR].queue(buffer.get(..n).unwrap_or_default().to_vec()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        self.ports[FAR].flush()
    }

    /// Hands over what has arrived, as far as there is room.
    fn deliver(&mut self) -> io::Result<()> {
        let now = Instant::now();
        for (lane, port) in self.lanes.iter_mut().zip(&mut self.ports) {
            port.flush()?;
            while !port.is_full()
                && let Some(frame) = lane.arrived(now)
            {
                port.queue(frame);
            }
            port.flush()?;
        }
        Ok(())
    }
}

struct Ready {
    ends: [bool; 2],
    raw: bool,
    stopped: bool,
}

/// Whom a frame of the far end is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recipient {
    Near,
    Test,
    Both,
}

impl Recipient {
    fn of(frame: &[u8], near: Option<[u8; 6]>) -> Self {
        match frame.first_chunk::<6>() {
            Some(to) if Some(*to) == near => Self::Near,
            // The lowest bit of the first byte says that it is for a group (IEEE 802.3 section
            // 3.2.3).
            Some([first, ..]) if first & 1 == 0 && near.is_some() => Self::Test,
            _ => Self::Both,
        }
    }

    fn is_near(self) -> bool {
        self != Self::Test
    }

    fn is_test(self) -> bool {
        self != Self::Near
    }
}
