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
//! A client attaches first. Every other call of a client that the server does not know returns
//! [`RESTARTED`].
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
mod flags;
mod handle;
pub mod layouts;
mod operations;
mod options;
mod poll;
pub mod ready;
pub mod reply;
#[cfg(all(test, not(loom)))]
mod tests;
pub mod window;

pub use errno::Errno;
pub use flags::{Flag, Flags};
pub use handle::Handle;
pub use layouts::{ChangeKind, DatagramHeader, Message, QueryKind};
pub use operations::{
    Accepted, Attached, Batched, Name, Opened, OptionValue, Ready, Received, Records, Sent,
    Written, op,
};
pub use operations::{COMMON_ERRORS, Call, MAX_BATCH, Operation, OperationInfo};
pub use operations::{PENDING_ERRORS, Request};
pub use options::{OptionAccess, OptionKinds, SocketOption};
pub use poll::PollBits;
pub use ready::{MAX_SOCKETS, ReadinessReader, ReadinessWriter};
pub use reply::{Failure, NO_PLACE, RESTARTED, Reply};
pub use values::{Family, Protocol, Shutdown, SocketKind};
pub use window::{CheckedSpan, Half, Span, WindowSizes};
pub use words::{Field, FieldInfo, Record, WORDS};

/// The protocol's version. Both ends must have the same: they are built from one tree into one
/// image.
pub const VERSION: u64 = 5;
