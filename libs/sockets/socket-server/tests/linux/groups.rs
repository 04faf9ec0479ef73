// SPDX-License-Identifier: BSD-2-Clause

//! Groups; the form of a case is that of `datagrams.rs`. The groups of the core are on its link,
//! those of Linux on an interface that leads nowhere: members hear what is sent on the machine
//! itself. A wanted difference is that a socket hears the groups which it has joined, not those
//! of others, too (`IP_MULTICAST_ALL`, which is cleared on Linux here).

#[rustfmt::skip]
pub const CASES: &[(&str, &str)] = &[
    ("a member hears its group", "
        datagram a
        bind a any:1
        join a 1
        join a 1
        sendgroup a 1 1 20
        recv a 100
        recv a 100
        sendgroup a 1 2 20
        recv a 100
        leave a 1
        leave a 1
        sendgroup a 1 1 20
        recv a 100
    "),
    ("several sockets on one port", "
        datagram a
        datagram b
        datagram c
        bind a any:1
        set b so_reuseaddr 1
        bind b any:1
        close a
        datagram a
        set a so_reuseaddr 1
        bind a any:1
        bind b any:1
        set c so_reuseaddr 1
        bind c any:1
        join a 1
        join b 1
        join b 2
        join c 2
        sendgroup a 1 1 5
        recv a 100
        recv b 100
        sendgroup a 2 1 6
        recv b 100
        recv c 100
        close b
        sendgroup c 2 1 7
        recv c 100
        sendgroup c 1 1 8
        recv a 100
    "),
    ("sockets with SO_REUSEADDR and without", "
        datagram a
        bind a any:1
        datagram b
        set b so_reuseaddr 1
        bind b any:1
        bind b own:1
        close a
        bind b any:1
        datagram c
        bind c any:1
        bind c own:1
        set c so_reuseaddr 1
        bind c own:1
        datagram d
        bind d own:1
        close b
        close c
        bind d own:1
    "),
    ("a socket that is bound to a group", "
        datagram a
        bindgroup a 1 1
        sockname a
        join a 1
        join a 2
        sendgroup a 1 1 5
        recv a 100
        sendgroup a 2 1 6
        recv a 100
        datagram b
        bindgroup b 1 1
        stream c
        bindgroup c 1 1 -- EADDRNOTAVAIL a=OUT b=OUT c=OUT|HUP: TCP has no groups
    "),
    ("what loops back", "
        datagram a
        datagram b
        bind a any:1
        join a 1
        get b ip_multicast_loop
        get b ip_multicast_ttl
        set b ip_multicast_ttl 0
        sendgroup b 1 1 5
        recv a 100
        set b ip_multicast_loop 0
        sendgroup b 1 1 5
        recv a 100
        set b ip_multicast_ttl 300
        set b ip_multicast_ttl -1
        get b ip_multicast_ttl
        get b ip_multicast_loop
    "),
    ("options of IPv6", "
        datagram6 a
        get a ipv6_multicast_hops
        get a ipv6_multicast_loop
        set a ipv6_multicast_hops 300
        set a ipv6_multicast_hops 0
        get a ipv6_multicast_hops
        set a ipv6_multicast_loop 0
        get a ipv6_multicast_loop
    "),
    ("what is no member", "
        stream a
        join a 1
        leave a 1
        datagram b
        leave b 1
        sendgroup b 1 1 5
    "),
    ("a connected member", "
        datagram a
        bind a any:1
        join a 1
        peer bind 2
        connect a peer:2
        datagram b
        sendgroup b 1 1 5
        recv a 100
        connect a none
        sendgroup b 1 1 5
        recv a 100
    "),
    ("a socket of IPv6 in a group of IPv4", "
        datagram6 a
        bind a any6:1
        join a 1
        datagram b
        sendgroup b 1 1 5
        recv a 100
        leave a 1
        sendgroup b 1 1 5
        recv a 100
    "),
];
