// SPDX-License-Identifier: BSD-2-Clause

//! From messages to operations and back, and the clients' windows.

pub mod requests;
pub mod window;
