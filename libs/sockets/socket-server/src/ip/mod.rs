// SPDX-License-Identifier: BSD-2-Clause

//! IPv4: packets in and out, fragments, ICMP, path MTU, and limits on what is sent unasked.

mod errors;
pub mod icmp;
mod input;
pub mod packet;
pub mod paths;
pub mod rate;
pub mod reassembly;
pub mod send;
pub mod stack;
