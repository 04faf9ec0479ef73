// SPDX-License-Identifier: BSD-2-Clause
//! Tests on the host, one file a promise.

mod honest;
mod lying;
mod model;
mod restart;
mod world;
