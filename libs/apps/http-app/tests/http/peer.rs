// SPDX-License-Identifier: BSD-2-Clause

//! The client's side of a connection: what it sends, in which pieces, how fast it reads, and what
//! it gets.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::net::Ipv4Addr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http_app::{
    BUFFER_LEN, ByteStream, Ended, Identity, PdRuntime, PdSource, Site, StaticFile, serve,
};
use picoserve::time::{Duration, Timer};
use socket_client::{Errno, Sent};
use stats::{HttpServer, NetDriver, Writer, mac_to_value};
use test_world::page;
use time::Clock;

/// What the client does after its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It ends its sending direction.
    Ends,
    /// It waits for ever.
    Waits,
    /// It resets the connection.
    Resets,
}

pub struct TestPeer {
    sends: RefCell<VecDeque<Vec<u8>>>,
    then: Then,
    /// Bytes that the socket takes before the client reads again.
    room: Cell<usize>,
    /// How much the client reads at once; `None` means that it never does.
    reads: Option<usize>,
    pub received: RefCell<Vec<u8>>,
    /// The server has ended its sending direction.
    pub finished: Cell<bool>,
    /// Calls with which bytes were sent.
    pub sends_seen: Cell<usize>,
    /// Nothing will happen any more unless time passes.
    idle: Cell<bool>,
    /// Time that has passed, in milliseconds.
    pub elapsed: Cell<u64>,
    /// The earliest of the times that are waited for.
    earliest: Cell<u64>,
    /// Requests after which the connection may not go on.
    turn: Cell<usize>,
}

const WINDOW: usize = 32 * 1024;

impl TestPeer {
    pub fn sending(pieces: &[&[u8]], then: Then) -> Self {
        TestPeer {
            sends: RefCell::new(pieces.iter().map(|piece| piece.to_vec()).collect()),
            then,
            room: Cell::new(64 * 1024),
            reads: Some(64 * 1024),
            received: RefCell::default(),
            finished: Cell::new(false),
            sends_seen: Cell::new(0),
            idle: Cell::new(false),
            elapsed: Cell::new(0),
            earliest: Cell::new(u64::MAX),
            turn: Cell::new(usize::MAX),
        }
    }

    /// Others wait when so many requests have come.
    pub fn with_turn(self, requests: usize) -> Self {
        self.turn.set(requests);
        self
    }

    pub fn reading(mut self, at_once: Option<usize>) -> Self {
        self.reads = at_once;
        self.room.set(at_once.unwrap_or(1000));
        self
    }

    async fn wait_for_time(&self) -> ! {
        poll_fn(|_| {
            self.idle.set(true);
            Poll::Pending
        })
        .await
    }

    /// Something happens, and not at once.
    async fn yield_once(&self) {
        let mut yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            self.idle.set(false);
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Serves this client, and answers how the connection ended.
    pub fn run(&self, site: &Site) -> Ended {
        let mut buffer = vec![0; BUFFER_LEN];
        let mut served = pin!(serve(site, self, Time(self), &mut buffer));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..1_000_000 {
            self.idle.set(false);
            self.earliest.set(u64::MAX);
            if let Poll::Ready(ended) = served.as_mut().poll(&mut cx) {
                return ended;
            }
            if self.idle.get() {
                let earliest = self.earliest.get();
                assert_ne!(earliest, u64::MAX, "it waits for ever");
                self.elapsed.set(earliest);
            }
        }
        panic!("the server neither serves nor gives up");
    }

    /// The responses. The methods of the requests say which of them have no body.
    pub fn responses(&self, methods: &[&str]) -> Vec<Response> {
        let received = self.received.borrow();
        let mut rest = &received[..];
        let mut responses = Vec::new();
        for method in methods {
            let Some((response, after)) = Response::parse(rest, *method == "HEAD") else {
                break;
            };
            responses.push(response);
            rest = after;
        }
        assert!(rest.is_empty(), "more than the responses: {rest:?}");
        responses
    }
}

impl ByteStream for &TestPeer {
    async fn read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.yield_once().await;
        if self.sends.borrow().is_empty() {
            return match self.then {
                Then::Ends => Ok(0),
                Then::Resets => Err(Errno::ECONNRESET),
                // A client that waits for the end of the stream sees it and goes.
                Then::Waits if self.finished.get() => Ok(0),
                Then::Waits => self.wait_for_time().await,
            };
        }
        let mut sends = self.sends.borrow_mut();
        let Some(piece) = sends.front_mut() else {
            return Ok(0);
        };
        let count = piece.len().min(buf.len());
        buf[..count].copy_from_slice(&piece[..count]);
        piece.drain(..count);
        if piece.is_empty() {
            sends.pop_front();
        }
        Ok(count)
    }

