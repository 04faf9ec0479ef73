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
    ("options of a stream socket that are read", "
        stream a
        get a SO_TYPE
        get a SO_DOMAIN
        get a SO_ACCEPTCONN
        listen a
        get a SO_ACCEPTCONN
    "),
    ("options of a datagram socket that are read", "
        datagram a
        get a SO_TYPE
        get a SO_DOMAIN
        get a SO_ACCEPTCONN
    "),
    ("asking idle peers: what is set", "
        stream a
        get a SO_KEEPALIVE -- 1 a=OUT|HUP: a server has few sockets, and peers go without a word
        get a TCP_KEEPIDLE -- 60 a=OUT|HUP: in two hours other peers would have found no socket
        get a TCP_KEEPINTVL -- 60 a=OUT|HUP: as often as the first time
        get a TCP_KEEPCNT -- 3 a=OUT|HUP: four minutes in all
        set a SO_KEEPALIVE 7
        get a SO_KEEPALIVE
        set a SO_KEEPALIVE 0
        get a SO_KEEPALIVE
        set a TCP_KEEPIDLE 1
        get a TCP_KEEPIDLE
        set a TCP_KEEPIDLE 32767
        get a TCP_KEEPIDLE
        set a TCP_KEEPIDLE 32768
        set a TCP_KEEPIDLE 0
        get a TCP_KEEPIDLE
        set a TCP_KEEPINTVL 32767
        set a TCP_KEEPINTVL 32768
        set a TCP_KEEPINTVL 0
        get a TCP_KEEPINTVL
        set a TCP_KEEPCNT 127
        set a TCP_KEEPCNT 128
        set a TCP_KEEPCNT 0
        set a TCP_KEEPCNT -1
        get a TCP_KEEPCNT
    "),
    ("asking idle peers: connections take it from their listener", "
        stream a
        bind a any:1
        set a TCP_KEEPIDLE 5
        set a TCP_KEEPCNT 2
        set a SO_KEEPALIVE 1
        listen a
        peer connect 1
        set a TCP_KEEPINTVL 9
        peer connect 1
        accept a b
        get b TCP_KEEPIDLE
        get b TCP_KEEPCNT
        get b SO_KEEPALIVE
        set b TCP_KEEPIDLE 8
        get a TCP_KEEPIDLE
    "),
    ("a silent peer's time", "
        stream a
        get a TCP_USER_TIMEOUT
        set a TCP_USER_TIMEOUT 1500
        get a TCP_USER_TIMEOUT
        set a TCP_USER_TIMEOUT -1
        get a TCP_USER_TIMEOUT
        set a TCP_USER_TIMEOUT 0
        get a TCP_USER_TIMEOUT
    "),
    ("options of streams on a datagram socket", "
        datagram a
        get a TCP_KEEPIDLE
        set a TCP_KEEPCNT 1
        get a TCP_NODELAY
        set a TCP_NODELAY 1
        get a TCP_USER_TIMEOUT
        set a SO_KEEPALIVE 1
        get a SO_KEEPALIVE
    "),
    ("what the packets of a stream socket say", "
        stream a
        get a IP_TTL
        set a IP_TTL 255
        get a IP_TTL
        set a IP_TTL 1
        set a IP_TTL 0
        set a IP_TTL 256
        set a IP_TTL -2
        get a IP_TTL
        set a IP_TTL -1
        get a IP_TTL
        get a IP_TOS
        set a IP_TOS 184
        get a IP_TOS
        set a IP_TOS 255
        get a IP_TOS
        set a IP_TOS 0
        get a IP_TOS
    "),
    ("what the packets of a datagram socket say", "
        datagram a
        get a IP_TTL
        set a IP_TTL 255
        get a IP_TTL
        set a IP_TTL 1
        set a IP_TTL 0
        set a IP_TTL 256
        set a IP_TTL -2
        get a IP_TTL
        set a IP_TTL -1
        get a IP_TTL
        get a IP_TOS
        set a IP_TOS 184
        get a IP_TOS
        set a IP_TOS 255
        get a IP_TOS
        set a IP_TOS 0
        get a IP_TOS
    "),
    ("what packets say is taken from the listener", "
        stream a
        bind a any:1
        set a IP_TTL 9
        set a IP_TOS 16
        listen a
        peer connect 1
        accept a b
        get b IP_TTL
        get b IP_TOS
    "),
    ("sending to all machines", "
        datagram a
        get a SO_BROADCAST
        sendto a broadcast:2 5
        connect a broadcast:2
        sockname a
        set a SO_BROADCAST 3
        get a SO_BROADCAST
        sendto a broadcast:2 5
        connect a broadcast:2
        sockname a
        peername a
        send a 5
        connect a none
        set a SO_BROADCAST 0
        sendto a broadcast:2 5
        connect a broadcast:2
        stream b
        set b SO_BROADCAST 1
        get b SO_BROADCAST
        connect b broadcast:2
    "),
    ("hearing what goes to all machines", "
        datagram a
        bind a any:1
        datagram b
        bind b own:3
        datagram c
        bind c any:4
        connect c peer:5
        datagram d
        bind d any:5
        connect d peer:2
        peer bind 2
        peer broadcast 1 10
        peer broadcast 3 10
        peer broadcast 4 10
        peer broadcast 5 10
        recv a 20
        recv b 20
        recv c 20
        recv d 20
        error a
        error b
    "),
    ("a socket that sends to all hears the answers only if it is not connected", "
        datagram a
        set a SO_BROADCAST 1
        peer bind 2
        sendto a broadcast:2 5
        peer sendto a 4
        recv a 20
        connect a broadcast:2
        peer sendto a 4
        recv a 20
    "),
    ("the largest segment", "
        stream a
        get a TCP_MAXSEG
        set a TCP_MAXSEG 87
        set a TCP_MAXSEG 32768
        set a TCP_MAXSEG -1
        set a TCP_MAXSEG 88
        get a TCP_MAXSEG
        set a TCP_MAXSEG 32767
        get a TCP_MAXSEG
        set a TCP_MAXSEG 0
        get a TCP_MAXSEG
        set a TCP_MAXSEG 1000
        bind a any:1
        listen a
        get a TCP_MAXSEG
        peer connect 1
        accept a b
        get b TCP_MAXSEG -- 1000 a=- b=OUT: no bytes of a segment go to time stamps
        set b TCP_MAXSEG 500
        get b TCP_MAXSEG -- 1000 a=- b=OUT: no bytes of a segment go to time stamps
    "),
    ("the largest segment of a connection that is made", "
        stream a
        set a TCP_MAXSEG 700
        peer listen 2
        connect a peer:2
        get a TCP_MAXSEG -- 700 a=OUT: no bytes of a segment go to time stamps
        datagram b
        set b TCP_MAXSEG 700
    "),
    ("buffers of a stream socket", "
        stream a
        get a SO_SNDBUF -- 65536 a=OUT|HUP: the server's limit
        get a SO_RCVBUF -- 65536 a=OUT|HUP: the server's limit
        set a SO_SNDBUF 0
        get a SO_SNDBUF -- 2304 a=OUT|HUP: nothing of it goes to bookkeeping
        set a SO_RCVBUF 0
        get a SO_RCVBUF
        set a SO_RCVBUF 5000
        get a SO_RCVBUF -- 5000 a=OUT|HUP: nothing of it goes to bookkeeping
        set a SO_SNDBUF 5000
        get a SO_SNDBUF -- 5000 a=OUT|HUP: nothing of it goes to bookkeeping
        set a SO_SNDBUF 1073741824
        get a SO_SNDBUF -- 65536 a=OUT|HUP: the server's limit
        set a SO_RCVBUF 1073741824
        get a SO_RCVBUF -- 65536 a=OUT|HUP: the server's limit
    "),
    ("time-outs of a stream socket", "
        stream a
        get a SO_RCVTIMEO
        get a SO_SNDTIMEO
        set a SO_RCVTIMEO 3
        set a SO_SNDTIMEO 7
        get a SO_RCVTIMEO
        get a SO_SNDTIMEO
        set a SO_RCVTIMEO 0
        get a SO_RCVTIMEO
        get a SO_LINGER
        set a SO_LINGER 5
        get a SO_LINGER
        set a SO_LINGER -1
        get a SO_LINGER
        get a SO_REUSEADDR
        set a SO_REUSEADDR 5
        get a SO_REUSEADDR
        set a SO_REUSEADDR 0
        get a SO_REUSEADDR
    "),
    ("buffers of a datagram socket", "
        datagram a
        get a SO_SNDBUF -- 65507 a=OUT: the server's limit
        get a SO_RCVBUF -- 131072 a=OUT: the server's limit
        set a SO_SNDBUF 0
        get a SO_SNDBUF -- 2304 a=OUT: nothing of it goes to bookkeeping
        set a SO_RCVBUF 0
        get a SO_RCVBUF
        set a SO_RCVBUF 5000
        get a SO_RCVBUF -- 5000 a=OUT: nothing of it goes to bookkeeping
        set a SO_SNDBUF 5000
        get a SO_SNDBUF -- 5000 a=OUT: nothing of it goes to bookkeeping
        set a SO_SNDBUF 1073741824
        get a SO_SNDBUF -- 65507 a=OUT: the server's limit
        set a SO_RCVBUF 1073741824
        get a SO_RCVBUF -- 131072 a=OUT: the server's limit
    "),
    ("time-outs of a datagram socket", "
        datagram a
        get a SO_RCVTIMEO
        get a SO_SNDTIMEO
        set a SO_RCVTIMEO 3
        set a SO_SNDTIMEO 7
        get a SO_RCVTIMEO
        get a SO_SNDTIMEO
        set a SO_RCVTIMEO 0
        get a SO_RCVTIMEO
        get a SO_LINGER
        set a SO_LINGER 5
        get a SO_LINGER
        set a SO_LINGER -1
        get a SO_LINGER
        get a SO_REUSEADDR
        set a SO_REUSEADDR 5
        get a SO_REUSEADDR
        set a SO_REUSEADDR 0
        get a SO_REUSEADDR
    "),
    ("a close that does not linger, with bytes that wait", "
        stream a
        bind a any:1
        listen a
        peer connect 1
        accept a b
        set b SO_LINGER 0
        send b 5
        close b
        peer connect 1
        accept a c
        set c SO_LINGER 5
        send c 5
        shutdown c w
        close c
    "),
    ("lingering is taken from the listener", "
        stream a
        bind a any:1
        set a SO_LINGER 0
        set a SO_RCVTIMEO 4
        listen a
        peer connect 1
        accept a b
        get b SO_LINGER
        get b SO_RCVTIMEO
        get b TCP_NODELAY -- 1 a=- b=OUT: writes are gathered until the end of a wake-up anyway
        set b TCP_NODELAY 0
        get b TCP_NODELAY
        set b TCP_NODELAY 9
        get b TCP_NODELAY
    "),
];
