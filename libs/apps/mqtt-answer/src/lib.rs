// SPDX-License-Identifier: BSD-2-Clause

//! An MQTT client (5.0, by the crate rust-mqtt): it subscribes to a topic and publishes each
//! message that comes to another one, with the same quality of service. `docs/apps/mqtt_client.md`
//! shows it.
//!
//! rust-mqtt has the packets and the state of a session. What it leaves to its user is here: a
//! connection is kept up, a broker that is silent is given up, and after a new connection the
//! messages that were under way are sent again, so that each arrives as often as was promised.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod client;
mod flight;
mod packets;

pub use client::{Failure, KEEP_ALIVE, MqttAnswer, Settings};
pub use flight::{MAX_PAYLOAD, MAX_WAITING};
pub use packets::MAX_PACKET;
