// SPDX-License-Identifier: BSD-2-Clause

//! Error numbers: those of the server, and those that only a library needs.

use core::fmt;

use socket_client::Errno;

/// An error with Linux's number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(u16);

impl Error {
    /// The descriptor is free.
    pub const EBADF: Error = Error(9);
    /// A pointer is null.
    pub const EFAULT: Error = Error(14);
    /// An argument makes no sense.
    pub const EINVAL: Error = Error(22);
    /// All descriptors are taken.
    pub const EMFILE: Error = Error(24);
    /// The request is not one of a socket.
    pub const ENOTTY: Error = Error(25);
    /// There is no room for the text.
    pub const ENOSPC: Error = Error(28);
    /// A socket has no position.
    pub const ESPIPE: Error = Error(29);
    /// A call that waits was made while a peer waits for this PD.
    pub const EDEADLK: Error = Error(35);
    /// A socket was named that is none.
    pub const ENOTSOCK: Error = Error(88);
    /// Too many pieces.
    pub const EMSGSIZE: Error = Error(90);
    /// The protocol has no such option.
    pub const ENOPROTOOPT: Error = Error(92);
    /// There is no such operation.
    pub const EOPNOTSUPP: Error = Error(95);
    /// There are no such addresses.
    pub const EAFNOSUPPORT: Error = Error(97);
    /// This PD is no client of net_server.
    pub const ENETDOWN: Error = Error(100);

    /// Returns Linux's number.
    #[must_use]
    pub const fn raw(self) -> u16 {
        self.0
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Error(errno.raw())
    }
}

impl PartialEq<Errno> for Error {
    fn eq(&self, errno: &Errno) -> bool {
        self.0 == errno.raw()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Errno::from_raw(self.0.into()) {
            Some(errno) => f.write_str(errno.name()),
            None => write!(f, "error {}", self.0),
        }
    }
}
