// SPDX-License-Identifier: BSD-2-Clause

//! Datagram sockets.
//!
//! A case is a title, then a step a line. ` -- what the core shows: reason` marks a wanted
//! difference.

#[rustfmt::skip]
pub const CASES: &[(&str, &str)] = &[
    ("a fresh datagram socket", "
        datagram a
        sockname a
        peername a
        error a
        recv a 5
        send a 5
        connect a none
    "),
    ("operations of streams on a datagram socket", "
        datagram a
        listen a
        accept a b
        shutdown a r
        shutdown a rw
    "),
    ("binding to any address", "
        stream a
        bind a any:1
        sockname a
        stream b
        bind b own:1
        bind b any:1
        datagram c
        bind c own:1
        datagram d
        bind d any:1
    "),
    ("binding to port 0", "
        stream a
        bind a any:0
        sockname a
        bind a any:1
        datagram b
        bind b own:0
        sockname b
    "),
    ("binding where it cannot be", "
        stream a
        bind a foreign:1
        bind a v6:1
        sockname a
        datagram b
        bind b foreign:1
        bind b v6:1
        sockname b
    "),
    ("datagrams", "
        datagram a
        bind a any:1
        sockname a
        peer bind 2
        peer sendto a 10
        peer sendto a 0
        recv a 5
        recv a 5
        recv a 5
        sendto a peer:2 100
        sendto a peer:2 0
        send a 1
    "),
    ("datagrams without binding", "
        datagram a
        peer bind 2
        sendto a peer:2 5
        sockname a
        bind a own:1
        peer sendto a 3
        recv a 10
    "),
    ("datagrams to places where nobody is", "
        datagram a
        sendto a peer:0 5
        sendto a v6:2 5
        sendto a broadcast:2 5
        connect a broadcast:2
        connect a v6:2
        connect a peer:0 -- EINVAL a=OUT: an address without a port cannot be sent to
        peername a
    "),
    ("datagrams that are too long", "
        datagram a
        peer bind 2
        sendto a peer:2 65507
        sendto a peer:2 65508
        send a 65508
        sockname a
    "),
    ("a connected datagram socket", "
        datagram a
        peer bind 2
        connect a peer:2
        sockname a
        peername a
        send a 5
        sendto a peer:3 5
        peer sendto a 7
        recv a 10
        connect a peer:3
        peername a
        bind a own:1
        connect a none
        peername a
        sockname a
        send a 1
    "),
    ("a connected datagram socket that was bound", "
        datagram a
        bind a any:1
        connect a peer:2
        sockname a
        connect a none
        sockname a
        peername a
        datagram b
        bind b own:3
        connect b peer:2
        connect b none
        sockname b
    "),
    ("a connected datagram socket without a peer", "
        datagram a
        connect a peer:2
        send a 5
        send a 5
        send a 5
        error a
        send a 5
        recv a 5
        recv a 5
        send a 5
        error a
        error a
    "),
    ("an error of a datagram socket, and connecting again", "
        datagram a
        connect a peer:2
        send a 5
        connect a peer:3
        error a
        send a 5
        connect a none
        error a
    "),
    ("an unconnected datagram socket does not hear of errors", "
        datagram a
        sendto a peer:2 5
        error a
        recv a 5
        sendto a peer:2 5
    "),
    ("shutdown of a connected datagram socket", "
        datagram a
        peer bind 2
        connect a peer:2
        shutdown a r
        recv a 5 -- 0 a=IN|OUT|RDHUP: what a recv that waits returns on Linux; the library waits on readiness, which would never end
        peer sendto a 5
        recv a 5
        send a 5
        shutdown a w
        send a 5
        sendto a peer:2 5
        peername a
    "),
    ("shutdown of both directions of a datagram socket", "
        datagram a
        peer bind 2
        connect a peer:2
        shutdown a rw
        recv a 5 -- 0 a=IN|OUT|HUP|RDHUP: what a recv that waits returns on Linux; the library waits on readiness, which would never end
        send a 5
        connect a none
        recv a 5 -- 0 a=IN|OUT|HUP|RDHUP: what a recv that waits returns on Linux; the library waits on readiness, which would never end
        sendto a peer:2 5
    "),
    ("shutdown of a datagram socket with a datagram waiting", "
        datagram a
        peer bind 2
        connect a peer:2
        peer sendto a 5
        shutdown a rw
        recv a 10
        recv a 10 -- 0 a=IN|OUT|HUP|RDHUP: what a recv that waits returns on Linux; the library waits on readiness, which would never end
    "),
    ("shutdown of a datagram socket with an error waiting", "
        datagram a
        connect a peer:2
        send a 5
        shutdown a rw
        send a 5
        send a 5
        recv a 5 -- 0 a=IN|OUT|HUP|RDHUP: what a recv that waits returns on Linux; the library waits on readiness, which would never end
    "),
    ("a datagram socket that was shut down before it was connected", "
        datagram a
        shutdown a w
        peer bind 2
        sendto a peer:2 5
        connect a peer:2
        send a 5
        peer sendto a 5
        recv a 5
    "),
    ("a datagram socket that is dissolved and bound again", "
        datagram a
        peer bind 2
        connect a peer:2
        connect a none
        bind a own:1
        sockname a
        peer sendto a 5
        recv a 10
        sendto a peer:2 5
    "),
    ("a datagram socket bound to port 0 is dissolved", "
        datagram a
        bind a any:0
        connect a peer:2
        connect a none
        sockname a
        bind a own:1
        sockname a
    "),
    ("datagrams of a connected socket from others", "
        datagram a
        bind a any:1
        connect a peer:3
        peer bind 2
        peer sendto a 5
        recv a 10
        connect a peer:2
        peer sendto a 5
        recv a 10
    "),
    ("closed sockets leave their ports", "
        datagram a
        bind a any:1
        close a
        datagram b
        bind b any:1
        stream c
        bind c any:1
        close c
        stream d
        bind d any:1
        listen d
        close d
        stream e
        bind e any:1
        listen e
    "),
];
