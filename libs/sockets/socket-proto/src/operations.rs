// SPDX-License-Identifier: BSD-2-Clause

//! The operations: the one place where they are declared. The types of requests and replies, their
//! decoding and encoding at both ends, the names of counters, the table of
//! `docs/socket-protocol.md` and the C header come from here.

use core::net::SocketAddr;

use crate::{
    ChangeKind, Errno, Family, FieldInfo, Flags, Handle, PollBits, Protocol, QueryKind, Record,
};
use crate::{SocketKind, SocketOption, Span, WORDS, WindowSizes};

/// Most requests that one `batch` carries out.
pub const MAX_BATCH: usize = 64;

/// A request: what it is called, and what comes back.
pub trait Call: Record {
    /// What the server returns.
    type Reply: Record;
    /// Which operation it is.
    const OPERATION: Operation;
}

/// An operation as the tables and the C header show it.
#[derive(Clone, Copy, Debug)]
pub struct OperationInfo {
    /// The words of the request.
    pub request: &'static [FieldInfo],
    /// The words of the reply.
    pub reply: &'static [FieldInfo],
    /// The errors that it can end with, besides [`COMMON_ERRORS`].
    pub errors: &'static [Errno],
    /// Whether it returns an error that waits on the socket, one of [`PENDING_ERRORS`].
    pub pending: bool,
}

/// Errors that every call can end with.
pub const COMMON_ERRORS: &[Errno] = &[Errno::ENOSYS, Errno::EINVAL, Errno::EBADF];

/// Errors that can wait on a socket: what the network has said about a connection, an attempt or a
/// datagram. They are returned once, by the operations that say so or by `SO_ERROR`.
pub const PENDING_ERRORS: &[Errno] = &[
    Errno::EACCES,
    Errno::ECONNREFUSED,
    Errno::ECONNRESET,
    Errno::EHOSTDOWN,
    Errno::EHOSTUNREACH,
    Errno::EMSGSIZE,
    Errno::ENETUNREACH,
    Errno::ENONET,
    Errno::EOPNOTSUPP,
    Errno::EPIPE,
    Errno::EPROTO,
    Errno::ETIMEDOUT,
];

impl OperationInfo {
    /// Whether the operation can end with this error.
    #[must_use]
    pub fn returns(&self, errno: Errno) -> bool {
        self.errors.contains(&errno)
            || COMMON_ERRORS.contains(&errno)
            || self.pending && PENDING_ERRORS.contains(&errno)
    }
}

