// SPDX-License-Identifier: BSD-2-Clause
//! Empty: see `Cargo.toml`.
