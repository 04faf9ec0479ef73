// SPDX-License-Identifier: BSD-2-Clause

//! The library against a small network server in the same process.

mod calls;
mod tasks;
