// SPDX-License-Identifier: BSD-2-Clause

//! Replies: label 0 and up to four words, or the number of an error, or [`RESTARTED`].

use core::net::SocketAddr;

use crate::{Errno, Handle, Operation, PollBits, WindowSizes, addr};

/// Label of the answer to a client that this life of the server does not know: it was caught inside
/// a call when the server restarted, or has not attached since. The highest value of a 20-bit
/// label.
pub const RESTARTED: u64 = 0xf_ffff;

/// What `attach` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The server's [`crate::VERSION`].
    pub version: u64,
    /// The window as the server sees it.
    pub window: WindowSizes,
    /// Most sockets that the client may have.
    pub sockets: u64,
    /// The server's epoch, as in the readiness page.
    pub epoch: u32,
}

/// An operation's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// `bind`, `listen`, `connect` (datagram), `shutdown`, `close`: nothing to say.
    Done,
    /// `attach`.
    Attached(Attached),
    /// `socket`.
    Socket(Handle),
    /// `accept`.
    Accepted {
        /// The connection.
        socket: Handle,
        /// Who it is with.
        peer: SocketAddr,
    },
    /// `send`.
    Sent {
        /// Bytes (stream) or datagrams (datagram) taken.
        count: u64,
        /// Stream: bytes that the socket would take now if asked again; it only grows until the
        /// next `send`. So a client that passes on what it receives can receive no more
        /// than it can send, and needs no memory for a rest. Datagram: 0.
        room: u64,
    },
    /// `recv`.
    Received {
        /// Bytes of the range that were filled, headers and padding included.
        bytes: u64,
        /// How many datagrams that is; 0 on a stream.
        datagrams: u64,
    },
    /// `getsockname`, `getpeername`.
    Address(SocketAddr),
    /// `getsockopt`.
    Value(u64),
    /// `poll`.
    Ready(PollBits),
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server's answer.
    Errno(Errno),
    /// The server does not know the client: see [`RESTARTED`].
    Restarted,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Failure::Errno(errno)
    }
}

/// A reply.
pub type Reply = Result<Success, Failure>;

/// The reply's label and words.
#[must_use]
pub const fn encode(reply: &Reply) -> (u64, [u64; 4]) {
    let words = match reply {
        Err(Failure::Errno(errno)) => return (errno.raw() as u64, [0; 4]),
        Err(Failure::Restarted) => return (RESTARTED, [0; 4]),
        Ok(success) => match *success {
            Success::Done => [0; 4],
            Success::Attached(Attached {
                version,
                window,
                sockets,
                epoch,
            }) => [version, window.raw(), sockets, epoch as u64],
            Success::Socket(handle) => [handle.raw(), 0, 0, 0],
            Success::Accepted { socket, peer } => {
                let [b, c, d] = addr::to_words(peer);
                [socket.raw(), b, c, d]
            }
            Success::Sent { count, room } => [count, room, 0, 0],
            Success::Received { bytes, datagrams } => [bytes, datagrams, 0, 0],
            Success::Address(address) => {
                let [a, b, c] = addr::to_words(address);
                [a, b, c, 0]
            }
            Success::Value(value) => [value, 0, 0, 0],
            Success::Ready(bits) => [bits.raw() as u64, 0, 0, 0],
        },
    };
    (0, words)
}

/// Reads the reply to `operation`. A reply that makes no sense reads as `EPROTO`: for a client, its
/// server is a peer too.
///
/// # Errors
/// The failure that the reply carries.
pub fn decode(operation: Operation, label: u64, words: [u64; 4]) -> Reply {
    if label == RESTARTED {
        return Err(Failure::Restarted);
    }
    if label != 0 {
        return Err(Failure::Errno(
            Errno::from_raw(label).unwrap_or(Errno::EPROTO),
        ));
    }
    let [a, b, c, d] = words;
    let nonsense = |_| Failure::Errno(Errno::EPROTO);
    let handle = || Handle::from_raw(a).ok_or(Failure::Errno(Errno::EPROTO));
    Ok(match operation {
        Operation::Attach => Success::Attached(Attached {
            version: a,
            window: WindowSizes::from_raw(b),
            sockets: c,
            epoch: u32::try_from(d).map_err(|_| Failure::Errno(Errno::EPROTO))?,
        }),
        Operation::Socket => Success::Socket(handle()?),
        Operation::Accept => Success::Accepted {
            socket: handle()?,
            peer: addr::require([b, c, d]).map_err(nonsense)?,
        },
        Operation::Bind
        | Operation::Listen
        | Operation::Connect
        | Operation::Shutdown
        | Operation::Close => Success::Done,
        Operation::Send => Success::Sent { count: a, room: b },
        Operation::Recv => Success::Received {
            bytes: a,
            datagrams: b,
        },
        Operation::SockName | Operation::PeerName => {
            Success::Address(addr::require([a, b, c]).map_err(nonsense)?)
        }
        Operation::GetOption => Success::Value(a),
        Operation::Poll => Success::Ready(PollBits::from_raw(a)),
    })
}
