// SPDX-License-Identifier: BSD-2-Clause

//! The site served over a stream that a test writes and reads.

mod malformed;
mod pages;
mod peer;
