// SPDX-License-Identifier: BSD-2-Clause

//! The site that http_server serves, on picoserve. Everything here builds and is tested on the
//! host; the PD adds shared memory, the executor and the files.
//!
//! | path | content |
//! | --- | --- |
//! | `/` and other files | what is packed into the image ([`StaticFile`]) |
//! | `/stats.json` | the counters of all PDs ([`PdSource`]) |
//! | `/bytes/N` | N bytes of a known pattern ([`pattern`]), N up to 1 GiB |
//!
//! GET and HEAD. HTTP/1.1 with persistent connections, HTTP/1.0 with one request a connection. What
//! picoserve lets through and RFC 9112 does not is refused: malformed heads in `screen`, requests
//! that cannot be served in `gate`.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod files;
mod gate;
pub mod pattern;
mod screen;
mod serve;
mod site;
mod snapshot;
mod stream;

pub use files::StaticFile;
pub use serve::{BUFFER_LEN, Ended, serve};
pub use site::Site;
pub use snapshot::{Identity, PdSource};
pub use stream::{ByteStream, PdRuntime};
