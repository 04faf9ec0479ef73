// SPDX-License-Identifier: BSD-2-Clause
//! Tests on the host, one file a promise.

mod honest;
mod inherited;
mod lying;
mod model;
mod overwritten;
mod restart;
mod world;
