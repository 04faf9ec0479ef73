// SPDX-License-Identifier: BSD-2-Clause

//! The site that http_server serves, on picoserve. Everything here builds and is tested on the
//! host; the PD adds shared memory, the executor and the files.
//!
//! | path | content |
//! | --- | --- |
//! | `/` and other files | what is packed into the image ([`StaticFile`]) |
//! | `/stats.json` | the counters of all PDs ([`snapshot`]) |
//! | `/bytes/N` | N bytes of a known pattern ([`pattern`]), N up to 1 GiB |
//!
//! GET and HEAD. HTTP/1.1 with persistent connections, HTTP/1.0 with one request a connection. What
//! picoserve lets through and RFC 9112 does not is refused: malformed heads in [`screen`], requests
//! that cannot be served in [`gate`].

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod files;
pub mod gate;
pub mod pattern;
pub mod screen;
mod serve;
mod site;
pub mod snapshot;
mod stream;

use core::future::poll_fn;
use core::task::Poll;

pub use files::StaticFile;
pub use serve::{BUFFER_LEN, Ended, serve};
pub use site::Site;
pub use snapshot::{Identity, PdSource};
pub use stream::{ByteStream, Connection, Flow, NetTimer, PdRuntime};

/// Lets the other tasks have their turn.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
