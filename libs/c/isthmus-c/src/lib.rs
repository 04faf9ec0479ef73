// SPDX-License-Identifier: BSD-2-Clause

//! The library that programs in C are linked with, `libisthmus.a`: the runtime with the names of
//! Microkit's `microkit.h` (`program`), POSIX's sockets (`sockets`, `transfer`, `names`),
//! and what the C library (picolibc) asks its surroundings for (`files`, `time`). The other
//! half of it is in C, in the folder `c`; the headers that picolibc lacks are in `include`.
//!
//! This is the border: each function turns pointers into slices, or refuses them, and calls safe
//! code of `posix`, `sel4-microkit` or `pd-support`. A pointer that C passes is taken to be what C
//! says it is, as in any C library: null where something must be is `EFAULT`, an address that is
//! not mapped faults in this PD, which is then restarted, and harms no other.
//!
//! Here is a Rust library rather than one in C over libmicrokit, because everything that makes a PD
//! one of this system is there in Rust already: restart, parking, fault texts, wiring table, log
//! ring, counters, the watch over hangs, the socket protocol.

#![no_std]

#[cfg(target_os = "none")]
mod border;
#[cfg(target_os = "none")]
mod files;
#[cfg(target_os = "none")]
mod names;
#[cfg(target_os = "none")]
mod network;
#[cfg(target_os = "none")]
mod pair;
#[cfg(target_os = "none")]
mod program;
#[cfg(target_os = "none")]
mod sockets;
#[cfg(target_os = "none")]
mod start;
#[cfg(target_os = "none")]
mod time;
#[cfg(target_os = "none")]
mod transfer;

// On the host there is nothing of it: these names are those of the host's own C library.
#[cfg(not(target_os = "none"))]
extern crate std;
