// SPDX-License-Identifier: BSD-2-Clause

//! TCP connections and received datagrams.

pub mod congestion;
pub mod connection;
pub mod device;
pub mod egress;
pub mod ending;
pub mod half_open;
mod input;
pub mod numbers;
mod open;
pub mod segment;
pub mod time_wait;
pub mod udp;
