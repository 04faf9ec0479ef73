// SPDX-License-Identifier: BSD-2-Clause
//! The protected procedure calls of timer_driver and rng_driver, and what the two ends of the
//! timer's keep.
//!
//! # Timer
//!
//! A client makes a call, [`SetTimeout`]; the reply is a label. Each client has one deadline, and a
//! new one replaces it. When it has passed, the driver notifies the client once and forgets it.
//!
//! A restarted driver has forgotten all deadlines and notifies every client once. So a client that
//! is notified does what is due, and sets its next deadline again: then neither an early nor a lost
//! notification matters.
//!
//! Deadlines are in ticks of the generic timer (`time::Clock`).
//!
//! # Random bytes
//!
//! There is one operation. It returns 32 bytes that nobody else gets and that tell nothing of those
//! that came before or will come after, or an error. The driver never returns bytes that somebody
//! could guess: while it has no entropy it says so, and what to do without is its client's
//! decision.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod alarm;
mod ask;
mod deadlines;
mod error;
mod random;
mod timer;

pub use alarm::Alarm;
pub use ask::ask;
pub use deadlines::Deadlines;
pub use error::{CallError, decode_result, encode_result};
pub use random::{Bytes, RandomReply, WORDS, decode_random_request};
pub use timer::SetTimeout;
