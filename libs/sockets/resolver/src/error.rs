// SPDX-License-Identifier: BSD-2-Clause

//! Why there is no answer.

use core::fmt::{self, Display, Formatter};

use socket_client::Errno;

/// Why a name has no address. In brackets what `getaddrinfo` of Linux returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// The text is neither an address nor a host's name (`EAI_NONAME`).
    BadName,
    /// There is no such name (`EAI_NONAME`).
    NotFound,
    /// The name exists and has nothing of the kind that was asked for (`EAI_NODATA`).
    NoData,
    /// The declaration names no server (`EAI_AGAIN`).
    NoServer,
    /// The name is an alias of an alias, and so on: more than [`MAX_ALIASES`](crate::MAX_ALIASES)
    /// of them, or a circle (`EAI_FAIL`).
    TooManyAliases,
    /// The last server asked could not or would not answer; the response code of RFC 1035 section
    /// 4.1.1, or 0 if its answer makes no sense (2, "server failure": `EAI_AGAIN`; others:
    /// `EAI_FAIL`).
    Server(u8),
    /// The last server asked could not be reached, for instance with `ETIMEDOUT` or `ECONNREFUSED`
    /// (`EAI_AGAIN`); or this client may not ask it: `EACCES`, `EMFILE`, `ENOBUFS` (`EAI_SYSTEM`).
    Socket(Errno),
}

impl ResolveError {
    /// Whether the same question may have an answer later, though nothing is changed here.
    pub fn is_temporary(self) -> bool {
        match self {
            ResolveError::Server(code) => code == 2,
            ResolveError::Socket(errno) => !matches!(errno, Errno::EACCES | Errno::EMSGSIZE),
            _ => false,
        }
    }
}

impl From<Errno> for ResolveError {
    fn from(errno: Errno) -> Self {
        ResolveError::Socket(errno)
    }
}

impl Display for ResolveError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ResolveError::BadName => f.write_str("no name of a host"),
            ResolveError::NotFound => f.write_str("no such name"),
            ResolveError::NoData => f.write_str("the name has no such address"),
            ResolveError::NoServer => f.write_str("no name server is declared"),
            ResolveError::TooManyAliases => f.write_str("too many aliases"),
            ResolveError::Server(code) => write!(f, "the name server failed with code {code}"),
            ResolveError::Socket(errno) => write!(f, "the name server: {errno}"),
        }
    }
}

impl core::error::Error for ResolveError {}
