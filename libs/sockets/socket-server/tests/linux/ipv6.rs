// SPDX-License-Identifier: BSD-2-Clause

//! Sockets of IPv6, and what they have to do with IPv4.
//!
//! A case is a title, then a step a line. ` -- what the core shows: reason` marks a wanted
//! difference.

#[rustfmt::skip]
pub const CASES: &[(&str, &str)] = &[
    ("a connection by IPv6", "
        stream6 a
        sockname a
        bind a any6:1
        sockname a
        listen a
        sockname a
        stream6 b
        connect b v6:1
        connect b v6:1
        sockname b
        peername b
        accept a c
        sockname c
        peername c
        send b 100
        recv c 1000
        send c 3
        recv b 10
        shutdown b w
        recv c 10
        close c
        recv b 10
        get b so_domain
    "),
    ("a connection by IPv4 to a socket of IPv6", "
        stream6 a
        bind a any6:1
        listen a
        stream b
        connect b loopback:1
        connect b loopback:1
        peername b
        accept a c
        sockname c
        peername c
        get c so_domain
        send b 10
        recv c 10
        stream6 d
        connect d mapped:1
        connect d mapped:1
        sockname d
        peername d
        accept a e
        peername e
        send e 10
        recv d 10
    "),
    ("a socket for IPv6 alone", "
        stream6 a
        get a ipv6_v6only
        set a ipv6_v6only 1
        get a ipv6_v6only
        bind a mappedany:1
        bind a mapped:1
        bind a any6:1
        set a ipv6_v6only 0
        listen a
        stream b
        connect b loopback:1
        connect b loopback:1
        stream c
        bind c any:1
        stream6 d
        set d ipv6_v6only 1
        connect d mapped:1
        connect d v6:1
        connect d v6:1
        datagram6 e
        set e ipv6_v6only 1
        sendto e mapped:2 5
        connect e mapped:2
    "),
    ("who has a port", "
        stream6 a
        bind a any6:1
        stream b
        bind b any:1
        bind b loopback:1
        stream6 c
        bind c any6:1
        bind c v6:1
        bind c mapped:1
        close a
        bind b any:1
        bind c any6:1
        bind c mappedany:1
        set c ipv6_v6only 1
        bind c any6:1
        stream6 d
        bind d v6:1
        bind d v6:2
        stream6 e
        bind e any6:2
        stream f
        bind f any:2
        bind f any:3
    "),
    ("datagram sockets have ports of both families, too", "
        datagram6 a
        bind a any6:1
        datagram b
        bind b loopback:1
        datagram6 c
        bind c v6:2
        bind b loopback:2
    "),
    ("bound to addresses in the form of IPv6", "
        stream6 a
        bind a mapped:1
        sockname a
        listen a
        stream b
        connect b loopback:1
        connect b loopback:1
        accept a c
        peername c
        stream6 d
        bind d mappedany:2
        sockname d
    "),
    ("addresses of the other family", "
        stream a
        bind a v6:1
        connect a v6:1
        datagram b
        bind b v6:1
        sendto b v6:1 5
        connect b v6:1
        stream6 c
        bind c loopback:1
        connect c loopback:1
        datagram6 d
        bind d loopback:1
    "),
    ("a datagram socket of IPv6 sends to addresses of IPv4", "
        datagram a
        bind a loopback:1
        datagram6 b
        bind b any6:2
        sendto b loopback:1 5
        recv a 10
        sendto b mapped:1 6
        recv a 10
        sendto a loopback:2 7
        recv b 10
        connect b loopback:1
        peername b
        sockname b
    "),
    ("addresses that are not this machine's", "
        stream6 a
        bind a foreign6:1
        bind a mappedforeign:1
        bind a link6:1
        connect a link6:1
        datagram6 b
        bind b foreign6:1
        bind b link6:1
        connect b link6:1
    "),
    ("datagrams by IPv6", "
        datagram6 a
        sockname a
        bind a any6:1
        sockname a
        datagram6 b
        connect b v6:1
        sockname b
        peername b
        send b 7
        recv a 10
        send b 0
        recv a 10
        sendto a v6:2 5
        error b
        datagram6 c
        bind c v6:2
        sendto a v6:2 5
        recv c 3
        connect c v6:1
        recv c 3
        sendto c v6:1 4
        recv a 10
        connect b none
        sockname b
        peername b
    "),
    ("nobody listens", "
        stream6 a
        connect a v6:1
        error a
        stream6 b
        bind b v6:2
        connect b v6:1
        connect b v6:1
        datagram6 c
        connect c v6:1
        send c 5
        error c
        send c 5
        send c 5
        send c 5
        recv c 5
    "),
    ("to no address in particular", "
        stream6 a
        bind a any6:1
        listen a
        stream6 b
        connect b any6:1
        connect b any6:1
        peername b
        sockname b
        datagram6 c
        connect c any6:1
        peername c
        stream6 d
        bind d mapped:2
        connect d any6:1
        connect d any6:1
        peername d
    "),
    ("options of IPv6", "
        stream6 a
        get a ipv6_unicast_hops
        set a ipv6_unicast_hops 5
        get a ipv6_unicast_hops
        set a ipv6_unicast_hops 0
        get a ipv6_unicast_hops
        set a ipv6_unicast_hops -1
        get a ipv6_unicast_hops
        set a ipv6_unicast_hops 256
        set a ipv6_unicast_hops -2
        get a ip_ttl
        set a ip_ttl 9
        get a ip_ttl
        get a ipv6_unicast_hops
        get a ipv6_tclass
        set a ipv6_tclass 255
        get a ipv6_tclass
        set a ipv6_tclass -1
        get a ipv6_tclass
        set a ipv6_tclass 256
        datagram6 b
        set b ipv6_tclass 255
        get b ipv6_tclass
        get b ip_tos
    "),
    ("options of IPv6 on sockets of IPv4", "
        stream a
        set a ipv6_unicast_hops 5
        get a ipv6_unicast_hops
        set a ipv6_v6only 1
        get a ipv6_v6only
        get a ipv6_tclass
        datagram b
        set b ipv6_unicast_hops 5
        get b ipv6_unicast_hops
    "),
    ("a reset by IPv6", "
        stream6 a
        bind a v6:1
        listen a
        stream6 b
        connect b v6:1
        accept a c
        send b 10
        close c
        recv b 10
        send b 10
        close a
        stream6 d
        bind d v6:1
        sockname d
    "),
];
