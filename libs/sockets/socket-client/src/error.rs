// SPDX-License-Identifier: BSD-2-Clause

//! The error of the async API. It is an [`Errno`] with the traits that I/O libraries ask for.

use core::fmt;

use embedded_io_async::ErrorKind;
use socket_proto::Errno;

/// Why a socket operation failed, with Linux's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Error(pub Errno);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for Error {}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Error(errno)
    }
}

impl embedded_io_async::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self.0 {
            Errno::EACCES => ErrorKind::PermissionDenied,
            Errno::EBADF
            | Errno::EFAULT
            | Errno::EINVAL
            | Errno::EDESTADDRREQ
            | Errno::EMSGSIZE
            | Errno::EALREADY
            | Errno::EISCONN => ErrorKind::InvalidInput,
            Errno::EPIPE => ErrorKind::BrokenPipe,
            Errno::EADDRINUSE => ErrorKind::AddrInUse,
            Errno::EADDRNOTAVAIL => ErrorKind::AddrNotAvailable,
            Errno::ECONNRESET => ErrorKind::ConnectionReset,
            Errno::ECONNABORTED => ErrorKind::ConnectionAborted,
            Errno::ECONNREFUSED => ErrorKind::ConnectionRefused,
            Errno::ENOTCONN => ErrorKind::NotConnected,
            Errno::ETIMEDOUT => ErrorKind::TimedOut,
            Errno::ENFILE | Errno::EMFILE | Errno::ENOBUFS => ErrorKind::OutOfMemory,
            Errno::ENXIO | Errno::ENODEV => ErrorKind::NotFound,
            Errno::ENOSYS
            | Errno::ENOPROTOOPT
            | Errno::EPROTONOSUPPORT
            | Errno::ESOCKTNOSUPPORT
            | Errno::EOPNOTSUPP
            | Errno::EAFNOSUPPORT => ErrorKind::Unsupported,
            Errno::EAGAIN
            | Errno::EPROTO
            | Errno::ENETUNREACH
            | Errno::EHOSTUNREACH
            | Errno::EHOSTDOWN
            | Errno::ENONET
            | Errno::EINPROGRESS => ErrorKind::Other,
        }
    }
}
