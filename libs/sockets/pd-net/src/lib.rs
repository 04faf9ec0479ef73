// SPDX-License-Identifier: BSD-2-Clause

//! What every client of net_server does alike.
//!
//! `system.xml` gives a client the channel [`NET_SERVER`] and these regions, by the symbols of
//! their `map` elements:
//!
//! | symbols | rights | content |
//! | --- | --- | --- |
//! | `net_c2s_vaddr`, `net_c2s_size` | rw | the half of the window that the client writes |
//! | `net_s2c_vaddr`, `net_s2c_size` | r | the half that net_server writes |
//! | `net_ready_vaddr`, `net_ready_size` | r | readiness page |
//! | `net_config_vaddr`, `net_config_size` | r | `net.toml` in binary form; only for [`config`] |
//!
//! Two kinds of client: one that makes the calls of [`socket_client::Client`] in a handler of its
//! own ([`attach`]), and one that consists of async tasks ([`AsyncPd`]). `docs/writing-a-client.md`
//! shows the second from an empty folder on.
//!
//! The feature `embassy-time` makes the timers of that crate work in an [`AsyncPd`].

#![no_std]

mod async_pd;
mod config;
mod server;
#[cfg(feature = "embassy-time")]
mod time_driver;

pub use async_pd::AsyncPd;
pub use config::{client_named_as_this_pd, config};
pub use server::{NET_SERVER, NetServer, attach};
