// SPDX-License-Identifier: BSD-2-Clause
//! Boots an image in QEMU for the host's tools and tests.
//!
//! The Makefile owns QEMU's command line; [`Command`] takes it as a string and replaces only the
//! image and the network. [`Guest`] is a running QEMU: its console can be waited on and written
//! to, everything it prints is kept in a log file, and it dies with the value that holds it.

#![forbid(unsafe_code)]

mod command;
mod console;
mod cpu;
mod guest;
mod logs;
mod netdev;
pub mod ports;

pub use command::Command;
pub use console::{Console, Mark};
pub use cpu::CpuTime;
pub use guest::Guest;
pub use logs::LogFolder;
pub use netdev::{Forward, Netdev, Transport};
