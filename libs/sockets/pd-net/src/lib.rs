// SPDX-License-Identifier: BSD-2-Clause

//! What every client of net_server does alike.
//!
//! A client is a PD with `uses = ["net_server"]` in the declaration. It then has a channel for
//! calls, its window and its readiness page, which this crate finds in the wiring table.
//!
//! Two kinds of client: one that makes the calls of [`socket_client::Client`] in a handler of its
//! own ([`attach`]), and one that consists of async tasks ([`AsyncPd`]). `docs/writing-a-client.md`
//! shows the second from an empty folder on.
//!
//! The feature `embassy-time` makes the timers of that crate work in an [`AsyncPd`]. The feature
//! `resolver` has names looked up by the declaration's name servers.

#![no_std]

mod async_pd;
mod config;
#[cfg(feature = "resolver")]
mod names;
mod server;
#[cfg(feature = "embassy-time")]
mod time_driver;

pub use async_pd::AsyncPd;
pub use config::{limits, network, tcp_port};
#[cfg(feature = "resolver")]
pub use names::resolver;
pub use server::{NetServer, attach};
