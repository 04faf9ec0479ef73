// SPDX-License-Identifier: BSD-2-Clause
//! The protocol of the timer driver, and its table of deadlines.
//!
//! A client makes a protected procedure call, [`SetTimeout`]; the reply is a label.
//! Each client has one deadline, and a new one replaces it. When it has passed, the driver notifies
//! the client once and forgets it.
//!
//! A restarted driver has forgotten all deadlines and notifies every client once. So a client that
//! is notified does what is due, and sets its next deadline again: then neither an early nor a lost
//! notification matters.
//!
//! Deadlines are in ticks of the generic timer (`time::Clock`).

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod alarm;
mod deadlines;
mod message;

pub use alarm::Alarm;
pub use deadlines::{CallerSet, Deadlines};
pub use message::{SetTimeout, TimerError, decode_reply, encode_reply};
