// SPDX-License-Identifier: BSD-2-Clause
//! Random bytes by protected procedure call: the protocol of rng_driver, and how a client asks.
//!
//! There is one operation. It returns 32 bytes that nobody else gets and that tell nothing of those
//! that came before or will come after, or an error. The driver never returns bytes that somebody
//! could guess: while it has no entropy it says so, and what to do without is its client's
//! decision.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod ask;
mod message;

pub use ask::ask;
pub use message::{Reply, Request, RngError, WORDS};

/// Bytes that a call returns.
pub type Bytes = [u8; 32];
