// SPDX-License-Identifier: BSD-2-Clause

//! TLS 1.3 and 1.2 on a stream, at either end: rustls, with the algorithms of RustCrypto, and the
//! traits of `embedded-io-async` outside.
//!
//! A client checks the server's certificate: that an authority which it trusts has signed it, for
//! the name that was asked for, and that it is valid now. So it must know the time, and while it
//! does not, no connection is made.
//!
//! Random bytes come from the crate `getrandom`; a PD registers a source of them (pd-support's
//! feature `getrandom`). A connection takes about 40 KiB of the heap, and more for a moment while
//! it is made.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod ends;
mod error;
mod stream;

/// What the build has put in: the files `authority.pem`, `certificate.pem` and `key.pem` of the
/// folder that `ISTHMUS_TLS` names. Without that they are made for trying, in `build/tls`.
pub mod built_in {
    include!(concat!(env!("OUT_DIR"), "/built_in.rs"));
}

pub use ends::{Authorities, Identity};
pub use error::TlsError;
pub use stream::TlsStream;
