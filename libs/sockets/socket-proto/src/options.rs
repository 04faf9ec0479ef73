// SPDX-License-Identifier: BSD-2-Clause

//! The socket options: one table. Numbers and values are Linux's.

/// Which sockets have an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKinds {
    /// Stream and datagram sockets.
    All,
    /// Stream sockets.
    Stream,
    /// Datagram sockets.
    Datagram,
}

/// What can be done with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionAccess {
    /// `getsockopt` alone; `setsockopt` is `ENOPROTOOPT`, as on Linux.
    Read,
    /// `getsockopt` and `setsockopt`.
    ReadWrite,
}

macro_rules! options {
    ($(
        $(#[doc = $help:literal])+
        $variant:ident = $c:ident $level:literal $number:literal $kinds:ident $access:ident;
    )+) => {
        values! {
            /// The socket options. The number is Linux's, with the level in the upper half:
            /// `SOL_SOCKET` (1), `IPPROTO_IP` (0), `IPPROTO_IPV6` (41) or `IPPROTO_TCP` (6).
            SocketOption(u64): ENOPROTOOPT {
                $($(#[doc = $help])+ $variant = $level << 32 | $number, $c;)+
            }
        }

        impl SocketOption {
            /// Which sockets have it.
            #[must_use]
            pub const fn kinds(self) -> OptionKinds {
                match self { $(SocketOption::$variant => OptionKinds::$kinds,)+ }
            }

            /// Whether sockets of IPv6 alone have it.
            #[must_use]
            pub const fn is_ipv6(self) -> bool {
                self.raw() >> 32 == 41
            }

            /// What can be done with it.
            #[must_use]
            pub const fn access(self) -> OptionAccess {
                match self { $(SocketOption::$variant => OptionAccess::$access,)+ }
            }
        }
    };
}

options! {
    /// 0 or 1. With it UDP sockets share a port with others that have it: each hears the groups
    /// that it has joined, and the last what comes to this machine alone. With TCP the server
    /// behaves as if it were set: old connections keep no port from a listener.
    ReuseAddress = SO_REUSEADDR 1 2 All ReadWrite;
    /// 1 stream, 2 datagram.
    Type = SO_TYPE 1 3 All Read;
    /// The number of the error that waits, or 0; reading clears it.
    Error = SO_ERROR 1 4 All Read;
    /// 0 or 1: whether a datagram socket may send to all hosts of its network; without it that is
    /// `EACCES`.
    Broadcast = SO_BROADCAST 1 6 All ReadWrite;
    /// Bytes that wait to be acknowledged; of a datagram socket, of the longest datagram that it
    /// sends. What is set is brought into the range from 2,304 to the server's limit, which is what
    /// applies at first; unlike on Linux it is not doubled.
    SendBuffer = SO_SNDBUF 1 7 All ReadWrite;
    /// Bytes that wait to be read: what the peer of a stream may send, and what a datagram socket
    /// keeps. The range is that of `SO_SNDBUF`.
    ReceiveBuffer = SO_RCVBUF 1 8 All ReadWrite;
    /// 0 or 1: whether an idle peer is asked if it is still there, and given up with `ETIMEDOUT` if
    /// it is not. At first 1, unlike on Linux. On a datagram socket it means nothing.
    KeepAlive = SO_KEEPALIVE 1 9 All ReadWrite;
    /// 0 or 1, and in the second word seconds. With 1 and 0 seconds `close` resets the connection;
    /// with other seconds it does not wait either. On a datagram socket it means nothing.
    Linger = SO_LINGER 1 13 All ReadWrite;
    /// Seconds, and in the second word microseconds, that a library waits in `recv` and `accept`; 0
    /// is without end. The server keeps it and does nothing with it.
    ReceiveTimeout = SO_RCVTIMEO 1 20 All ReadWrite;
    /// As `SO_RCVTIMEO`, of `send` and `connect`.
    SendTimeout = SO_SNDTIMEO 1 21 All ReadWrite;
    /// 1 if the socket listens, otherwise 0.
    AcceptConnections = SO_ACCEPTCONN 1 30 All Read;
    /// 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
    Protocol = SO_PROTOCOL 1 38 All Read;
    /// 2, `AF_INET`, or 10, `AF_INET6`.
    Domain = SO_DOMAIN 1 39 All Read;
    /// The type of service of IPv4 packets to send, of which the lowest eight bits count; those of
    /// congestion (the lowest two) are 0 on a stream socket.
    TypeOfService = IP_TOS 0 1 All ReadWrite;
    /// 1..=255: the time to live of IPv4 packets to send. -1 is 64, as at first.
    TimeToLive = IP_TTL 0 2 All ReadWrite;
    /// The interface by which datagrams to groups of IPv4 leave: 1, or 0 for the usual one, which
    /// it is, too.
    MulticastInterface = IP_MULTICAST_IF 0 32 Datagram ReadWrite;
    /// 0..=255: the time to live of datagrams to groups of IPv4. -1 is 1, as at first. With 0 they
    /// do not leave this machine.
    MulticastTtl = IP_MULTICAST_TTL 0 33 Datagram ReadWrite;
    /// 0 or 1: whether members on this machine hear what the socket sends to groups of IPv4. At
    /// first 1.
    MulticastLoop = IP_MULTICAST_LOOP 0 34 Datagram ReadWrite;
    /// As `IP_MULTICAST_IF`, of IPv6.
    MulticastInterface6 = IPV6_MULTICAST_IF 41 17 Datagram ReadWrite;
    /// As `IP_MULTICAST_TTL`, of IPv6.
    MulticastHops = IPV6_MULTICAST_HOPS 41 18 Datagram ReadWrite;
    /// As `IP_MULTICAST_LOOP`, of IPv6.
    MulticastLoop6 = IPV6_MULTICAST_LOOP 41 19 Datagram ReadWrite;
    /// 0..=255: the hop limit of IPv6 packets to send. -1 is 64, as at first.
    UnicastHops = IPV6_UNICAST_HOPS 41 16 All ReadWrite;
    /// 0 or 1: whether a socket of IPv6 has nothing to do with IPv4. At first 0; to be set before
    /// it is bound.
    OnlyV6 = IPV6_V6ONLY 41 26 All ReadWrite;
    /// 0..=255: the traffic class of IPv6 packets to send, without congestion's two bits on a
    /// stream socket; -1 is 0, as at first.
    TrafficClass = IPV6_TCLASS 41 67 All ReadWrite;
    /// 0 or 1: whether a short segment is sent although an earlier one is not acknowledged. At
    /// first 1, unlike on Linux.
    NoDelay = TCP_NODELAY 6 1 Stream ReadWrite;
    /// Bytes of the largest segment. Set before a connection is made, 88..=32,767, it bounds what
    /// is announced and sent; 0 takes that back. Of a connection it is what is sent at most;
    /// without one it is what was set, or 536.
    MaxSegment = TCP_MAXSEG 6 2 Stream ReadWrite;
    /// 1..=32,767 seconds without a segment of the peer until it is asked whether it is still
    /// there. At first 60; on Linux 7,200.
    KeepIdle = TCP_KEEPIDLE 6 4 Stream ReadWrite;
    /// 1..=32,767 seconds from one question to the next. At first 60; on Linux 75.
    KeepInterval = TCP_KEEPINTVL 6 5 Stream ReadWrite;
    /// 1..=127: questions without an answer after which the peer is given up. At first 3; on Linux
    /// 9. With `TCP_USER_TIMEOUT` it is that time since the last segment that counts instead.
    KeepCount = TCP_KEEPCNT 6 6 Stream ReadWrite;
    /// Milliseconds that sent bytes may stay unacknowledged by a silent peer; 0 means 120,000.
    UserTimeout = TCP_USER_TIMEOUT 6 18 Stream ReadWrite;
}
