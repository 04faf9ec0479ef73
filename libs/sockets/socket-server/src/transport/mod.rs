// SPDX-License-Identifier: BSD-2-Clause

//! TCP connections, from the first segment to what is left of them in TIME-WAIT, and received
//! datagrams.
//!
//! [`tcp::Tcp`] is the way in. It knows which client a connection works for, but no sockets: what
//! changes is put into a queue, which the layer above empties.

pub mod buffers;
pub mod closing;
mod congestion;
pub mod connection;
mod ending;
pub mod engine;
pub mod half_open;
pub mod input;
pub mod mail;
pub mod numbers;
pub mod opening;
mod output;
pub mod segment;
pub mod tcp;
pub mod time_wait;
