// SPDX-License-Identifier: BSD-2-Clause

//! TCP and UDP echo (RFC 862) as an event loop on the non-blocking calls.
//!
//! What came in stays in the server's half of the window and is sent from there, so nothing is
//! copied here. On a stream no more is received than the socket takes for sending; so nothing has
//! to be kept while a slow peer does not read, and all connections share the window's scratch
//! space. A piece costs two calls, and a batch of datagrams as well.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod datagrams;
mod service;
mod streams;

pub use service::{EchoService, MAX_CONNECTIONS, MAX_PORTS};
