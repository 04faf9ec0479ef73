// SPDX-License-Identifier: BSD-2-Clause

//! Names to addresses: a DNS stub resolver (RFC 1034 section 5.3.1) for tasks on
//! [`socket_client::Net`].
//!
//! ```
//! # test_world::example(async |net, peer| {
//! use resolver::{Kind, ResolveError, Resolver};
//!
//! // In a PD, `pd_net::resolver(net)` takes servers and search domain from the declaration.
//! # let server = peer.echo();
//! let resolver = Resolver::<_>::new(net, [server], "example.org")?;
//! let literal = resolver.resolve("192.0.2.7", Kind::A).await.expect("not asked for");
//! assert_eq!(literal.addresses()[0].to_string(), "192.0.2.7");
//! // This server gives back what it is sent, which is no answer.
//! let failed = resolver.addresses("www.example.org").await;
//! assert!(failed.is_err_and(ResolveError::is_temporary));
//! # Ok(())
//! # });
//! ```
//!
//! # What it needs from the declaration
//!
//! A datagram socket for each question that is under way (`datagram_sockets`), and
//! `udp_send = ["<server>:53"]`. An answer of more than 512 bytes comes by TCP: that needs a stream
//! socket and `tcp_connect = ["<server>:53"]`. Without them a question fails with `EACCES` or
//! `EMFILE`.
//!
//! # What is believed
//!
//! An answer counts if it comes from the address and port that were asked, to the port that asked,
//! with the same id and the same question (RFC 5452 section 9.1). All else is dropped, and the
//! wait goes on. Each question has a socket of its own, so net_server chooses a new port for it: 14
//! bits that only net_server can predict (RFC 6056). The 16 bits of the id come from a keyed hash
//! (SipHash) whose key is drawn from such ports when the [`Resolver`] is made. So both are as good
//! as net_server's key, which is from the random number generator, or from the time of the boot on
//! a machine without one. There is no DNSSEC and no encryption: who sits on the path can lie.
//!
//! # Limits
//!
//! Each is a constant of this crate: servers ([`MAX_SERVERS`]), addresses of an answer
//! ([`MAX_ADDRESSES`]; further ones are left out), aliases followed ([`MAX_ALIASES`]), bytes of an
//! answer ([`MAX_ANSWER`]). A full cache gives up the entry that expires first. Nothing is
//! allocated; a question under way takes about 6 KiB of its task.
//!
//! # The parser
//!
//! Messages are written and read by the crate `domain` of NLnet Labs, who make the servers NSD and
//! Unbound: it needs neither `std` nor a heap. `hickory-proto` needs a heap, and `simple-dns` 0.13
//! does not build without `std`.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]

mod answer;
mod cache;
mod error;
mod message;
#[cfg(feature = "embedded-nal-async")]
mod nal;
mod name;
mod random;
mod resolver;

pub use answer::{Answer, Kind, MAX_ADDRESSES};
pub use error::ResolveError;
pub use message::{MAX_ALIASES, MAX_ANSWER};
pub use name::HostName;
pub use resolver::{MAX_SERVERS, Resolver, WAITS};
