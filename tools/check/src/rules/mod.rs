// SPDX-License-Identifier: BSD-2-Clause
//! The rules, by what they are about.

pub mod dependencies;
pub mod files;
pub mod promises;
pub mod unsafety;
pub mod width;
