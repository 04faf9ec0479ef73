// SPDX-License-Identifier: BSD-2-Clause

//! Words with few values, with the numbers of Linux.

/// Declares an enum of numbers, each with its name in C and its meaning, and, behind the colon, the
/// error that another number in a message is.
macro_rules! values {
    (
        $(#[doc = $doc:literal])+
        $name:ident($repr:ident) $(: $other:ident)? {
            $($(#[doc = $help:literal])+ $variant:ident = $number:expr, $c:ident;)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr($repr)]
        pub enum $name { $($(#[doc = $help])+ $variant = $number,)+ }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The number.
            #[must_use]
            pub const fn raw(self) -> $repr {
                self as $repr
            }

            /// The one with this number.
            #[must_use]
            pub const fn from_raw(number: u64) -> Option<$name> {
                $(if number == $name::$variant as u64 {
                    return Some($name::$variant);
                })+
                None
            }

            /// The name in C.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => stringify!($c),)+ }
            }

            /// What it means.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $($name::$variant => concat!($($help),+).trim_ascii(),)+ }
            }
        }

        $(one_word!($name, |value| value.raw(), |word| {
            $name::from_raw(word).ok_or($crate::Errno::$other)
        });)?
    };
}

values! {
    /// The family of a socket's addresses.
    Family(u64): EAFNOSUPPORT {
        /// `AF_INET`: IPv4.
        Inet = 2, AF_INET;
        /// `AF_INET6`: IPv6, and IPv4 with mapped addresses unless `IPV6_V6ONLY` is set.
        Inet6 = 10, AF_INET6;
    }
}

values! {
    /// What a socket is.
    SocketKind(u64): ESOCKTNOSUPPORT {
        /// `SOCK_STREAM`: TCP.
        Stream = 1, SOCK_STREAM;
        /// `SOCK_DGRAM`: UDP, or echoes of ICMP.
        Datagram = 2, SOCK_DGRAM;
    }
}

values! {
    /// Which direction `shutdown` ends.
    Shutdown(u64): EINVAL {
        /// `SHUT_RD`: `recv` returns what has come, then end of stream. The peer is not told.
        Read = 0, SHUT_RD;
        /// `SHUT_WR`: a FIN follows the bytes already taken.
        Write = 1, SHUT_WR;
        /// `SHUT_RDWR`.
        Both = 2, SHUT_RDWR;
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
    Protocol(u64): EPROTONOSUPPORT {
        /// `IPPROTO_IP`: the usual one of the socket's kind.
        Usual = 0, IPPROTO_IP;
        /// `IPPROTO_ICMP`, of datagram sockets: echoes over IPv4.
        Icmp = 1, IPPROTO_ICMP;
        /// `IPPROTO_TCP`, of stream sockets.
        Tcp = 6, IPPROTO_TCP;
        /// `IPPROTO_UDP`, of datagram sockets.
        Udp = 17, IPPROTO_UDP;
        /// `IPPROTO_ICMPV6`, of datagram sockets: echoes over IPv6.
        Icmpv6 = 58, IPPROTO_ICMPV6;
    }
}
