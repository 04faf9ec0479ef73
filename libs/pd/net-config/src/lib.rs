// SPDX-License-Identifier: BSD-2-Clause
//! What the declaration (`isthmus.toml`) says about the network, in binary form: the interface, the
//! sizes of buffers, and what each client may do.
//!
//! `sysgen` checks the declaration and writes this form with [`encode`]; the SDK's tool puts it
//! into the image; net_server and its clients map it read-only and look at it through
//! [`NetConfig`].
//! Nobody can write it at run time. It is checked all the same, once at start: the file may come
//! from another build.

#![cfg_attr(not(any(test, feature = "build")), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "build")]
mod builder;
mod layout;
mod rules;
mod view;

#[cfg(feature = "build")]
pub use builder::{BuildError, ClientSpec, encode};
pub use layout::{MAX_CLIENTS, MAX_DESTINATIONS, MAX_NAME, MAX_PORT_RANGES, VERSION};
pub use rules::{BYTES_A_DATAGRAM, Buffers, CLOSING_STREAMS, Destination, Interface, PortRange};
pub use view::{ClientConfig, ConfigError, NetConfig};
