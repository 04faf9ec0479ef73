// SPDX-License-Identifier: BSD-2-Clause

//! Containers of fixed size, allocated at the start: what every layer keeps its state in.

pub mod fair_queue;
pub mod id;
pub mod list;
pub mod map;
pub mod pool;
pub mod secret;
pub mod set;
pub mod timers;
