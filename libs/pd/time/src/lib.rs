// SPDX-License-Identifier: BSD-2-Clause

//! Time: moments in nanoseconds ([`Instant`]), ticks of the generic timer ([`Clock`]), and how
//! often something may happen ([`Rate`]).
//!
//! Ticks are readings of `CNTPCT_EL0`, counted from power-on (Arm ARM, D11.1). 64 bits do not wrap
//! in the life of a machine: at 1 GHz, the fastest that the architecture has, they last 584 years.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod clock;
mod instant;
mod rate;

pub use clock::Clock;
pub use instant::Instant;
pub use rate::{Bucket, Rate};