macro_rules! operations {
    ($(
        $(#[doc = $doc:literal])+
        $label:literal $name:ident $c:ident {
            $($(#[doc = $help:literal])+ $field:ident: $type:ty,)*
        } -> $reply:ty, errors [$($errno:ident),* $(,)?] $($pending:ident)?;
    )+) => {
        values! {
            /// The operations; the number is the label of the message.
            Operation(u64) { $($(#[doc = $doc])+ $name = $label, $c;)+ }
        }

        impl Operation {
            /// Its lines of the tables.
            #[must_use]
            pub const fn info(self) -> OperationInfo {
                match self {
                    $(Operation::$name => OperationInfo {
                        request: <op::$name as Record>::FIELDS,
                        reply: <$reply as Record>::FIELDS,
                        errors: &[$(Errno::$errno),*],
                        pending: [$(stringify!($pending),)? ""].len() > 1,
                    },)+
                }
            }
        }

        /// The requests. None blocks: what would have to wait is `EAGAIN` or `EINPROGRESS`.
        pub mod op {
            use super::*;

            $(
                records! { $(#[doc = $doc])+ $name { $($(#[doc = $help])+ $field: $type,)* } }

                impl Call for $name {
                    type Reply = $reply;
                    const OPERATION: Operation = Operation::$name;
                }
            )+
        }

        /// What a client asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Request { $($(#[doc = $doc])+ $name(op::$name),)+ }

        impl Request {
            /// Reads a message. Words that the message did not have count as 0.
            ///
            /// # Errors
            /// `ENOSYS` for an unknown label, otherwise as the fields' types say; `EINVAL` if an
            /// unused word is not 0.
            pub fn decode(label: u64, words: [u64; WORDS]) -> Result<Request, Errno> {
                Ok(match Operation::from_raw(label).ok_or(Errno::ENOSYS)? {
                    $(Operation::$name => Request::$name(op::$name::decode(words)?),)+
                })
            }

            /// The message's label and words.
            #[must_use]
            pub fn encode(self) -> (u64, [u64; WORDS]) {
                match self {
                    $(Request::$name(request) => ($label, request.encode()),)+
                }
            }
        }
    };
}

records! {
    /// What `attach` returns.
    Attached {
        /// The server's [`crate::VERSION`].
        version: u64,
        /// The window as the server sees it: the length of the client's half in bits 0..32, that of
        /// the server's half in bits 32..64.
        window: WindowSizes,
        /// Most sockets that the client may have.
        sockets: u64,
        /// The server's epoch, as in the readiness region.
        epoch: u32,
    }

    /// What `socket` returns.
    Opened {
        /// The new socket.
        socket: Handle,
    }

    /// What `accept` returns.
    Accepted {
        /// The connection.
        socket: Handle,
        /// Its peer.
        peer: SocketAddr,
    }

    /// What `send` returns.
    Sent {
        /// Bytes (stream) or datagrams (datagram) taken.
        count: u64,
        /// Stream: bytes that the socket would take now if asked again; it only grows until the
        /// next `send`. So a client that passes on what it receives can receive no more than it
        /// can send, and needs no memory for a rest. Datagram: 0.
        room: u64,
    }

    /// What `recv` returns.
    Received {
        /// Bytes of the range that were filled, headers and padding included; with `MSG_TRUNC` on a
        /// stream, bytes that were taken.
        bytes: u64,
        /// How many datagrams that is; 0 on a stream.
        datagrams: u64,
    }

    /// What `getsockname` and `getpeername` return.
    Name {
        /// The address.
        address: SocketAddr,
    }

    /// What `getsockopt` returns.
    OptionValue {
        /// The value.
        value: u64,
        /// The second word of options that have one, otherwise 0.
        second: u64,
    }

    /// What `poll` returns.
    Ready {
        /// What the socket is ready for.
        bits: PollBits,
    }

    /// What `query` returns.
    Written {
        /// Bytes of the range that were filled.
        bytes: u64,
    }

    /// What `batch` returns.
    Batched {
        /// Requests that were carried out, the first ones first.
        count: u64,
    }

    /// What `captured` returns.
    Records {
        /// Bytes of the range that were filled: records, each of them whole.
        bytes: u64,
        /// Frames since the last `capture` for which the buffer had no room.
        dropped: u64,
    }
}

operations! {
    /// The first call. Drops every socket that the client had.
    1 Attach attach {
        /// The client's [`crate::VERSION`].
        version: u64,
    } -> Attached, errors [EPROTO];

    /// A new socket. It never blocks, so there is no flag for that.
    2 Socket socket {
        /// The family of its addresses.
        family: Family,
        /// Stream or datagram.
        kind: SocketKind,
        /// 0, or a protocol of that kind.
        protocol: Protocol,
    } -> Opened, errors [EACCES, EMFILE, ENFILE, EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT];

    /// Gives a socket its local address.
    3 Bind bind {
        /// The socket.
        socket: Handle,
        /// Local address; port 0 takes an ephemeral one, the unspecified address means any of the
        /// machine's.
        addr: SocketAddr,
    } -> (), errors [EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, ENODEV];

    /// Makes a stream socket wait for connections.
    4 Listen listen {
        /// The socket.
        socket: Handle,
        /// Connections that may wait for `accept`. The server clamps it to 1..=its limit.
        backlog: u64,
    } -> (), errors [EACCES, EADDRINUSE, EOPNOTSUPP];

    /// Takes the oldest complete connection.
    5 Accept accept {
        /// The listening socket.
        socket: Handle,
    } -> Accepted, errors [EAGAIN, EMFILE, EOPNOTSUPP];

    /// Stream: starts a connection. Datagram: sets the peer that `send` without an address goes to
    /// and that alone is heard.
    6 Connect connect {
        /// The socket.
        socket: Handle,
        /// The peer. None (`AF_UNSPEC`) dissolves: a connection is reset, a listener stops, a
        /// datagram socket hears everyone again.
        addr: Option<SocketAddr>,
    } -> (), errors [
        EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EALREADY, ECONNABORTED, EINPROGRESS, EISCONN, ENFILE,
        ENETUNREACH,
    ] pending;

    /// Stream: bytes. Datagram: a batch as in [`crate::datagram`].
    7 Send send {
        /// The socket.
        socket: Handle,
        /// Where the payload lies, in either half of the window.
        span: Span,
        /// How it is done.
        flags: Flags,
    } -> Sent, errors [
        EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EDESTADDRREQ, EFAULT, EMSGSIZE, ENETUNREACH,
        EOPNOTSUPP, EPIPE,
    ] pending;

    /// Stream: bytes; 0 of them means end of stream. Datagram: a batch.
    8 Recv recv {
        /// The socket.
        socket: Handle,
        /// Where the payload shall go, in the server's half of the window.
        span: Span,
        /// How it is done.
        flags: Flags,
    } -> Received, errors [EAGAIN, EFAULT, ENOTCONN, EOPNOTSUPP] pending;

    /// Ends one or both directions.
    9 Shutdown shutdown {
        /// The socket.
        socket: Handle,
        /// Which direction.
        how: crate::Shutdown,
    } -> (), errors [ENOTCONN];

    /// Gives the handle back. Bytes already taken are still sent, unless received ones were never
    /// read: then the connection is reset (RFC 2525 section 2.17).
    10 Close close {
        /// The socket.
        socket: Handle,
    } -> (), errors [];

    /// The local address.
    11 SockName getsockname {
        /// The socket.
        socket: Handle,
    } -> Name, errors [];

    /// The peer's address.
    12 PeerName getpeername {
        /// The socket.
        socket: Handle,
    } -> Name, errors [ENOTCONN];

    /// An option's value.
    13 GetOption getsockopt {
        /// The socket.
        socket: Handle,
        /// Which option.
        option: SocketOption,
    } -> OptionValue, errors [ENOPROTOOPT, EOPNOTSUPP];

    /// Readiness of a socket, and a wish to be notified at a time even if nothing becomes ready.
    14 Poll poll {
        /// Whose readiness to return; 0 returns no bits.
        socket: Option<Handle>,
        /// Nanoseconds since the counter `cntpct_el0` was 0; 0 asks for nothing. One per client:
        /// the earliest asked counts, until it has passed.
        deadline: u64,
    } -> Ready, errors [];

    /// Sets an option.
    15 SetOption setsockopt {
        /// The socket.
        socket: Handle,
        /// Which option.
        option: SocketOption,
        /// Its value.
        value: u64,
        /// The second word of options that have one, otherwise 0.
        second: u64,
    } -> (), errors [EADDRNOTAVAIL, EDOM, ENODEV, ENOPROTOOPT];

    /// Writes what is known of an interface, this client or a socket into the window.
    16 Query query {
        /// What is asked.
        what: QueryKind,
        /// The number of the interface, address, route or neighbour from 0 on, or the handle of the
        /// socket, or the number to look from among the sockets of all; otherwise 0.
        index: u64,
        /// Where the answer shall go, in the server's half of the window; longer than the layout is
        /// allowed.
        span: Span,
    } -> Written, errors [EFAULT, ENODEV, EOPNOTSUPP, EPERM];

    /// Carries out several requests, each a label and four words ([`crate::Message`]), one behind
    /// the other; the replies have the same form. `attach` and `batch` cannot be in it. Up to
    /// [`crate::MAX_BATCH`] requests are carried out, fewer if they have moved much.
    17 Batch batch {
        /// Offset of the first request, in the client's half of the window.
        requests: u64,
        /// How many there are.
        count: u64,
        /// Offset of the first reply, in the server's half of the window.
        replies: u64,
    } -> Batched, errors [EFAULT];

    /// Shows this client from now on the frames that pass, in records for `captured`; ends an
    /// earlier capture. Only for a client with `capture`.
    18 Capture capture {
        /// Where the filter lies, in the client's half of the window; empty ends the capture.
        span: Span,
    } -> (), errors [EAFNOSUPPORT, EFAULT, EPERM];

    /// Takes the oldest records of a capture.
    19 Captured captured {
        /// Where they shall go, in the server's half of the window.
        span: Span,
    } -> Records, errors [EFAULT, EMSGSIZE, EPERM];

    /// A datagram socket joins a group: it hears what comes to it at its port.
    20 Join join {
        /// The socket.
        socket: Handle,
        /// The group. Its scope, of IPv4 its port, is the number of the interface; 0 is the first
        /// one.
        group: SocketAddr,
    } -> (), errors [EACCES, EADDRINUSE, ENOBUFS, ENODEV, ENOPROTOOPT, EPROTO];

    /// A datagram socket leaves a group.
    21 Leave leave {
        /// The socket.
        socket: Handle,
        /// The group, as for `join`.
        group: SocketAddr,
    } -> (), errors [EACCES, EADDRNOTAVAIL, ENODEV, ENOPROTOOPT, EPROTO];

    /// Changes the interface, routes or neighbours, until the server restarts. Only for clients
    /// with `administration`.
    22 Change change {
        /// What is changed, and how.
        what: ChangeKind,
        /// 0, the number of the interface; of `END_SOCKET` the socket.
        index: u64,
        /// Where the layout lies that says the rest, in the client's half of the window; empty if
        /// there is none.
        span: Span,
    } -> (), errors [
        EADDRNOTAVAIL, EAFNOSUPPORT, EEXIST, EFAULT, ENETDOWN, ENETUNREACH, ENOBUFS, ENODEV, ENOENT,
        EPERM, ESRCH,
    ];
}

impl op::Socket {
    /// Asks for a socket of IPv4 with the usual protocol of its kind.
    #[must_use]
    pub const fn new(kind: SocketKind) -> Self {
        op::Socket {
            family: Family::Inet,
            kind,
            protocol: Protocol::Usual,
        }
    }
}

impl op::Send {
    /// Without flags.
    #[must_use]
    pub const fn new(socket: Handle, span: Span) -> Self {
        let flags = Flags::NONE;
        op::Send {
            socket,
            span,
            flags,
        }
    }
}

impl op::Recv {
    /// Without flags.
    #[must_use]
    pub const fn new(socket: Handle, span: Span) -> Self {
        let flags = Flags::NONE;
        op::Recv {
            socket,
            span,
            flags,
        }
    }
}

impl OptionValue {
    /// A value of one word.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        OptionValue { value, second: 0 }
    }
}
