// SPDX-License-Identifier: BSD-2-Clause
//! The binary form of net.toml, as it lies in the region `net_config`.
//!
//! `config-tool` checks net.toml and writes this form with a [`Builder`]; the SDK's tool puts it
//! into the image; net_server and those clients that want to know their ports map it read-only and
//! look at it through [`NetConfig`]. Nobody can write it at run time. It is checked all the same,
//! once at start: the file may come from another build.
//!
//! What a client may do stands in its [`Client`]; the questions of the server (`may_listen_tcp` and
//! its like) are answered here, so that the meaning of a key has one place.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod builder;
mod layout;
mod rules;
mod view;

pub use builder::{BuildError, Builder, ClientSpec};
pub use layout::{ENCODED_SIZE, MAX_CLIENTS, MAX_DESTINATIONS, MAX_NAME, MAX_PORT_RANGES, VERSION};
pub use rules::{BYTES_A_DATAGRAM, Buffers, CLOSING_STREAMS, Destination, Interface, PortRange};
pub use view::{Client, ConfigError, NetConfig};

/// Channel id at net_server of the client in slot 0; slot n is channel `CLIENT_CHANNEL_BASE + n`.
/// `config-tool` checks system.xml for it.
pub const CLIENT_CHANNEL_BASE: usize = 10;

// A PD's channels are 0 to 61 (the SDK's tool refuses higher ids).
const _: () = assert!(CLIENT_CHANNEL_BASE + MAX_CLIENTS <= 62);
