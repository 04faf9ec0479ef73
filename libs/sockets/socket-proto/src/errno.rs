// SPDX-License-Identifier: BSD-2-Clause

//! Error numbers. The values are those of Linux (`errno(3)`, asm-generic), because that is what
//! people who port socket code expect; the set is what the server can answer, no more.

use core::fmt;

macro_rules! errnos {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        /// Why an operation failed, with Linux's number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Errno {
            $($(#[$doc])* $name = $value,)*
        }

        impl Errno {
            /// Every error number of the protocol.
            pub const ALL: &'static [Errno] = &[$(Errno::$name,)*];

            /// The error with this number, if the protocol has one.
            #[must_use]
            pub const fn from_raw(value: u64) -> Option<Errno> {
                match value {
                    $($value => Some(Errno::$name),)*
                    _ => None,
                }
            }

            /// The symbolic name, as in `errno.h`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Errno::$name => stringify!($name),)*
                }
            }

            /// One line for a log or a person.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Errno::$name => $text,)*
                }
            }
        }
    };
}

errnos! {
    /// The server's configuration has no place for this client. It stays so until the server is
    /// started with another configuration.
    ENXIO = 6, "the server has no place for this client";
    /// The handle is stale, was never given out, or belongs to another client.
    EBADF = 9, "not a socket of this client";
    /// Nothing to do at once, or the client has had its share of the server's time: wait for a
    /// notification, then call again.
    EAGAIN = 11, "would block; wait for readiness";
    /// The server's configuration does not let this client use that port or destination, or the
    /// destination is all hosts.
    EACCES = 13, "not permitted";
    /// An offset or length leaves the window.
    EFAULT = 14, "outside of the window";
    /// There is no such interface.
    ENODEV = 19, "no such interface";
    /// The operation does not fit the socket's state, or a reserved word is not zero.
    EINVAL = 22, "invalid argument or state";
    /// The server's pool of sockets is empty.
    ENFILE = 23, "the server has no socket left";
    /// This client has as many sockets as its quota allows.
    EMFILE = 24, "the client's socket quota is used up";
    /// The sending direction is shut down, by this end or by a reset.
    EPIPE = 32, "sending direction closed";
    /// The label names no operation.
    ENOSYS = 38, "unknown operation";
    /// A router says that this machine has no place on the network.
    ENONET = 64, "machine is not on the network";
    /// The two ends speak different versions, or a reply makes no sense.
    EPROTO = 71, "protocol error";
    /// A datagram was sent without an address on a socket that is not connected.
    EDESTADDRREQ = 89, "destination address required";
    /// The datagram is larger than the socket can ever send.
    EMSGSIZE = 90, "datagram too long";
    /// The socket has no such option.
    ENOPROTOOPT = 92, "no such option";
    /// No such protocol for this type of socket.
    EPROTONOSUPPORT = 93, "protocol not supported";
    /// No such type of socket.
    ESOCKTNOSUPPORT = 94, "socket type not supported";
    /// The operation does not apply to this type of socket, or a flag is not known.
    EOPNOTSUPP = 95, "operation not supported on this socket";
    /// The address is of a family that the server has no stack for.
    EAFNOSUPPORT = 97, "address family not supported";
    /// The port is taken.
    EADDRINUSE = 98, "address already in use";
    /// The address is not one of this machine, or no ephemeral port is left.
    EADDRNOTAVAIL = 99, "address not available";
    /// No route leads to the destination.
    ENETUNREACH = 101, "network unreachable";
    /// An attempt to connect has failed, and its error was read before.
    ECONNABORTED = 103, "connection attempt failed";
    /// The peer reset the connection.
    ECONNRESET = 104, "connection reset by peer";
    /// A pool of buffers is empty for the moment.
    ENOBUFS = 105, "no buffer space available";
    /// The socket is connected already.
    EISCONN = 106, "already connected";
    /// The socket is not connected.
    ENOTCONN = 107, "not connected";
    /// The peer did not answer in time.
    ETIMEDOUT = 110, "connection timed out";
    /// The peer answered the connection attempt with a reset.
    ECONNREFUSED = 111, "connection refused";
    /// A router says that the destination is not there.
    EHOSTDOWN = 112, "host is down";
    /// The next hop does not answer, or a router says that it cannot reach the destination.
    EHOSTUNREACH = 113, "no route to host";
    /// A connection attempt is under way already.
    EALREADY = 114, "connection attempt already in progress";
    /// The connection attempt has been started.
    EINPROGRESS = 115, "connection attempt started";
}

impl Errno {
    /// The number, as it travels in the label of a reply.
    #[must_use]
    pub const fn raw(self) -> u16 {
        self as u16
    }

    /// Whether the same call may succeed later without the caller changing anything.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        matches!(
            self,
            Errno::EAGAIN
                | Errno::ENFILE
                | Errno::ENOBUFS
                | Errno::EALREADY
                | Errno::EINPROGRESS
                | Errno::EHOSTUNREACH
        )
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.description(), self.name())
    }
}

impl core::error::Error for Errno {}
