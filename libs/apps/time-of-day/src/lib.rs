// SPDX-License-Identifier: BSD-2-Clause

//! The time of day: from a server by SNTP (RFC 5905, the crate sntpc), kept by the machine's own
//! counter in between. [`WallClock`] can be part of any client, for instance of one that checks
//! certificates; `docs/apps/wall_clock.md` shows a PD that tells others the time.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::convert::Infallible;
use core::fmt::Write;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use chrono::{DateTime, Utc};
use embassy_futures::yield_now;
use heapless::String;
use sntpc::{NtpContext, NtpTimestampGenerator};
use socket_client::{Errno, Guest, Instant, Net, Transport, UdpSocket};
use stats::{WallClock as Counter, Writer};

/// The time between two questions. RFC 5905 has 64 s for the shortest.
const INTERVAL: Duration = Duration::from_secs(64);
/// The time after a question without a reply, doubled up to the second.
const RETRY: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(16)];
/// How long a reply is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of the window for replies.
const RECEIVE_LEN: usize = 1024;
/// The time that is taken for the start of the machine as long as nothing is known: 2026-01-01.
/// What a server says is looked for within 68 years of it.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// Why the time is not known better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failure {
    /// No socket, or no reply in time (`ETIMEDOUT`).
    Socket(Errno),
    /// The server's reply is refused.
    Reply(sntpc::Error),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Failure::Socket(errno)
    }
}

/// The time of day.
#[derive(Default)]
pub struct WallClock {
    /// What is to be added to the time since the machine's start; `None` until a server has said.
    start: Cell<Option<Duration>>,
}

impl WallClock {
    /// Returns the time since 1970-01-01 UTC at a moment, if it is known.
    pub fn at(&self, moment: Instant) -> Option<Duration> {
        let start = self.start.get()?;
        Some(start + Duration::from_nanos(moment.as_nanos()))
    }

    /// Asks a server, for good: one task's work. `report` hears why it has failed. A PD that does
    /// something else has no counters for it.
    pub async fn keep<T: Transport>(
        &self,
        net: &Net<T>,
        server: SocketAddr,
        stats: Option<Writer<Counter>>,
        mut report: impl FnMut(Failure),
    ) -> Infallible {
        let count = |counter| {
            if let Some(stats) = stats {
                stats.inc(counter);
            }
        };
        let mut retry = RETRY[0];
        loop {
            count(Counter::Questions);
            let pause = match self.ask(net, server, stats).await {
                Ok(()) => {
                    count(Counter::Replies);
                    retry = RETRY[0];
                    INTERVAL
                }
                Err(failure) => {
                    count(Counter::Failures);
                    report(failure);
                    let next = (retry * 2).min(RETRY[1]);
                    core::mem::replace(&mut retry, next)
                }
            };
            if net.sleep(pause).await.is_err() {
                yield_now().await;
            }
        }
    }

    async fn ask<T: Transport>(
        &self,
        net: &Net<T>,
        server: SocketAddr,
        stats: Option<Writer<Counter>>,
    ) -> Result<(), Failure> {
        // Each question has a port of its own, which nobody can know.
        let socket = UdpSocket::bind(net, (Ipv4Addr::UNSPECIFIED, 0).into(), RECEIVE_LEN)?;
        let start = self.start.get().unwrap_or(EPOCH);
        let own = Own {
            net,
            start,
            time: Duration::ZERO,
        };
        let get_time = sntpc::get_time(server, &socket, NtpContext::new(own));
        let reply = net.timeout(PATIENCE, get_time).await?;
        let reply = reply.map_err(Failure::Reply)?;
        let step = Duration::from_micros(reply.offset().unsigned_abs());
        let new = match reply.offset() {
            0.. => start.checked_add(step),
            ..0 => start.checked_sub(step),
        };
        self.start.set(Some(new.unwrap_or(start)));
        if let Some(stats) = stats {
            stats.set(Counter::Known, 1);
            stats.set(Counter::LastStep, step.as_nanos() as u64);
            let round_trip = reply.roundtrip().saturating_mul(1000);
            stats.set(Counter::RoundTrip, round_trip);
        }
        Ok(())
    }

    /// Tells a peer the time as RFC 3339 has it, in a line (RFC 867).
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn tell<T: Transport, const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
    ) -> Result<(), Errno> {
        let mut line = String::<64>::new();
        let now = self.at(guest.stream().net().now());
        // It fits, and years have four digits.
        let _ = match now.and_then(date) {
            Some(date) => write!(line, "{date:?}\r\n"),
            None => write!(line, "not known yet\r\n"),
        };
        guest.write_all(line.as_bytes()).await
    }
}

/// Returns the date of a time since 1970-01-01 UTC.
pub fn date(time: Duration) -> Option<DateTime<Utc>> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    // Parts of a second as milliseconds.
    let nanoseconds = time.subsec_millis() * 1_000_000;
    DateTime::from_timestamp(seconds, nanoseconds)
}

/// The clock as sntpc reads it.
struct Own<'n, T: Transport> {
    net: &'n Net<T>,
    start: Duration,
    time: Duration,
}

impl<T: Transport> Clone for Own<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Transport> Copy for Own<'_, T> {}

impl<T: Transport> NtpTimestampGenerator for Own<'_, T> {
    fn init(&mut self) {
        self.time = self.start + Duration::from_nanos(self.net.now().as_nanos());
    }

    fn timestamp_sec(&self) -> u64 {
        self.time.as_secs()
    }

    fn timestamp_subsec_micros(&self) -> u32 {
        self.time.subsec_micros()
    }
}
