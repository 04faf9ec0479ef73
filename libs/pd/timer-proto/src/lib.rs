// SPDX-License-Identifier: BSD-2-Clause
//! Time: the protocol of the timer driver, its table of deadlines, and the arithmetic of the
//! generic timer.
//!
//! A client makes a protected procedure call with a [`Request`]; the answer is a [`Reply`]. Each
//! client has one deadline, and a new one replaces it. When it has passed, the driver notifies the
//! client once and forgets it.
//!
//! A restarted driver has forgotten all deadlines and notifies every client once. So a client that
//! is notified does what is due, and sets its next deadline again: then neither an early nor a lost
//! notification matters.
//!
//! Times are readings of `CNTPCT_EL0`, in ticks since power-on (Arm ARM, D11.1). 64 bits do not
//! wrap in the life of a machine: at 1 GHz, the fastest that the architecture has, they last 584
//! years.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod alarm;
mod clock;
mod deadlines;
mod message;
mod rate;

pub use alarm::Alarm;
pub use clock::Clock;
pub use deadlines::{CallerSet, Deadlines};
pub use message::{RESTARTED, Reply, Request, TimerError, Words};
pub use rate::{Bucket, Rate};
