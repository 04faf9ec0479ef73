// SPDX-License-Identifier: BSD-2-Clause
//! The workloads. Each opens what it needs, warms up, measures, and compares every byte.

mod connect;
mod download;
mod http;
mod stream;
mod udp;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Longest wait for anything that should happen at once.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The part of the measured time that is spent on warming up before.
const WARM_UP: f64 = 0.2;

/// Where the services are.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// echo, TCP and UDP
    pub echo: SocketAddr,
    /// HTTP
    pub http: SocketAddr,
}

/// Which values are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// high ones
    Higher,
    /// low ones
    Lower,
}

/// A figure of the table.
#[derive(Debug)]
pub struct Figure {
    /// name
    pub name: &'static str,
    /// unit
    pub unit: &'static str,
    /// which values are good
    pub better: Better,
    /// what has to be reached
    pub floor: Option<f64>,
    /// the best that another system was measured at in the same QEMU, on a similar machine
    pub best: Option<f64>,
}

/// A kind of load.
pub struct Workload {
    /// name for the command line
    pub name: &'static str,
    /// what it measures
    pub figures: &'static [Figure],
    /// Runs it for a time; a value for each figure.
    pub run: fn(&Target, Duration) -> Result<Vec<f64>>,
}

const fn figure(
    name: &'static str,
    unit: &'static str,
    better: Better,
    floor: Option<f64>,
    best: Option<f64>,
) -> Figure {
    Figure {
        name,
        unit,
        better,
        floor,
        best,
    }
}

/// From the start of QEMU.
pub static BOOT: Figure = figure(
    "boot to first answered TCP byte",
    "s",
    Better::Lower,
    Some(0.13),
    Some(0.13),
);

/// All workloads in the order of the table. The one that leaves many ended connections behind is
/// the last: QEMU's user network keeps them for a while, and goes through all of them for every
/// packet.
pub static WORKLOADS: [Workload; 10] = {
    use Better::{Higher, Lower};
    [
        Workload {
            name: "udp-1",
            figures: &[
                figure(
                    "UDP 64 B round trip, p50",
                    "µs",
                    Lower,
                    Some(500.0),
                    Some(205.0),
                ),
                figure(
                    "UDP 64 B round trip, p99",
                    "µs",
                    Lower,
                    Some(1500.0),
                    Some(395.0),
                ),
            ],
            run: udp::round_trips,
        },
        Workload {
            name: "udp-16",
            figures: &[figure(
                "UDP 64 B, 16 in flight",
                "/s",
                Higher,
                Some(25_000.0),
                Some(25_000.0),
            )],
            run: udp::in_flight,
        },
        Workload {
            name: "tcp-1",
            figures: &[figure(
                "TCP echo, 1 connection",
                "MB/s",
                Higher,
                Some(38.0),
                Some(38.0),
            )],
            run: |target, duration| stream::echo(target, duration, 1),
        },
        Workload {
            name: "tcp-4",
            figures: &[figure(
                "TCP echo, 4 connections",
                "MB/s",
                Higher,
                Some(70.0),
                Some(70.0),
            )],
            run: |target, duration| stream::echo(target, duration, 4),
        },
        Workload {
            name: "http-1",
            figures: &[figure(
                "HTTP 1 KB, 1 connection",
                "/s",
                Higher,
                Some(2500.0),
                Some(3300.0),
            )],
            run: |target, duration| http::keep_alive(target, duration, 1),
        },
        Workload {
            name: "http-4",
            figures: &[figure(
                "HTTP 1 KB, 4 connections",
                "/s",
                Higher,
                Some(3500.0),
                Some(4300.0),
            )],
            run: |target, duration| http::keep_alive(target, duration, 4),
        },
        Workload {
            name: "http-16",
            figures: &[figure(
                "HTTP 1 KB, 16 connections",
                "/s",
                Higher,
                Some(4000.0),
                Some(4400.0),
            )],
            run: |target, duration| http::keep_alive(target, duration, 16),
        },
        Workload {
            name: "http-64",
            figures: &[figure(
                "HTTP 1 KB, 64 connections",
                "/s",
                Higher,
                None,
                None,
            )],
            run: |target, duration| http::keep_alive(target, duration, 64),
        },
        Workload {
            name: "download",
            figures: &[figure(
                "download of 64 MB",
                "MB/s",
                Higher,
                Some(30.0),
                Some(51.0),
            )],
            run: download::large_file,
        },
        Workload {
            name: "connect",
            figures: &[figure(
                "connect + 1 byte + close",
                "/s",
                Higher,
                Some(800.0),
                Some(830.0),
            )],
            run: connect::one_after_the_other,
        },
    ]
};

/// The phases of a workload: first it warms up, then it counts.
struct Clock {
    counting_from: Instant,
    end: Instant,
}

impl Clock {
    fn start(duration: Duration) -> Self {
        let counting_from = Instant::now() + duration.mul_f64(WARM_UP);
        Self {
            counting_from,
            end: counting_from + duration,
        }
    }

    fn is_counting(&self, now: Instant) -> bool {
        now >= self.counting_from
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }
}

/// Counts events, or bytes, per second of the counting phase.
struct Meter {
    clock: Clock,
    /// When the first event of the counting phase ended the one before it: what comes later
    /// counts.
    first: Option<Instant>,
    last: Instant,
    total: u64,
}

impl Meter {
    fn start(duration: Duration) -> Self {
        Self {
            clock: Clock::start(duration),
            first: None,
            last: Instant::now(),
            total: 0,
        }
    }

    /// Notes that `amount` is done; whether to go on.
    fn note(&mut self, amount: u64) -> bool {
        let now = Instant::now();
        if self.first.is_some() {
            self.total += amount;
            self.last = now;
        } else if self.clock.is_counting(now) {
            self.first = Some(now);
        }
        !self.clock.is_over(now)
    }

    /// What was done per second.
    fn rate(&self) -> f64 {
        match self.first {
            Some(first) if self.last > first => {
                self.total as f64 / self.last.duration_since(first).as_secs_f64()
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use host_peer::test_peer::{Flaw, TestPeer};

    use super::*;

    fn run_all(flaw: Flaw) -> Vec<(&'static str, Result<Vec<f64>>)> {
        let servers = TestPeer::start(flaw).unwrap();
        let target = Target {
            echo: servers.echo,
            http: servers.http,
        };
        WORKLOADS
            .iter()
            .map(|w| (w.name, (w.run)(&target, Duration::from_millis(100))))
            .collect()
    }

    #[test]
    fn every_workload_measures_something() {
        for (name, result) in run_all(Flaw::None) {
            let values = result.unwrap_or_else(|e| panic!("{name}: {e:#}"));
            assert!(
                values.iter().all(|value| *value > 0.0),
                "{name}: {values:?}"
            );
        }
    }

    #[test]
    fn wrong_contents_are_noticed_by_every_workload() {
        for (name, result) in run_all(Flaw::ChangesBytes) {
            assert!(result.is_err(), "{name} takes wrong bytes for right");
        }
    }
}
