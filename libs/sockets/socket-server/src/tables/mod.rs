// SPDX-License-Identifier: BSD-2-Clause

//! Containers of fixed size, allocated at the start: what every layer keeps its state in.

pub mod list;
pub mod map;
pub mod secret;
pub mod timers;
