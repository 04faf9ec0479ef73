// SPDX-License-Identifier: BSD-2-Clause

//! Requests: a label and at most four words. Decoding is strict (a reserved bit that is set is an
//! error), so that a later version can give it a meaning.

use core::net::SocketAddr;

use crate::{Errno, Handle, Span, addr};

/// What a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketKind {
    /// `SOCK_STREAM`: TCP.
    Stream,
    /// `SOCK_DGRAM`: UDP.
    Datagram,
}

impl SocketKind {
    /// The value of `SO_TYPE`, as in Linux.
    #[must_use]
    pub const fn raw(self) -> u64 {
        match self {
            SocketKind::Stream => 1,
            SocketKind::Datagram => 2,
        }
    }

    const fn from_raw(word: u64) -> Result<SocketKind, Errno> {
        match word {
            1 => Ok(SocketKind::Stream),
            2 => Ok(SocketKind::Datagram),
            _ => Err(Errno::ESOCKTNOSUPPORT),
        }
    }
}

/// Which direction `shutdown` ends; values as in Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// `SHUT_RD`: `recv` returns what has come, then end of stream. The peer is not told.
    Read,
    /// `SHUT_WR`: a FIN follows the bytes already taken.
    Write,
    /// `SHUT_RDWR`.
    Both,
}

impl Shutdown {
    const fn raw(self) -> u64 {
        match self {
            Shutdown::Read => 0,
            Shutdown::Write => 1,
            Shutdown::Both => 2,
        }
    }

    const fn from_raw(word: u64) -> Result<Shutdown, Errno> {
        match word {
            0 => Ok(Shutdown::Read),
            1 => Ok(Shutdown::Write),
            2 => Ok(Shutdown::Both),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Whether the receiving direction ends.
    #[must_use]
    pub const fn read(self) -> bool {
        matches!(self, Shutdown::Read | Shutdown::Both)
    }

    /// Whether the sending direction ends.
    #[must_use]
    pub const fn write(self) -> bool {
        matches!(self, Shutdown::Write | Shutdown::Both)
    }
}

/// Socket options. The word is Linux's `level << 32 | name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketOption {
    /// `SO_TYPE`: 1 stream, 2 datagram. Read only.
    Type,
    /// `SO_ERROR`: the pending error's number, or 0; reading clears it. Read only.
    Error,
}

const SOL_SOCKET: u64 = 1;

impl SocketOption {
    const fn raw(self) -> u64 {
        match self {
            SocketOption::Type => SOL_SOCKET << 32 | 3,
            SocketOption::Error => SOL_SOCKET << 32 | 4,
        }
    }

    const fn from_raw(word: u64) -> Result<SocketOption, Errno> {
        const TYPE: u64 = SocketOption::Type.raw();
        const ERROR: u64 = SocketOption::Error.raw();
        match word {
            TYPE => Ok(SocketOption::Type),
            ERROR => Ok(SocketOption::Error),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }
}

/// The operations; the value is the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[allow(
    missing_docs,
    reason = "each is described at the Request of the same name"
)]
pub enum Operation {
    Attach = 1,
    Socket = 2,
    Bind = 3,
    Listen = 4,
    Accept = 5,
    Connect = 6,
    Send = 7,
    Recv = 8,
    Shutdown = 9,
    Close = 10,
    SockName = 11,
    PeerName = 12,
    GetOption = 13,
    Poll = 14,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 14] = [
        Operation::Attach,
        Operation::Socket,
        Operation::Bind,
        Operation::Listen,
        Operation::Accept,
        Operation::Connect,
        Operation::Send,
        Operation::Recv,
        Operation::Shutdown,
        Operation::Close,
        Operation::SockName,
        Operation::PeerName,
        Operation::GetOption,
        Operation::Poll,
    ];

    /// The label that travels in the message.
    #[must_use]
    pub const fn label(self) -> u64 {
        self as u64
    }

    /// The operation with this label.
    #[must_use]
    pub const fn from_label(label: u64) -> Option<Operation> {
        // Labels count from 1 without gaps, which a test checks.
        if label == 0 || label > Self::ALL.len() as u64 {
            return None;
        }
        Some(Self::ALL[label as usize - 1])
    }
}

