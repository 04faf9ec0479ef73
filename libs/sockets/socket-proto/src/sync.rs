// SPDX-License-Identifier: BSD-2-Clause

//! The atomics: the machine's, or loom's when the readiness region is being checked.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU32, Ordering};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, Ordering};
