// SPDX-License-Identifier: BSD-2-Clause

//! A connection as picoserve wants it, made for few calls to the network server.
//!
//! picoserve writes a response in many small pieces and flushes after the header and after the
//! body. Here pieces are gathered, and "flush" means no more than "the header is complete": what
//! has been gathered goes out when the next request is awaited, when the connection ends, or
//! together with the first large piece of body. So a small response is one call, and a large body
//! is produced directly in the window.

use core::cell::{Cell, RefCell};

use picoserve::Timeouts;
use picoserve::io::{BaseWrite, ErrorType, Read, Socket, Write};
use picoserve::mem::{BorrowedBuffer, BorrowedCursor};
use picoserve::time::{Duration, Timer};
use socket_client::{Errno, Guest, Net, Sent, Shutdown, Transport};
use stats::{HttpServer, Writer};

use crate::screen::Screen;

/// Marks implementations of picoserve's traits for this project's sockets and timers.
pub struct PdRuntime;

/// Bytes gathered before they are sent; more than the header of any response of this site.
const STAGE_LEN: usize = 2048;
/// Space that a piece of a header needs at most. A longer one is split by picoserve.
const PIECE_LEN: usize = 512;
/// Room at which producing a piece of body is worth a call, in bytes; below it the room is asked
/// for first.
const WORTH_A_CALL: usize = 2048;
/// How long an ended connection waits for the client to go, so that the client gets the last
/// response: closing while bytes arrive would reset the connection (RFC 9112 section 9.6).
const LINGER: Duration = Duration::from_millis(1000);
/// Bytes that such a connection takes from its client meanwhile.
const LINGER_BYTES: usize = 256 * 1024;

/// What is needed of a stream. [`Guest`] is one; tests have others.
#[expect(
    async_fn_in_trait,
    reason = "a PD has one thread, futures need not be Send"
)]
pub trait ByteStream {
    /// As [`Guest::read`].
    async fn read(&self, buf: &mut [u8]) -> Result<usize, Errno>;

    /// As [`Guest::write_with`].
    async fn write_with(
        &self,
        max: usize,
        fill: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<Sent, Errno>;

    /// Ends the sending direction.
    fn finish(&self) -> Result<(), Errno>;

    /// As [`Guest::requested`].
    fn requested(&self) -> bool;
}

impl<T: Transport, const WORKERS: usize> ByteStream for &Guest<'_, '_, T, WORKERS> {
    async fn read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        Guest::read(self, buf).await
    }

    async fn write_with(
        &self,
        max: usize,
        fill: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<Sent, Errno> {
        Guest::write_with(self, max, fill).await
    }

    fn finish(&self) -> Result<(), Errno> {
        self.stream().shutdown(Shutdown::Write)
    }

    fn requested(&self) -> bool {
        Guest::requested(self)
    }
}

/// What is on its way to the client.
struct Output {
    stage: [u8; STAGE_LEN],
    /// Bytes in the stage.
    staged: usize,
    /// The header of the present response is complete.
    in_body: bool,
    /// What the socket takes at least.
    room: usize,
}

impl Output {
    fn free(&mut self) -> &mut [u8] {
        self.stage.get_mut(self.staged..).unwrap_or_default()
    }

    /// Copies as many staged bytes as fit, and returns how many these are.
    fn copy_staged(&self, into: &mut [u8]) -> usize {
        let count = self.staged.min(into.len());
        into[..count].copy_from_slice(&self.stage[..count]);
        count
    }

    /// Notes what a call has sent. Returns how many of these bytes were not staged ones.
    fn note(&mut self, sent: Sent) -> usize {
        self.room = sent.room;
        let staged = sent.count.min(self.staged);
        self.stage.copy_within(staged..self.staged, 0);
        self.staged -= staged;
        sent.count - staged
    }
}

/// A connection to an HTTP client. picoserve gets references to it, because futures keep several
/// copies of what is moved into them.
pub(crate) struct Connection<S> {
    pub stream: S,
    output: RefCell<Output>,
    screen: RefCell<Screen>,
    stats: Writer<HttpServer>,
    /// Something was read since the last request.
    pub has_read: Cell<bool>,
    /// The present response is the last one. Nothing more is read for picoserve.
    pub closes: Cell<bool>,
    /// The last response is complete.
    pub is_over: Cell<bool>,
}

impl<S: ByteStream> Connection<S> {
    /// In front of the first request. Bytes are counted in `stats`.
    pub fn new(stream: S, stats: Writer<HttpServer>) -> Self {
        Connection {
            stream,
            output: RefCell::new(Output {
                stage: [0; STAGE_LEN],
                staged: 0,
                in_body: false,
                room: 0,
            }),
            screen: RefCell::new(Screen::new()),
            stats,
            has_read: Cell::new(false),
            closes: Cell::new(false),
            is_over: Cell::new(false),
        }
    }

    /// One call that sends what is staged and what `fill` adds behind it. Returns how many bytes of
    /// the latter were taken.
    async fn send(&self, mut fill: impl FnMut(&mut [u8]) -> usize) -> Result<usize, Errno> {
        let sent = self
            .stream
            .write_with(usize::MAX, |window| {
                let staged = self.output.borrow().copy_staged(window);
                staged + fill(&mut window[staged..])
            })
            .await?;
        self.stats.add(HttpServer::BytesOut, sent.count as u64);
        Ok(self.output.borrow_mut().note(sent))
    }

    /// Sends everything that is staged.
    async fn drain(&self) -> Result<(), Errno> {
        while self.output.borrow().staged > 0 {
            self.send(|_| 0).await?;
        }
        Ok(())
    }

