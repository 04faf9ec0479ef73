// SPDX-License-Identifier: BSD-2-Clause

//! The label that the protected procedure calls of all protocols have in common.

#![no_std]
#![forbid(unsafe_code)]

/// Label of the reply to a call that was lost because the callee was restarted, or that the callee
/// cannot serve because its parent has parked it. The runtime sends it for every PD, so no protocol
/// gives it another meaning. It is the highest label that both kernels can carry. See
/// docs/architecture.md, "Restart of a PD".
pub const RESTARTED: u64 = 0xf_ffff;