    async fn write_with(
        &self,
        max: usize,
        mut fill: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<Sent, Errno> {
        if self.room.get() == 0 {
            let Some(reads) = self.reads else {
                self.wait_for_time().await
            };
            self.yield_once().await;
            self.room.set(reads);
        }
        let mut window = vec![0xaa; max.min(WINDOW)];
        let filled = fill(&mut window);
        let count = filled.min(self.room.get());
        self.received.borrow_mut().extend(&window[..count]);
        self.room.set(self.room.get() - count);
        if count > 0 {
            self.sends_seen.set(self.sends_seen.get() + 1);
        }
        let room = self.room.get();
        Ok(Sent { count, room })
    }

    fn finish(&self) -> Result<(), Errno> {
        assert!(!self.finished.replace(true), "ended once");
        Ok(())
    }

    fn requested(&self) -> bool {
        let left = self.turn.get().saturating_sub(1);
        self.turn.set(left);
        left > 0
    }
}

/// Time passes when nothing else happens: then it is the earliest time that is waited for.
pub struct Time<'c>(&'c TestPeer);

impl Timer<PdRuntime> for Time<'_> {
    fn delay(&self, duration: Duration) -> impl Future<Output = ()> {
        let TestPeer {
            elapsed, earliest, ..
        } = self.0;
        let mut deadline = None;
        poll_fn(move |_| {
            let deadline = *deadline.get_or_insert(elapsed.get() + duration.as_millis());
            if elapsed.get() >= deadline {
                return Poll::Ready(());
            }
            earliest.set(earliest.get().min(deadline));
            Poll::Pending
        })
    }
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    fn parse(bytes: &[u8], without_body: bool) -> Option<(Response, &[u8])> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap();
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .unwrap()
            .parse()
            .unwrap();
        let fields: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = fields
            .iter()
            .find(|(name, _)| name == "content-length")
            .map_or(0, |(_, value)| value.parse().unwrap());
        let length = if without_body || status == 304 {
            0
        } else {
            length
        };
        let rest = &bytes[end + 4..];
        let response = Response {
            status,
            fields,
            body: rest.get(..length)?.to_vec(),
        };
        Some((response, &rest[length..]))
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(field, _)| field == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert_eq!(values.next(), None, "{name} occurs once");
        value
    }
}

pub const INDEX: &[u8] = b"<!doctype html><title>index</title>";
pub const LARGE: &[u8] = &[b'x'; 50_000];

static FILES: [StaticFile; 2] = [
    StaticFile {
        path: "/",
        content_type: "text/html; charset=utf-8",
        etag: "\"1234\"",
        body: INDEX,
    },
    StaticFile {
        path: "/large.txt",
        content_type: "text/plain; charset=utf-8",
        etag: "\"5678\"",
        body: LARGE,
    },
];

static IDENTITY: Identity = Identity {
    hostname: "is\"thmus",
    address: Ipv4Addr::new(10, 0, 2, 15),
    prefix_len: 24,
    gateway: Ipv4Addr::new(10, 0, 2, 2),
};

/// A site with a driver that has counted something, a console that has not started, and itself.
pub fn site() -> Site {
    let (driver, console, own) = (page(), page(), page());
    let driver_stats = Writer::<NetDriver>::attach(driver, 62_500_000);
    driver_stats.add(NetDriver::RxFrames, 17);
    driver_stats.set(
        NetDriver::MacAddress,
        mac_to_value([0x52, 0x54, 0, 0x12, 0x34, 0x56]),
    );
    let source = |name, role, number, page| PdSource {
        name,
        role,
        number,
        page,
    };
    let pds = vec![
        source("net_driver", "virtio-net", 1, driver),
        source("console", "serial port", 4, console),
        source("http_server", "this page", 6, own),
    ];
    Site {
        files: &FILES,
        pds: pds.leak(),
        identity: &IDENTITY,
        stats: Writer::<HttpServer>::attach(own, 0),
        clock: Clock::new(62_500_000).unwrap(),
        now: || 3 * 62_500_000,
    }
}