    /// A piece of a header.
    async fn stage_with<R>(&self, fill: impl FnOnce(BorrowedCursor<'_>) -> R) -> Result<R, Errno> {
        if self.output.borrow_mut().free().len() < PIECE_LEN {
            self.drain().await?;
        }
        let mut output = self.output.borrow_mut();
        let mut buffer = BorrowedBuffer::new(output.free());
        let result = fill(buffer.unfilled());
        let count = buffer.len();
        output.staged += count;
        Ok(result)
    }

    /// A piece of a body, produced in the window. Not more than the socket is known to take, as
    /// `fill` cannot produce it again.
    async fn produce_with<R>(
        &self,
        fill: impl FnOnce(BorrowedCursor<'_>) -> R,
    ) -> Result<R, Errno> {
        self.await_room().await?;
        let mut fill = Some(fill);
        let mut result = None;
        let mut produced = 0;
        let taken = self
            .send(|window| {
                let output = self.output.borrow();
                let room = output.room.saturating_sub(output.staged).min(window.len());
                // A second call would mean that the server did not take what it said it would.
                if let Some(fill) = fill.take() {
                    let mut buffer = BorrowedBuffer::new(&mut window[..room]);
                    result = Some(fill(buffer.unfilled()));
                    produced = buffer.len();
                }
                produced
            })
            .await?;
        match result {
            Some(result) if taken == produced => Ok(result),
            _ => Err(Errno::EPROTO),
        }
    }

    /// Waits until the socket takes more than what is staged.
    async fn await_room(&self) -> Result<(), Errno> {
        let room = |least| {
            let output = self.output.borrow();
            output.room >= output.staged.saturating_add(least)
        };
        while !room(WORTH_A_CALL) {
            let asked = self.stream.write_with(0, |_| 0).await?;
            self.output.borrow_mut().note(asked);
            if room(1) {
                break;
            }
            self.drain().await?;
        }
        Ok(())
    }

    /// Sends the rest, for as long as `patience` says, ends the sending direction, and waits a
    /// little for the client to do the same.
    async fn end<T: Timer<PdRuntime>>(&self, patience: Duration, timer: &T) -> Result<(), Errno> {
        // An error or a timeout leaves nothing to do but to close, which dropping the stream does.
        if let Ok(sent) = timer.run_with_timeout(patience, self.drain()).await {
            sent?;
            self.stream.finish()?;
            let _ = timer.run_with_timeout(LINGER, self.discard()).await;
        }
        Ok(())
    }

    async fn discard(&self) -> Result<(), Errno> {
        let mut buf = [0; 512];
        let mut left = LINGER_BYTES;
        while left > 0 {
            match self.stream.read(&mut buf).await? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        Ok(())
    }
}

impl<S> ErrorType for &Connection<S> {
    type Error = Errno;
}

impl<S: ByteStream> Read for &Connection<S> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
        if self.closes.get() {
            // A body that nobody waits for: the response can go out at once.
            return Ok(0);
        }
        self.drain().await?;
        self.output.borrow_mut().in_body = false;
        self.has_read.set(true);
        let mut count = 0;
        if !self.screen.borrow().has_refused() {
            count = self.stream.read(buf).await?;
            self.stats.add(HttpServer::BytesIn, count as u64);
        }
        Ok(self.screen.borrow_mut().pass(buf, count))
    }
}

impl<S: ByteStream> BaseWrite for &Connection<S> {
    async fn write(&mut self, data: &[u8]) -> Result<usize, Errno> {
        {
            let mut output = self.output.borrow_mut();
            if let Some(free) = output.free().get_mut(..data.len()) {
                free.copy_from_slice(data);
                output.staged += data.len();
                return Ok(data.len());
            }
        }
        loop {
            let taken = self
                .send(|window| {
                    let count = data.len().min(window.len());
                    window[..count].copy_from_slice(&data[..count]);
                    count
                })
                .await?;
            if taken > 0 {
                return Ok(taken);
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Errno> {
        let mut output = self.output.borrow_mut();
        output.in_body = !output.in_body;
        Ok(())
    }
}

impl<S: ByteStream> Write for &Connection<S> {
    async fn write_with<F: FnOnce(BorrowedCursor<'_>) -> R, R>(
        &mut self,
        fill: F,
    ) -> Result<R, Errno> {
        let in_body = self.output.borrow().in_body;
        if in_body {
            self.produce_with(fill).await
        } else {
            self.stage_with(fill).await
        }
    }
}

impl<S: ByteStream> Socket<PdRuntime> for &Connection<S> {
    type Error = Errno;
    type ReadHalf<'a>
        = Self
    where
        Self: 'a;
    type WriteHalf<'a>
        = Self
    where
        Self: 'a;

    fn split(&mut self) -> (Self, Self) {
        (self, self)
    }

    /// picoserve aborts after a malformed request, whose answer must still arrive, and after errors
    /// and timeouts, when there is nothing to wait for.
    async fn abort<T: Timer<PdRuntime>>(
        self,
        _: &Timeouts,
        timer: &T,
    ) -> Result<(), picoserve::Error<Errno>> {
        self.end(LINGER, timer)
            .await
            .map_err(picoserve::Error::Write)
    }

    async fn shutdown<T: Timer<PdRuntime>>(
        self,
        timeouts: &Timeouts,
        timer: &T,
    ) -> Result<(), picoserve::Error<Errno>> {
        self.end(timeouts.write, timer)
            .await
            .map_err(picoserve::Error::Write)
    }
}

/// picoserve's timeouts.
impl<T: Transport> Timer<PdRuntime> for &Net<T> {
    async fn delay(&self, duration: Duration) {
        // Without a free timer the time is over at once: the connection ends rather than waits for
        // ever.
        let duration = core::time::Duration::from_millis(duration.as_millis());
        let _ = self.sleep(duration).await;
    }
}
