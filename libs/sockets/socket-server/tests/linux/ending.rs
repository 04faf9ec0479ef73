// SPDX-License-Identifier: BSD-2-Clause

//! How connections and listeners end: shutdown, resets, dissolving; and the bytes before that.
//!
//! A case is a title, then a step a line. ` -- what the core shows: reason` marks a wanted
//! difference.

#[rustfmt::skip]
pub const CASES: &[(&str, &str)] = &[
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
    ("binding", "
        stream a
        bind a own:1
        sockname a
        bind a own:2
        send a 1
        recv a 1
        shutdown a rw
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
];
