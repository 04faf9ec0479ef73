// SPDX-License-Identifier: BSD-2-Clause

//! Sockets for a protection domain that is a client of the network server.
//!
//! Two APIs on one connection to the server:
//!
//! - [`Client`]: non-blocking calls with the names and error numbers of BSD sockets, for event
//!   loops that want each call counted. Readiness is read from a page of shared memory
//!   ([`Client::poll`]), without a call.
//! - [`Net`]: async sockets ([`TcpListener`], [`TcpStream`], [`UdpSocket`], [`IcmpSocket`]) and
//!   timers, driven by one call of [`Net::run`] for each notification from the server, on any
//!   executor. Streams have the traits of `embedded-io-async`. [`Service`] is for servers with one
//!   task that accepts and many that serve.
//!
//! No limit of the library ends in a hang: where a table is full the operation fails with `EMFILE`
//! or `ENOBUFS`.
//!
//! The feature `edge-nal` gives streams the traits of that crate, which `edge-http` asks for, and
//! `embedded-nal-async` gives [`Net`] the trait `TcpConnect`, which `reqwless` asks for. With
//! `sntpc`, [`UdpSocket`] is one for that crate.
//!
//! # Memory
//!
//! The window has a half that the client writes (`c2s`) and one that the server writes (`s2c`).
//! Half of each is scratch space, used within a call and free when it returns. So it needs no
//! allocation, and no slow peer can hold it. The rest is given out in [`Area`]s to those that keep
//! payload in the window between calls.
//!
//! # When the server restarts
//!
//! The library attaches again by itself. Sockets from before return `ECONNRESET` to everything but
//! `close`; new ones work. Listeners are sockets too: bind again.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]

mod administration;
mod area;
mod calls;
mod capture;
mod client;
mod control;
mod datagram;
mod debug;
#[cfg(feature = "edge-nal")]
mod edge;
mod icmp;
mod io;
#[cfg(feature = "embedded-nal-async")]
mod nal;
mod net;
mod net_socket;
mod places;
mod poll;
mod service;
#[cfg(feature = "sntpc")]
mod sntp;
mod stream;
mod tcp;
mod timer;
mod transport;
mod udp;
mod wakers;

pub use area::Area;
pub use client::{Client, Socket};
pub use control::KeepAlive;
pub use datagram::{Batch, BatchWriter, Datagram, Incoming};
pub use icmp::{Echo, IcmpSocket};
pub use net::{Net, Storage};
pub use net_socket::NetSocket;
pub use places::{GRACE, Places};
pub use poll::PollFd;
pub use service::{Guest, Served, Service};
pub use socket_proto::{
    Errno, Family, Flag, Flags, Message, PollBits, Protocol, Records, Shutdown, SocketKind,
    SocketOption, Span,
};
pub use socket_proto::{addr, layouts, op};
pub use stream::Sent;
pub use tcp::{TcpListener, TcpReader, TcpStream, TcpWriter};
pub use time::Instant;
pub use transport::{Memory, Transport};
pub use udp::UdpSocket;
