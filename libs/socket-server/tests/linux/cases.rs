// SPDX-License-Identifier: BSD-2-Clause

//! The cases: a title, then a step a line. ` -- what the core shows: reason` marks a wanted difference.

/// All cases.
#[rustfmt::skip]
pub const CASES: &[(&str, &str)] = &[
    ("a fresh stream socket", "
        stream a
        sockname a
        peername a
        error a
    "),
    ("I/O on a fresh stream socket: sending", "
        stream a
        send a 5
        error a
    "),
    ("I/O on a fresh stream socket: receiving", "
        stream a
        recv a 5
        error a
    "),
    ("I/O on a fresh stream socket: accepting", "
        stream a
        stream b
        accept a c
    "),
    ("shutdown of a fresh stream socket", "
        stream a
        shutdown a r
        shutdown a w
        shutdown a rw
    "),
    ("dissolving a fresh stream socket", "
        stream a
        connect a none
        sockname a
    "),
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
    ("binding", "
        stream a
        bind a own:1
        sockname a
        bind a own:2
        send a 1
        recv a 1
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
    ("listening", "
        stream a
        bind a own:1
        listen a
        listen a
        sockname a
        peername a
        accept a b
        send a 5
        recv a 5
        bind a own:2
        connect a peer:2
        error a
    "),
    ("listening without an address", "
        stream a
        listen a
        sockname a
        accept a b
    "),
    ("two listeners on a port", "
        stream a
        bind a any:1
        listen a
        stream b
        bind b any:1
        listen b
        sockname b
    "),
    ("accepting", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        accept a b
        sockname b
        peername b
        error b
        accept a c
        listen b
        accept b c
        bind b own:2
        connect b peer:2
    "),
    ("a listener that is closed while a connection waits", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        close a
        stream b
        bind b any:1
    "),
    ("shutdown of a listener", "
        stream a
        bind a any:1
        listen a
        shutdown a rw
        accept a b
        sockname a
        peer connect 1
        accept a b
        listen a
        peer connect 1
        accept a b
    "),
    ("shutdown of a listener: reading", "
        stream a
        bind a any:1
        listen a
        shutdown a r
        accept a b
        connect a peer:2
    "),
    ("shutdown of a listener: writing", "
        stream a
        bind a any:1
        listen a
        shutdown a w
        peer connect 1
        accept a b
    "),
    ("shutdown of a listener with a waiting connection", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        shutdown a rw
        accept a b
    "),
    ("shutdown of a listener without an address of its own", "
        stream a
        listen a
        shutdown a rw
        sockname a
        listen a
        sockname a
    "),
    ("dissolving a listener", "
        stream a
        bind a any:1
        listen a
        connect a none
        sockname a
        accept a b
        send a 1
        listen a
        peer connect 1
        accept a b
    "),
    ("dissolving a listener without an address of its own", "
        stream a
        listen a
        connect a none
        sockname a
    "),
    ("connecting", "
        stream a
        peer listen 2
        connect a peer:2
        error a
        peername a
        connect a peer:2
        connect a peer:2
        send a 10
        recv a 10
        bind a own:1
        listen a
        accept a b
    "),
    ("connecting a bound socket", "
        stream a
        bind a own:1
        peer listen 2
        connect a peer:2
        sockname a
        peername a
    "),
    ("connecting from any address", "
        stream a
        bind a any:1
        peer listen 2
        connect a peer:2
        sockname a
    "),
    ("a refused connection", "
        stream a
        connect a peer:2
        peername a
        error a
        error a
        sockname a
        send a 1
        recv a 1
        shutdown a rw
    "),
    ("a refused connection, told by sending", "
        stream a
        connect a peer:2
        send a 1
        send a 1
        recv a 1
    "),
    ("a refused connection, told by receiving", "
        stream a
        connect a peer:2
        recv a 1
        recv a 1
        send a 1
    "),
    ("a refused connection, told by connecting", "
        stream a
        connect a peer:2
        connect a peer:2
        connect a peer:3
        error a
    "),
    ("a refused connection, tried again after the error was read", "
        stream a
        connect a peer:2
        error a
        connect a peer:2
        connect a peer:2
    "),
    ("a refused connection of a bound socket", "
        stream a
        bind a own:1
        connect a peer:2
        error a
        sockname a
        bind a own:3
    "),
    ("an attempt that goes on", "
        stream a
        connect a silent:2
        connect a silent:2
        connect a peer:3
        send a 1
        recv a 1
        peername a
        sockname a
        error a
        bind a own:1
        listen a
        accept a b
    "),
    ("shutdown of an attempt: reading", "
        stream a
        connect a silent:2
        shutdown a r
        recv a 1
        error a
    "),
    ("shutdown of an attempt: writing", "
        stream a
        connect a silent:2
        shutdown a w
        error a
        send a 1
    "),
    ("shutdown of an attempt", "
        stream a
        connect a silent:2
        shutdown a rw
        error a
        send a 1
        recv a 1
        peername a
    "),
    ("dissolving an attempt", "
        stream a
        connect a silent:2
        connect a none
        error a
        sockname a
        send a 1
        recv a 1
        peer listen 3
        connect a peer:3
        send a 1
    "),
    ("connecting to places where nobody is", "
        stream a
        connect a v6:2
        connect a broadcast:2
        connect a own:3 -- ENETUNREACH a=OUT|HUP: there is no loopback
    "),
    ("a port with an old connection", "
        stream a
        bind a own:1
        listen a
        peer connect 1
        accept a b
        close a
        stream c
        bind c own:1 -- ok b=OUT c=OUT|HUP: as if SO_REUSEADDR were set
    "),
    ("connecting between ends that are connected by another socket", "
        stream a
        reuse a
        bind a own:1
        listen a
        peer connect 1
        accept a b
        close a
        stream c
        reuse c
        bind c own:1
        connect c to peer of b
        sockname c
        peername c
        error c
        peer listen 2
        connect c peer:2
        send c 1
        send b 1
    "),
    ("connecting between ends that are connected", "
        peer listen 2
        stream a
        bind a own:1
        connect a peer:2
        connect a peer:2
        send a 1
    "),
    ("the peer ends", "
        stream a
        peer listen 2
        connect a peer:2
        peer send 5
        peer fin
        recv a 3
        recv a 10
        recv a 10
        send a 10
        shutdown a w
        recv a 10
        send a 10
        peername a
        sockname a
        error a
        shutdown a rw
        shutdown a r
    "),
    ("this end ends", "
        stream a
        peer listen 2
        connect a peer:2
        shutdown a w
        send a 1
        shutdown a w
        peer send 4
        recv a 10
        recv a 10
        peername a
        peer fin
        recv a 10
        peername a
        shutdown a w
        shutdown a r
        error a
    "),
    ("both directions are shut down", "
        stream a
        peer listen 2
        connect a peer:2
        shutdown a rw
        recv a 1
        send a 1
        peername a
        sockname a
        error a
        connect a peer:2
        peer fin
        peername a
        shutdown a rw
    "),
    ("reading is shut down", "
        stream a
        peer listen 2
        connect a peer:2
        shutdown a r
        recv a 1
        send a 1
        peer send 5
        recv a 10
        shutdown a w
        send a 1
        peer fin
        recv a 1
    "),
    ("reading is shut down with bytes waiting", "
        stream a
        peer listen 2
        connect a peer:2
        peer send 5
        shutdown a r
        recv a 3
        recv a 3
        recv a 3
    "),
    ("bytes that wait, polled", "
        stream a
        peer listen 2
        connect a peer:2
        peer send 5
        recv a 0
        recv a 5
        recv a 0
        send a 0
    "),
    ("the peer resets", "
        stream a
        peer listen 2
        connect a peer:2
        peer reset
        peername a
        sockname a
        error a
        error a
        peername a
        recv a 1
        send a 1
        shutdown a rw
        connect a peer:2
    "),
    ("a reset, told by receiving", "
        stream a
        peer listen 2
        connect a peer:2
        peer reset
        recv a 1
        recv a 1
        send a 1
        error a
    "),
    ("a reset, told by sending", "
        stream a
        peer listen 2
        connect a peer:2
        peer reset
        send a 1
        send a 1
        recv a 1
        error a
    "),
    ("a reset with bytes waiting", "
        stream a
        peer listen 2
        connect a peer:2
        peer send 5
        peer reset
        recv a 10
        recv a 10
        recv a 10
        send a 1
    "),
    ("a reset after the peer's end", "
        stream a
        peer listen 2
        connect a peer:2
        peer fin
        recv a 10
        peer reset
        error a
        recv a 10
        send a 1
        send a 1
        peername a
    "),
    ("a reset after this end's end", "
        stream a
        peer listen 2
        connect a peer:2
        shutdown a w
        peer reset
        error a
        recv a 10
        send a 1
        peername a
    "),
    ("a reset after reading was shut down", "
        stream a
        peer listen 2
        connect a peer:2
        shutdown a r
        peer reset
        recv a 10
        send a 1
        error a
    "),
    ("a reset before accept", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        peer reset
        accept a b
        recv b 1
        error b
        peername b
    "),
    ("an end and bytes before accept", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        peer send 5
        peer fin
        accept a b
        recv b 10
        recv b 10
    "),
    ("dissolving a connection", "
        stream a
        peer listen 2
        connect a peer:2
        connect a none
        sockname a
        peername a
        error a
        send a 1
        recv a 1
        connect a peer:3
        error a
        connect a none
        bind a own:1
    "),
    ("dissolving a connection of a bound socket", "
        stream a
        bind a own:1
        peer listen 2
        connect a peer:2
        connect a none
        sockname a
        peer listen 3
        connect a peer:3
        sockname a
        send a 3
    "),
    ("dissolving a connection with bytes waiting", "
        stream a
        peer listen 2
        connect a peer:2
        peer send 5
        connect a none
        recv a 10
        send a 10
    "),
    ("dissolving an accepted connection", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        accept a b
        connect b none
        sockname b
        peername b
        send b 1
        peer connect 1
        accept a c
    "),
    ("dissolving after a reset", "
        stream a
        peer listen 2
        connect a peer:2
        peer reset
        connect a none
        error a
        peer listen 3
        connect a peer:3
        send a 1
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
    ("a bound socket listens, is shut down, and connects", "
        stream a
        bind a own:1
        listen a
        shutdown a rw
        sockname a
        bind a own:2
        peer listen 2
        connect a peer:2
        sockname a
        send a 1
        connect a none
        listen a
        sockname a
    "),
    ("a stream socket bound to port 0 is refused", "
        stream a
        bind a any:0
        connect a peer:2
        sockname a
        error a
        bind a own:1
        sockname a
        listen a
        connect a peer:2
        listen a
        sockname a
    "),
    ("a refused connection is shut down and tried again", "
        stream a
        connect a peer:2
        shutdown a rw
        error a
        connect a peer:2
        listen a
        connect a none
        connect a peer:2
        error a
    "),
    ("a fresh stream socket that was shut down", "
        stream a
        shutdown a rw
        recv a 1
        send a 1
        listen a
        connect a none
        error a
        peer listen 2
        connect a peer:2
        send a 5
    "),
    ("a fresh stream socket that was shut down connects", "
        stream a
        shutdown a r
        peer listen 2
        connect a peer:2
        peer send 5
        recv a 10
        send a 5
    "),
    ("a stream socket whose sending was shut down connects", "
        stream a
        shutdown a w
        peer listen 2
        connect a peer:2
        send a 5
        peer send 5
        recv a 10
        shutdown a w
        connect a none
        peer listen 3
        connect a peer:3
        send a 5
    "),
    ("a connection is shut down before connect has told its end", "
        stream a
        peer listen 2
        connect a peer:2
        shutdown a w
        connect a peer:2
        peer fin
        connect a peer:2
        connect a none
        connect a peer:3
        connect a peer:2
    "),
    ("a reset before connect has told its end", "
        stream a
        peer listen 2
        connect a peer:2
        peer reset
        connect a peer:2
        error a
        connect a peer:3
        connect a peer:3
    "),
    ("a reset after connect has told its end", "
        stream a
        peer listen 2
        connect a peer:2
        connect a peer:2
        peer reset
        connect a peer:2
        error a
        connect a none
        listen a
        sockname a
    "),
    ("accepted connections and their listener's shutdown", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        accept a b
        shutdown a rw
        send b 5
        peer send 5
        recv b 10
        close a
        peername b
        shutdown b rw
    "),
    ("bytes on both ends of a shutdown", "
        stream a
        peer listen 2
        connect a peer:2
        send a 100
        peer send 100
        shutdown a w
        recv a 60
        recv a 60
        recv a 60
        peer fin
        recv a 60
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
