// SPDX-License-Identifier: BSD-2-Clause

//! Fetches by HTTP what others ask for, as a forward proxy does: a peer sends a request with a
//! whole URL, this side is the client of the server named there (the crate reqwless, with `tls`
//! beneath for https), and the response goes back. `docs/apps/http_client.md` shows it.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod fetch;
mod head;

pub use fetch::{Buffers, Proxy, Trust};
pub use head::{HEAD_LEN, Head, MAX_HEADERS, Refusal, Target};
