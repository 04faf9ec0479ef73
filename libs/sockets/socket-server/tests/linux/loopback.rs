// SPDX-License-Identifier: BSD-2-Clause

//! Both ends on this machine.
//!
//! A case is a title, then a step a line. ` -- what the core shows: reason` marks a wanted
//! difference.

#[rustfmt::skip]
pub const CASES: &[(&str, &str)] = &[
    ("a connection from loopback to all addresses", "
        stream a
        bind a any:1
        listen a
        stream b
        connect b loopback:1
        connect b loopback:1
        sockname b
        peername b
        accept a c
        sockname c
        peername c
        send b 100
        recv c 1000
        send c 3
        send c 4
        recv b 1000
        shutdown b w
        recv c 10
        send c 5
        close c
        recv b 10
        recv b 10
        close b
    "),
    ("a connection to this machine's own address", "
        stream a
        bind a own:1
        listen a
        stream b
        connect b own:1
        sockname b
        peername b
        accept a c
        send c 10
        recv b 10
        close b
        recv c 10
        send c 10
        send c 10
    "),
    ("a connection to no address in particular", "
        stream a
        bind a any:1
        listen a
        stream b
        connect b any:1
        connect b any:1
        sockname b
        peername b
        accept a c
        peername c
    "),
    ("a connection to no address from one in particular", "
        stream a
        bind a own:1
        listen a
        stream b
        bind b own:2
        connect b any:1
        connect b any:1
        sockname b
        peername b
        stream d
        connect d any:1
        connect d any:1
    "),
    ("a listener at one address is not at the other", "
        stream a
        bind a own:1
        listen a
        stream b
        connect b loopback:1
        connect b loopback:1
        stream c
        bind c loopback:2
        listen c
        stream d
        connect d own:2
        error d
        connect d own:2
        stream e
        bind e loopback:1
        sockname e
        stream f
        bind f any:1
        bind f any:3
    "),
    ("a listener of loopback from outside", "
        stream a
        bind a loopback:1
        listen a
        peer connect 1
        accept a b
    "),
    ("nobody listens", "
        stream a
        connect a loopback:1
        error a
        connect a own:1
        connect a own:1
        stream b
        bind b loopback:2
        connect b loopback:1
        connect b loopback:1
        sockname b
    "),
    ("from one of this machine's addresses to another", "
        stream a
        bind a loopback:1
        listen a
        stream b
        bind b own:2
        connect b loopback:1
        sockname b
        peername b
        accept a c
        peername c
        send b 7
        recv c 7
    "),
    ("an address of loopback leads nowhere else", "
        stream a
        bind a loopback:1
        connect a foreign:2
        error a
        datagram b
        bind b loopback:1
        sendto b foreign:2 5
        connect b foreign:2
        connect b loopback:2
        sockname b
        peername b
    "),
    ("a socket that would meet itself", "
        stream a
        bind a loopback:1
        connect a loopback:1 -- ECONNREFUSED a=OUT|HUP: a connection whose two ends are one is nobody's intention
    "),
    ("a reset of a connection within this machine", "
        stream a
        bind a any:1
        listen a
        stream b
        connect b loopback:1
        accept a c
        send b 10
        close c
        recv b 10
        send b 10
        error b
    "),
    ("a listener closes while a connection within this machine waits", "
        stream a
        bind a any:1
        listen a
        stream b
        connect b loopback:1
        close a
        connect b loopback:1
        error b
        recv b 10
    "),
    ("datagrams within this machine", "
        datagram a
        bind a any:1
        datagram b
        sendto b loopback:1 100
        sockname b
        recv a 1000
        sendto b own:1 50
        recv a 1000
        sendto b any:1 3
        recv a 1000
        sendto b loopback:1 65507
        recv a 65507
        sendto b loopback:1 0
        recv a 10
        sendto a any:1 9
        recv a 10
    "),
    ("datagrams to nobody on this machine", "
        datagram a
        connect a loopback:1
        sockname a
        peername a
        send a 5
        error a
        send a 5
        recv a 5
        sendto a own:2 5
        sendto a own:2 5
        datagram b
        sendto b loopback:1 5
        error b
    "),
    ("connected datagram sockets within this machine", "
        datagram a
        bind a loopback:1
        datagram b
        connect b loopback:1
        sockname b
        send b 5
        recv a 10
        connect a to peer of b
        sendto b own:1 5
        connect b own:1
        peername b
        send b 5
        error b
        connect b none
        sockname b
        sendto b loopback:1 5
        recv a 10
    "),
    ("a datagram socket that was connected within this machine stays there", "
        datagram a
        connect a loopback:1
        sendto a foreign:1 5
        connect a foreign:1
        peername a
    "),
    ("ports of datagram sockets at several addresses", "
        datagram a
        bind a loopback:1
        datagram b
        bind b own:1
        datagram c
        bind c any:1
        close a
        bind c any:1
        close b
        bind c any:1
        datagram d
        bind d loopback:1
    "),
    ("a datagram for all of loopback", "
        datagram a
        bind a broadcast:1 -- EADDRNOTAVAIL a=OUT: nothing can be sent from there
        sendto a broadcast:1 5
        connect a broadcast:1
        stream b
        connect b broadcast:1
    "),
];
