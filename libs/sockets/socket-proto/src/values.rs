// SPDX-License-Identifier: BSD-2-Clause

//! Words with few values, with the numbers of Linux.

use crate::Errno;

/// Declares an enum of one word.
macro_rules! values {
    (
        $(#[doc = $doc:literal])+
        $name:ident: $other:ident { $($(#[doc = $help:literal])+ $variant:ident = $value:literal $c:ident,)+ }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum $name { $($(#[doc = $help])+ $variant = $value,)+ }

        impl $name {
            /// The names in C, with their values.
            pub const VALUES: &'static [(&'static str, u64)] =
                &[$((stringify!($c), $value)),+];

            /// The word that travels in messages.
            #[must_use]
            pub const fn raw(self) -> u64 {
                self as u64
            }
        }

        one_word!($name, |value| value.raw(), |word| match word {
            $($value => Ok($name::$variant),)+
            _ => Err(Errno::$other),
        });
    };
}

values! {
    /// The family of a socket's addresses.
    Family: EAFNOSUPPORT {
        /// `AF_INET`: IPv4.
        Inet = 2 AF_INET,
    }
}

values! {
    /// What a socket is.
    SocketKind: ESOCKTNOSUPPORT {
        /// `SOCK_STREAM`: TCP.
        Stream = 1 SOCK_STREAM,
        /// `SOCK_DGRAM`: UDP.
        Datagram = 2 SOCK_DGRAM,
    }
}

values! {
    /// Which direction `shutdown` ends.
    Shutdown: EINVAL {
        /// `SHUT_RD`: `recv` returns what has come, then end of stream. The peer is not told.
        Read = 0 SHUT_RD,
        /// `SHUT_WR`: a FIN follows the bytes already taken.
        Write = 1 SHUT_WR,
        /// `SHUT_RDWR`.
        Both = 2 SHUT_RDWR,
    }
}

impl Shutdown {
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

values! {
    /// The protocol of a socket, as the third argument of `socket`.
    Protocol: EPROTONOSUPPORT {
        /// `IPPROTO_IP`: the usual one of the socket's kind.
        Usual = 0 IPPROTO_IP,
        /// `IPPROTO_TCP`, of stream sockets.
        Tcp = 6 IPPROTO_TCP,
        /// `IPPROTO_UDP`, of datagram sockets.
        Udp = 17 IPPROTO_UDP,
    }
}

values! {
    /// Flags of `send` and `recv`. No bit is known yet.
    Flags: EOPNOTSUPP {
        /// No flag.
        None = 0 MSG_NONE,
    }
}
