// SPDX-License-Identifier: BSD-2-Clause

//! The socket core: everything of the network server that does not name seL4.
//!
//! [`Server`] is driven from outside: [`Server::poll`] when packets have come or time has passed,
//! [`Server::call`] when a client asks for something. It reads and writes frames where they lie
//! ([`RxQueue`], [`TxQueue`]), and payload in the clients' windows ([`Window`]).
//!
//! # Layers
//!
//! The folders are the layers, from `frames` at the bottom to `protocol` at the top; `tables` has
//! the containers that all of them use. `ingress.rs` is the way of a frame up, and a call comes in
//! at `protocol/requests.rs`. `capture` looks at frames on either way. docs/architecture.md has the
//! picture and the rules.
//!
//! smoltcp runs TCP. It gets IPv4 packets, whole and for this machine, and takes connections of
//! IPv6 for such of IPv4; Ethernet, ARP, fragments, ICMP and UDP are this crate's own. It walks all
//! sockets of a set for each packet, so each socket has a set of its own: a hash table names a
//! segment's socket, and smoltcp gets the segment with that one set. In the other direction only
//! sockets are visited that have got something to do, or whose timer has run out. The cost of a
//! packet does not depend on the number of connections, and a test counts the visits.
//!
//! # What a client can expect
//!
//! The semantics, error numbers and poll bits are Linux's, which `tests/linux` compares;
//! [`socket_proto`] has the operations. Differences that a client may meet:
//! a listening socket does not hold its port against a later `listen` by way of old connections (as
//! if `SO_REUSEADDR` were set), and Nagle's algorithm is off (as if `TCP_NODELAY` were set): small
//! writes are gathered until the end of a wake-up, and an answer written in two pieces must not
//! wait for a delayed acknowledgement.
//!
//! # Limits
//!
//! Every table has the size that the configuration gives it. Quotas are counted so that the pools
//! always suffice for them: a client that has fewer sockets than its quota gets one, if need be at
//! the cost of the oldest connection that is only closing.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod accounts;
mod administration;
#[cfg(feature = "audit")]
mod audit;
mod capture;
mod config;
mod counters;
mod ethernet;
mod frames;
mod ingress;
mod ip;
mod protocol;
mod server;
mod sockets;
mod tables;
mod time;
mod transport;

pub use accounts::account::ClientPort;
pub use accounts::ports::EPHEMERAL_FIRST;
pub use config::{
    ClientLimits, Config, ConfigError, Destination, Fallback, MAX_CLIENTS, Names, PortRange,
    SendRate,
};
pub use ethernet::gateway::GatewayEvent;
pub use frames::{FRAME_MAX, Link, Offload, RxQueue, TxQueue};
pub use ip::link6::AddressEvent;
pub use protocol::window::{OutOfWindow, Window};
pub use server::{Outcome, Server};
