// SPDX-License-Identifier: BSD-2-Clause
//! Decides and says for the supervisor what becomes of a child that faults: restart policy, fault
//! description, line for the log.
//!
//! Everything that a fault message says about the fault is an allegation of the child about itself:
//! a child holds the capability that its faults are sent with, and can send what it likes. Which
//! child it is comes from the kernel. So the worst that a child can do is to be parked.
//!
//! Times are in ticks of the generic timer.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod children;
mod fault;
mod line;
mod lives;
mod request;
mod watch;

pub use children::{Children, Judgement, MAX_CHILDREN, Policy, Report, Streak, Verdict};
pub use fault::{Cause, FaultReport, Place};
pub use line::{FaultLine, Outcome};
pub use lives::Lives;
pub use request::{Action, FaultRequest};
pub use watch::{PATIENCE, Sight, Watch};