/// What a client asks for. No request blocks: what would have to wait answers `EAGAIN` or
/// `EINPROGRESS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The first call. Drops every socket that the client had.
    Attach {
        /// The client's [`crate::VERSION`].
        version: u64,
    },
    /// A new socket.
    Socket {
        /// Stream or datagram.
        kind: SocketKind,
    },
    /// Gives a socket its local address. Port 0 takes an ephemeral one.
    Bind {
        /// The socket.
        socket: Handle,
        /// Local address; the unspecified address means any of the machine's.
        addr: SocketAddr,
    },
    /// Makes a bound stream socket wait for connections.
    Listen {
        /// The socket.
        socket: Handle,
        /// Connections, half-open ones included, that may wait for `accept`. The server clamps it
        /// to 1..=its limit.
        backlog: u64,
    },
    /// Takes the oldest complete connection. Answers a new handle and the peer.
    Accept {
        /// The listening socket.
        socket: Handle,
    },
    /// Stream: starts a connection. Datagram: sets the peer that `send` without an address goes to
    /// and that alone is heard.
    Connect {
        /// The socket.
        socket: Handle,
        /// The peer. None (`AF_UNSPEC`) dissolves: a connection is reset, a listener stops, a
        /// datagram socket hears everyone again.
        addr: Option<SocketAddr>,
    },
    /// Stream: bytes. Datagram: a batch as in [`crate::datagram`].
    Send {
        /// The socket.
        socket: Handle,
        /// Where the payload lies, in either half of the window.
        span: Span,
    },
    /// Stream: bytes; 0 of them means end of stream. Datagram: a batch.
    Recv {
        /// The socket.
        socket: Handle,
        /// Where the payload shall go, in the server's half of the window.
        span: Span,
    },
    /// Ends one or both directions.
    Shutdown {
        /// The socket.
        socket: Handle,
        /// Which.
        how: Shutdown,
    },
    /// Gives the handle back. Bytes already taken are still sent, unless received ones were never
    /// read: then the connection is reset (RFC 2525 section 2.17).
    Close {
        /// The socket.
        socket: Handle,
    },
    /// The local address.
    SockName {
        /// The socket.
        socket: Handle,
    },
    /// The peer's address.
    PeerName {
        /// The socket.
        socket: Handle,
    },
    /// An option's value.
    GetOption {
        /// The socket.
        socket: Handle,
        /// Which.
        option: SocketOption,
    },
    /// Readiness of a socket, and a wish to be notified at a time even if nothing becomes ready.
    Poll {
        /// Whose readiness to answer; none answers no bits.
        socket: Option<Handle>,
        /// Nanoseconds since the counter `cntpct_el0` was 0; 0 asks for nothing. One per client:
        /// the earliest asked counts, until it has passed.
        deadline: u64,
    },
}

const fn handle(word: u64) -> Result<Handle, Errno> {
    match Handle::from_raw(word) {
        Some(handle) => Ok(handle),
        None => Err(Errno::EBADF),
    }
}

const fn zero<const N: usize>(words: [u64; N]) -> Result<(), Errno> {
    let mut i = 0;
    while i < N {
        if words[i] != 0 {
            return Err(Errno::EINVAL);
        }
        i += 1;
    }
    Ok(())
}

/// A range and the flags word, of which no bit is known yet.
const fn span(offset: u64, length: u64, flags: u64) -> Result<Span, Errno> {
    if flags != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    Ok(Span { offset, length })
}

