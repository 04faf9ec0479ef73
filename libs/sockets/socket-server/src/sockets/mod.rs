// SPDX-License-Identifier: BSD-2-Clause

//! The operations on sockets, and what stands in the readiness pages.

mod datagrams;
mod handles;
mod readiness;
mod streams;
