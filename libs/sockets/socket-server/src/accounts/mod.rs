// SPDX-License-Identifier: BSD-2-Clause

//! What each client has and may use: sockets, ports, turns to send, time.

pub mod calls;
pub mod client;
pub mod meter;
pub mod ports;
pub mod queue;
pub mod shares;