impl Request {
    /// Reads a message. Words that the message did not have count as 0.
    ///
    /// # Errors
    /// `ENOSYS` for an unknown label, `EBADF` for a word that cannot be a handle, otherwise as the
    /// field's type says; `EINVAL` if an unused word is not 0.
    pub fn decode(label: u64, words: [u64; 4]) -> Result<Request, Errno> {
        let operation = Operation::from_label(label).ok_or(Errno::ENOSYS)?;
        let [a, b, c, d] = words;
        Ok(match operation {
            Operation::Attach => {
                zero([b, c, d])?;
                Request::Attach { version: a }
            }
            Operation::Socket => {
                zero([b, c, d])?;
                Request::Socket {
                    kind: SocketKind::from_raw(a)?,
                }
            }
            Operation::Bind => Request::Bind {
                socket: handle(a)?,
                addr: addr::require([b, c, d])?,
            },
            Operation::Listen => {
                zero([c, d])?;
                Request::Listen {
                    socket: handle(a)?,
                    backlog: b,
                }
            }
            Operation::Accept => {
                zero([b, c, d])?;
                Request::Accept { socket: handle(a)? }
            }
            Operation::Connect => Request::Connect {
                socket: handle(a)?,
                addr: addr::from_words([b, c, d])?,
            },
            Operation::Send => Request::Send {
                socket: handle(a)?,
                span: span(b, c, d)?,
            },
            Operation::Recv => Request::Recv {
                socket: handle(a)?,
                span: span(b, c, d)?,
            },
            Operation::Shutdown => {
                zero([c, d])?;
                Request::Shutdown {
                    socket: handle(a)?,
                    how: Shutdown::from_raw(b)?,
                }
            }
            Operation::Close => {
                zero([b, c, d])?;
                Request::Close { socket: handle(a)? }
            }
            Operation::SockName => {
                zero([b, c, d])?;
                Request::SockName { socket: handle(a)? }
            }
            Operation::PeerName => {
                zero([b, c, d])?;
                Request::PeerName { socket: handle(a)? }
            }
            Operation::GetOption => {
                zero([c, d])?;
                Request::GetOption {
                    socket: handle(a)?,
                    option: SocketOption::from_raw(b)?,
                }
            }
            Operation::Poll => {
                zero([c, d])?;
                let socket = if a == 0 { None } else { Some(handle(a)?) };
                Request::Poll {
                    socket,
                    deadline: b,
                }
            }
        })
    }

    /// The operation that this asks for.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Request::Attach { .. } => Operation::Attach,
            Request::Socket { .. } => Operation::Socket,
            Request::Bind { .. } => Operation::Bind,
            Request::Listen { .. } => Operation::Listen,
            Request::Accept { .. } => Operation::Accept,
            Request::Connect { .. } => Operation::Connect,
            Request::Send { .. } => Operation::Send,
            Request::Recv { .. } => Operation::Recv,
            Request::Shutdown { .. } => Operation::Shutdown,
            Request::Close { .. } => Operation::Close,
            Request::SockName { .. } => Operation::SockName,
            Request::PeerName { .. } => Operation::PeerName,
            Request::GetOption { .. } => Operation::GetOption,
            Request::Poll { .. } => Operation::Poll,
        }
    }

    /// The message's label and words.
    #[must_use]
    pub const fn encode(&self) -> (u64, [u64; 4]) {
        let words = match *self {
            Request::Attach { version } => [version, 0, 0, 0],
            Request::Socket { kind } => [kind.raw(), 0, 0, 0],
            Request::Bind { socket, addr }
            | Request::Connect {
                socket,
                addr: Some(addr),
            } => {
                let [b, c, d] = addr::to_words(addr);
                [socket.raw(), b, c, d]
            }
            Request::Connect { socket, addr: None } => {
                let [b, c, d] = addr::NO_ADDRESS;
                [socket.raw(), b, c, d]
            }
            Request::Listen { socket, backlog } => [socket.raw(), backlog, 0, 0],
            Request::Accept { socket }
            | Request::Close { socket }
            | Request::SockName { socket }
            | Request::PeerName { socket } => [socket.raw(), 0, 0, 0],
            Request::Send { socket, span } | Request::Recv { socket, span } => {
                [socket.raw(), span.offset, span.length, 0]
            }
            Request::Shutdown { socket, how } => [socket.raw(), how.raw(), 0, 0],
            Request::GetOption { socket, option } => [socket.raw(), option.raw(), 0, 0],
            Request::Poll { socket, deadline } => {
                let socket = match socket {
                    Some(socket) => socket.raw(),
                    None => 0,
                };
                [socket, deadline, 0, 0]
            }
        };
        (self.operation().label(), words)
    }
}
