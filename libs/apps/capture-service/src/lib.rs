// SPDX-License-Identifier: BSD-2-Clause

//! Captured frames as pcapng over TCP, for tshark and Wireshark.
//!
//! Who connects may say in a line what to show ([`parse`]), and then gets the frames as they pass,
//! until it goes away or another one connects ([`Capture`]).

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod blocks;
mod request;
mod serve;

pub use request::{Unknown, parse};
pub use serve::Capture;
