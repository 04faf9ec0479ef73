// SPDX-License-Identifier: BSD-2-Clause
//! A network for tests and measurements, made and removed by the process that uses it.
//!
//! ```text
//!   Linux in a namespace ── TAP ──┐              ┌── far end: QEMU, or a second namespace
//!                                 ├── switch ────┤
//!   the test, raw frames ─────────┘    cable with loss, delay, …
//! ```
//!
//! - [`Namespace`]: a network namespace with one TAP, so that Linux's own stack is the peer.
//! - [`Switch`]: a thread that carries frames between the ends. What crosses the cable is lost,
//!   delayed, doubled or reordered as [`Conditions`] say, by a seeded generator.
//! - [`RawPort`]: the test as one or many hosts of its own on the near side.
//!
//! Needs `/dev/net/tun` and the right to make namespaces; [`unavailable`] says what is missing.

#![forbid(unsafe_code)]

mod lane;
mod namespace;
mod narrow;
mod port;
mod raw;
mod switch;

pub use lane::Conditions;
pub use namespace::{NETWORK6, Namespace, unavailable};
pub use port::{Far, Listener};
pub use raw::RawPort;
pub use switch::{Counts, Switch};
pub use tappers::Tap;
