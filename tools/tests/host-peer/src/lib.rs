// SPDX-License-Identifier: BSD-2-Clause
//! The host's end of what the image speaks, shared by the system tests and the benchmark.
//!
//! - [`contents`]: the bytes that are sent and expected.
//! - [`http`]: reading responses strictly enough to judge a server by them.
//! - [`socket`]: the socket options that std does not offer.
//! - [`test_peer`]: servers on the host with the image's interface, to test the tools themselves
//!   and to show how fast they could go without a guest.

#![forbid(unsafe_code)]

pub mod contents;
pub mod http;
pub mod socket;
pub mod test_peer;
