// SPDX-License-Identifier: BSD-2-Clause

//! How stream sockets get their addresses, listen and connect.
//!
//! A case is a title, then a step a line. ` -- what the core shows: reason` marks a wanted
//! difference.

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
    ("connecting to places where nobody is", "
        stream a
        connect a v6:2
        connect a broadcast:2
        connect a own:3
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
];
