// SPDX-License-Identifier: BSD-2-Clause
//! Counters of a protection domain in a page that others may read.
//!
//! Every PD owns one 4 KiB page ([`StatsPage`]) that it alone writes; http_server, the supervisor
//! and the benchmark map it read-only. All words are atomics, so that a reader may look at any
//! time, and a PD that writes garbage can make its own figures wrong but nothing else: a [`Reader`]
//! takes names and units from this crate, never from the page.
//!
//! The counters survive a restart of their PD. [`Writer::attach`] keeps what it finds if the header
//! is the expected one, and counts the start in [`Common::Starts`].
//!
//! To add a counter, add a line to a set in [`counters`](NetDriver); nothing else names it.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

// Before its users: macros are scoped by order.
#[macro_use]
mod set;
mod counters;
mod page;
mod pulse;
mod reader;
mod value;
mod writer;

pub use counters::{
    Capture, Common, Console, EchoServer, HttpClient, HttpServer, HttpsServer, KeyValue,
    MqttClient, NetDriver, NetServer, PdKind, RngDriver, Supervisor, Throughput, TimerDriver,
    WallClock,
};
pub use page::{PAGE_SIZE, StatsPage};
pub use pulse::{Beat, Pulse};
pub use reader::{Reader, Sample, StatsError};
pub use set::{Counter, CounterSet, NoCounters};
pub use value::{Unit, Value, mac_to_value};
pub use writer::{Count, Writer};
