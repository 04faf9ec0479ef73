// SPDX-License-Identifier: BSD-2-Clause
//! What the registry SDK's `microkit` tool tells its initialiser: one block of bytes that the
//! initialiser reads in place, without an allocator.
//!
//! The block is a [`Header`], tables of fixed-size records and the bytes that memory starts with.
//! [`Spec::decode`] checks everything that later code relies on, so that the initialiser only walks
//! lists:
//!
//! ```text
//! for each region      make its frames (at `paddr` if it has one), fill with `data`
//! for each PD          make TCB, CNode (CNODE_BITS), page tables, notification, endpoint if `has_endpoint`
//!   its areas          make private frames, fill with `data`, map
//!   its maps           map the region's frames
//!   its caps           mint into the CNode
//! for each interrupt   bind its handler to the PD's notification
//! for each PD          configure TCB (fault endpoint = slot `slots::FAULT`), write registers, start
//! ```
//!
//! Records are in the byte order of the target, which is little-endian.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("the spec is read in place and is little-endian");

#[cfg(any(feature = "encode", test))]
extern crate alloc;

pub mod abi;
mod decode;
#[cfg(any(feature = "encode", test))]
pub mod encode;
pub mod loader;
mod records;

pub use decode::{DecodeError, Pd, Spec};
pub use records::{
    Area, Cap, CapKind, Header, Irq, MAGIC, Map, NO_INDEX, NO_PADDR, PdRecord, Region, RegionKind,
    Rights, Span, Table, VERSION,
};
