// SPDX-License-Identifier: BSD-2-Clause

//! Error numbers. The values are those of Linux (`errno(3)`, asm-generic), because that is what
//! people who port socket code expect. The set is what the server can return, no more.

use core::fmt;

use embedded_io::ErrorKind;

/// Declares the errors, each with its number and what it is to users of `embedded-io`.
macro_rules! errnos {
    ($($(#[doc = $help:literal])+ $name:ident = $number:literal, $kind:ident;)+) => {
        values! {
            /// Why an operation failed, with Linux's number.
            Errno(u16) { $($(#[doc = $help])+ $name = $number, $name;)+ }
        }

        impl embedded_io::Error for Errno {
            fn kind(&self) -> ErrorKind {
                match self { $(Errno::$name => ErrorKind::$kind,)+ }
            }
        }
    };
}

errnos! {
    /// The declaration does not give this client the right.
    EPERM = 1, PermissionDenied;
    /// There is no such neighbour.
    ENOENT = 2, NotFound;
    /// There is no such route.
    ESRCH = 3, NotFound;
    /// The server has no place for this client until it is started with another configuration.
    ENXIO = 6, NotFound;
    /// The handle is stale, was never given out, or belongs to another client.
    EBADF = 9, InvalidInput;
    /// Nothing to do at once, or the client has had its share of the server's time; wait for a
    /// notification, then call again.
    EAGAIN = 11, Other;
    /// The configuration does not let this client use that protocol, port or destination, or the
    /// destination is all hosts and `SO_BROADCAST` is not set.
    EACCES = 13, PermissionDenied;
    /// An offset or length leaves the window.
    EFAULT = 14, InvalidInput;
    /// The address, the route or the neighbour is there already.
    EEXIST = 17, AlreadyExists;
    /// There is no such interface, or none of what is listed has this number.
    ENODEV = 19, NotFound;
    /// The operation does not fit the socket's state, or a reserved word is not zero.
    EINVAL = 22, InvalidInput;
    /// The server has no socket left.
    ENFILE = 23, OutOfMemory;
    /// This client has as many sockets as its quota allows.
    EMFILE = 24, OutOfMemory;
    /// The sending direction is shut down, by this end or by a reset.
    EPIPE = 32, BrokenPipe;
    /// A time with a million microseconds or more.
    EDOM = 33, InvalidInput;
    /// The label names no operation.
    ENOSYS = 38, Unsupported;
    /// A router says that this machine has no place on the network.
    ENONET = 64, Other;
    /// The two ends speak different versions, or a reply makes no sense.
    EPROTO = 71, Other;
    /// A datagram was sent without an address on a socket that is not connected.
    EDESTADDRREQ = 89, InvalidInput;
    /// The datagram is larger than the socket can ever send.
    EMSGSIZE = 90, InvalidInput;
    /// The socket has no such option.
    ENOPROTOOPT = 92, Unsupported;
    /// There is no such protocol for this type of socket.
    EPROTONOSUPPORT = 93, Unsupported;
    /// There is no such type of socket.
    ESOCKTNOSUPPORT = 94, Unsupported;
    /// The operation or the option that is read does not apply to this type of socket, or a flag is
    /// not known.
    EOPNOTSUPP = 95, Unsupported;
    /// The address is of a family that the server has no stack for.
    EAFNOSUPPORT = 97, Unsupported;
    /// The port is taken.
    EADDRINUSE = 98, AddrInUse;
    /// The address is not one of this machine, or no ephemeral port is left.
    EADDRNOTAVAIL = 99, AddrNotAvailable;
    /// The interface is shut down.
    ENETDOWN = 100, Other;
    /// No route leads to the destination.
    ENETUNREACH = 101, Other;
    /// An attempt to connect has failed, and its error was read before.
    ECONNABORTED = 103, ConnectionAborted;
    /// The connection was reset by the peer, or the server has restarted.
    ECONNRESET = 104, ConnectionReset;
    /// A pool of buffers is empty for the moment, or a table is full.
    ENOBUFS = 105, OutOfMemory;
    /// The socket is connected already.
    EISCONN = 106, InvalidInput;
    /// The socket is not connected.
    ENOTCONN = 107, NotConnected;
    /// The peer did not answer in time.
    ETIMEDOUT = 110, TimedOut;
    /// The peer answered the connection attempt with a reset.
    ECONNREFUSED = 111, ConnectionRefused;
    /// A router says that the destination is not there.
    EHOSTDOWN = 112, Other;
    /// The next hop does not answer, or a router says that it cannot reach the destination.
    EHOSTUNREACH = 113, Other;
    /// A connection attempt is under way already.
    EALREADY = 114, InvalidInput;
    /// The connection attempt has been started.
    EINPROGRESS = 115, Other;
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.help())
    }
}

impl core::error::Error for Errno {}
