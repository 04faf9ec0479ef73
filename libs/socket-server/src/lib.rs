// SPDX-License-Identifier: BSD-2-Clause

//! The socket core: everything of the network server that does not name seL4.
//!
//! [`Server`] is driven from outside: [`Server::poll`] when packets have come or time has passed, [`Server::call`] when a client
//! asks for something. It reads and writes frames where they lie ([`RxQueue`], [`TxQueue`]), and payload in the clients' windows
//! ([`Window`]).
//!
//! # How the stack is used
//!
//! smoltcp walks all sockets of a set for each packet. So each socket has a set of its own: a received frame is looked at just
//! enough to find its socket in a hash table, and then given to smoltcp together with that one set; a frame for nobody goes to an
//! empty set, and smoltcp answers it (reset, port unreachable, echo reply). In the other direction only sockets are visited that
//! have got something to do, or whose timer has run out. The cost of a packet does not depend on the number of connections, and a test
//! counts the visits.
//!
//! # What a client can expect
//!
//! The semantics, error numbers and poll bits are Linux's, which `tests/linux` compares; [`socket_proto`] has the operations.
//! Differences that a client may meet:
//! a listening socket does not hold its port against a later `listen` by way of old connections (as if `SO_REUSEADDR` were set), and
//! Nagle's algorithm is off (as if `TCP_NODELAY` were set): small writes are gathered until the end of a wake-up, and an answer
//! written in two pieces must not wait for a delayed acknowledgement.
//!
//! # Limits
//!
//! Every table has the size that the configuration gives it. Quotas are counted so that the pools always suffice for them: a
//! client that has fewer sockets than its quota gets one, if need be at the cost of the oldest connection that is only closing.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod client;
mod config;
mod counters;
mod device;
mod fragments;
mod frame;
mod gateway;
mod link;
mod list;
mod map;
mod meter;
mod ports;
mod queue;
mod secret;
mod server;
mod shares;
mod stack;
mod tcp;
mod timers;
mod udp;
mod window;

pub use client::ClientPort;
pub use config::{ClientLimits, Config, ConfigError, Destination, MAX_CLIENTS, PortRange};
pub use counters::Counters;
pub use gateway::GatewayEvent;
pub use link::{FRAME_MAX, Link, Offload, RxQueue, TxQueue};
pub use ports::EPHEMERAL_FIRST;
pub use server::{Outcome, Server};
pub use window::{OutOfWindow, Window};
