// SPDX-License-Identifier: BSD-2-Clause

//! Datagram sockets of ICMP; the form of a case is that of `datagrams.rs`. A reply begins with 0,
//! with IPv6 with 129.

#[rustfmt::skip]
pub const CASES: &[(&str, &str)] = &[
    ("a fresh socket of ICMP", "
        echo a
        sockname a
        peername a
        error a
        recv a 5
        send a 20
        sockname a
        get a so_type
        get a so_protocol
        get a so_domain
        connect a none
        listen a
        accept a b
        shutdown a rw
    "),
    ("an echo", "
        echo a
        sendto a own:0 20
        sockname a
        recv a 100
        recv a 100
        sendto a loopback:7 8
        recv a 100
        sendto a own:0 1000
        recv a 5
        recv a 5
        sendto a own:0 10000
        recv a 20000
    "),
    ("what is no request", "
        echo a
        sendto a own:0 0
        sendto a own:0 7
        sockname a
        sendto a v6:0 20
        sendto a broadcast:0 20
        sendto a any:0 20
        recv a 100
    "),
    ("identifiers", "
        echo a
        bind a own:1
        sockname a
        bind a own:2
        echo b
        bind b loopback:1
        bind b any:1
        bind b any:2
        sockname b
        sendto b own:0 20
        recv b 100
        recv a 100
        close a
        echo c
        bind c any:1 -- EADDRINUSE b=OUT c=OUT: identifiers conflict as ports do
    "),
    ("identifiers are no ports", "
        echo a
        bind a any:1
        datagram b
        bind b any:1
        stream c
        bind c any:1
    "),
    ("binding where it cannot be", "
        echo a
        bind a foreign:1
        bind a broadcast:1
        bind a v6:1
        bind a any:0
        sockname a
    "),
    ("a connected socket of ICMP", "
        echo a
        connect a own:0
        sockname a
        peername a
        send a 20
        recv a 100
        send a 4
        sendto a loopback:0 20
        recv a 100
        connect a own:5
        peername a
        send a 20
        recv a 100
        connect a none
        send a 20
        sockname a
        sendto a own:0 20
        recv a 100
    "),
    ("shut down", "
        echo a
        connect a own:0
        shutdown a w
        send a 20
        shutdown a r
    "),
    ("to be received again", "
        echo a
        sendto a own:0 20
        recv a 5 peek trunc -- 20 from 0 a=IN|OUT: the length that it had, as of other datagrams
        recv a 100 peek
        recv a 100
        recv a 100
    "),
    ("options", "
        echo a
        set a so_rcvbuf 4608
        set a ip_ttl 3
        get a ip_ttl
        set a ip_ttl 0
        sendto a own:0 20
        recv a 100
        set a tcp_nodelay 1
        set a so_broadcast 1
    "),
    ("an echo of IPv6", "
        echo6 a
        sockname a
        sendto a v6:0 20
        sockname a
        recv a 100
        get a so_protocol
        get a so_domain
        connect a v6:0
        sockname a
        peername a
        send a 20
        recv a 100
        send a 4
        connect a none
        send a 20
    "),
    ("IPv6 and IPv4 with ICMPv6", "
        echo6 a
        sendto a own:0 20
        sendto a mapped:0 20
        sendto a link6:0 20
        bind a mapped:1
        bind a own:1
        bind a foreign6:1
        bind a any6:1
        sockname a
        echo b
        bind b any:2
        sendto b own:0 20
        recv b 100
    "),
];
