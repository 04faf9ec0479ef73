// SPDX-License-Identifier: BSD-2-Clause

//! The socket protocol between a client and the network server: declared here once, used by both
//! ends.
//!
//! A request is a protected procedure call with an [`Operation`] as its label and at most four
//! words, a reply a label and at most four words, so that the kernel's fastpath carries both.
//! Payload lies in shared memory, the [`window`]; what is ready stands in the [`ready`] page.
//! `docs/socket-protocol.md` has the table of operations, and `include/isthmus/socket_proto.h` what
//! a client in C needs.
//!
//! A client attaches first. The server answers [`RESTARTED`] to every other call of a client that
//! it does not know.
//!
//! Everything that is decoded here comes from a peer. Decoding never panics, whatever the words;
//! what it accepts is well formed and nothing more: whether a handle names a socket, and a range
//! lies in the window, the receiver checks against its own state.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

// Before its users: macros are scoped by order.
#[macro_use]
mod words;
#[macro_use]
mod values;
pub mod addr;
pub mod datagram;
mod errno;
mod handle;
mod message;
mod operations;
mod options;
mod poll;
pub mod query;
pub mod ready;
pub mod reply;
mod sync;
#[cfg(all(test, not(loom)))]
mod tests;
pub mod window;

pub use datagram::DatagramHeader;
pub use errno::Errno;
pub use handle::Handle;
pub use message::{MAX_BATCH, Message};
pub use operations::{
    Accepted, Attached, Batched, Name, Opened, OptionValue, Ready, Received, Sent, Written, op,
};
pub use operations::{COMMON_ERRORS, Call, Operation, OperationInfo, PENDING_ERRORS, Request};
pub use options::{OptionAccess, OptionInfo, OptionKinds, SocketOption};
pub use poll::PollBits;
pub use ready::{MAX_SOCKETS, ReadinessReader, ReadinessWriter};
pub use reply::{Failure, NO_PLACE, RESTARTED, Reply};
pub use values::{Family, Flags, Protocol, Shutdown, SocketKind};
pub use window::{CheckedSpan, Half, Span, WindowSizes};
pub use words::{Field, FieldInfo, Record, WORDS};

/// The protocol's version. Both ends must have the same: they are built from one tree into one
/// image.
pub const VERSION: u64 = 2;
