// SPDX-License-Identifier: BSD-2-Clause

//! Measures what the network carries, for the stock `iperf3` as the client: TCP and UDP, both
//! directions, parallel streams. `docs/apps/throughput.md` shows it.
//!
//! iperf3's protocol is not written down elsewhere than in its source; this is what it amounts to.
//! The client opens a *control connection* and sends a cookie. The server leads through the test by
//! bytes that name a state ([`protocol::State`]): the client sends its parameters (JSON behind a
//! length), opens the streams (TCP connections that begin with the cookie, or UDP ports that say
//! hello), sends or receives until it says that the test has ended, and both exchange what they
//! have counted.
//!
//! - [`protocol`]: states and messages.
//! - [`Throughput`]: the server, one test at a time.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod protocol;

mod count;
mod server;
mod tcp;
mod udp;

pub use count::Count;
pub use server::{MAX_STREAMS, Throughput};
