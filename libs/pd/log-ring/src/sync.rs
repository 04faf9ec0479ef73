// SPDX-License-Identifier: BSD-2-Clause
//! The atomics: the machine's, or loom's when the protocol is being checked.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering, fence};
