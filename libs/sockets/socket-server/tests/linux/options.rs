// SPDX-License-Identifier: BSD-2-Clause

//! Flags of calls, and socket options.
//!
//! A case is a title, then a step a line. ` -- what the core shows: reason` marks a wanted
//! difference.

#[rustfmt::skip]
pub const CASES: &[(&str, &str)] = &[
    ("flags of recv on a stream", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        accept a b
        recv b 5 peek
        recv b 5 dontwait
        recv b 5 waitall
        peer send 10
        recv b 4 peek
        recv b 20 peek dontwait
        recv b 0 peek
        recv b 4 waitall
        recv b 3 peek trunc
        recv b 4 peek
        recv b 2 trunc
        recv b 20 peek
        recv b 20 waitall nosignal
        recv b 20 trunc
        peer fin
        recv b 5 peek
        recv b 5 waitall
        recv b 5 trunc
    "),
    ("peeking at an error of a stream takes it", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        accept a b
        peer send 3
        peer reset
        recv b 5 peek
        recv b 5 peek
        error b
        recv b 5
    "),
    ("peeking before a connection", "
        stream a
        recv a 5 peek
        connect a peer:2
        recv a 5 peek
        recv a 5 peek
    "),
    ("flags of recv on a datagram socket", "
        datagram a
        bind a any:1
        recv a 5 peek
        peer bind 2
        peer sendto a 10
        peer sendto a 0
        peer sendto a 3
        recv a 4 peek
        recv a 4 peek trunc
        recv a 20 peek dontwait
        recv a 4 trunc
        recv a 4 peek trunc
        recv a 4 waitall
        recv a 20 trunc nosignal
        recv a 4 dontwait
    "),
    ("a long datagram is looked at", "
        datagram a
        bind a any:1
        peer bind 2
        peer sendto a 1400
        recv a 1000 peek
        recv a 100 peek trunc
        recv a 1400
        recv a 5
    "),
    ("peeking at an error of a datagram socket takes it", "
        datagram a
        connect a peer:2
        send a 5
        recv a 5 peek
        recv a 5 peek
    "),
];
