// SPDX-License-Identifier: BSD-2-Clause

//! A store of keys and values in memory, for clients that speak RESP2, such as `redis-cli` and
//! `redis-benchmark`. `docs/apps/key_value.md` lists the commands.
//!
//! - [`Store`]: keys and values in blocks of one pool, which is allocated at the start. When it is
//!   used up, writing commands get an error; nothing is evicted.
//! - [`parse`]: commands out of the bytes of a connection, without a copy. The crate
//!   `redis-protocol` makes a `Vec` of each command and more of its arguments; a server that takes
//!   only arrays of strings needs none.
//! - [`Service`]: one command, one reply; and the task of a connection, which answers all commands
//!   that have come before it sends.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod command;
mod reply;
mod request;
mod serve;
mod store;

pub use command::Service;
pub use reply::{Full, REPLY_LEN, Reply};
pub use request::{Command, MAX_ARGUMENTS, ProtocolError, REQUEST_LEN, parse};
pub use serve::{Buffers, serve};
pub use store::{OutOfMemory, Store, Value};
