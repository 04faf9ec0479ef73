// SPDX-License-Identifier: BSD-2-Clause

//! From messages to operations and back, and the clients' windows.

mod batch;
pub mod requests;
pub mod window;
