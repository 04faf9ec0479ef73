/* SPDX-License-Identifier: BSD-2-Clause */
/* Made from libs/sockets/socket-proto/src; see docs/socket-protocol.md. */

#ifndef ISTHMUS_SOCKET_PROTO_H
#define ISTHMUS_SOCKET_PROTO_H

#include <stdint.h>

#define ISTHMUS_VERSION 5
#define ISTHMUS_RESTARTED 0xfffff
#define ISTHMUS_NO_PLACE 0xffffe
#define ISTHMUS_MAX_BATCH 64

#define ISTHMUS_AF_INET 2
#define ISTHMUS_AF_INET6 10
#define ISTHMUS_SOCK_STREAM 1
#define ISTHMUS_SOCK_DGRAM 2
#define ISTHMUS_SHUT_RD 0
#define ISTHMUS_SHUT_WR 1
#define ISTHMUS_SHUT_RDWR 2
#define ISTHMUS_IPPROTO_IP 0
#define ISTHMUS_IPPROTO_ICMP 1
#define ISTHMUS_IPPROTO_TCP 6
#define ISTHMUS_IPPROTO_UDP 17
#define ISTHMUS_IPPROTO_ICMPV6 58
#define ISTHMUS_MSG_PEEK 2
#define ISTHMUS_MSG_TRUNC 32
#define ISTHMUS_MSG_DONTWAIT 64
#define ISTHMUS_MSG_WAITALL 256
#define ISTHMUS_MSG_NOSIGNAL 16384
#define ISTHMUS_EPERM 1
#define ISTHMUS_ENOENT 2
#define ISTHMUS_ESRCH 3
#define ISTHMUS_ENXIO 6
#define ISTHMUS_EBADF 9
#define ISTHMUS_EAGAIN 11
#define ISTHMUS_EACCES 13
#define ISTHMUS_EFAULT 14
#define ISTHMUS_EEXIST 17
#define ISTHMUS_ENODEV 19
#define ISTHMUS_EINVAL 22
#define ISTHMUS_ENFILE 23
#define ISTHMUS_EMFILE 24
#define ISTHMUS_EPIPE 32
#define ISTHMUS_EDOM 33
#define ISTHMUS_ENOSYS 38
#define ISTHMUS_ENONET 64
#define ISTHMUS_EPROTO 71
#define ISTHMUS_EDESTADDRREQ 89
#define ISTHMUS_EMSGSIZE 90
#define ISTHMUS_ENOPROTOOPT 92
#define ISTHMUS_EPROTONOSUPPORT 93
#define ISTHMUS_ESOCKTNOSUPPORT 94
#define ISTHMUS_EOPNOTSUPP 95
#define ISTHMUS_EAFNOSUPPORT 97
#define ISTHMUS_EADDRINUSE 98
#define ISTHMUS_EADDRNOTAVAIL 99
#define ISTHMUS_ENETDOWN 100
#define ISTHMUS_ENETUNREACH 101
#define ISTHMUS_ECONNABORTED 103
#define ISTHMUS_ECONNRESET 104
#define ISTHMUS_ENOBUFS 105
#define ISTHMUS_EISCONN 106
#define ISTHMUS_ENOTCONN 107
#define ISTHMUS_ETIMEDOUT 110
#define ISTHMUS_ECONNREFUSED 111
#define ISTHMUS_EHOSTDOWN 112
#define ISTHMUS_EHOSTUNREACH 113
#define ISTHMUS_EALREADY 114
#define ISTHMUS_EINPROGRESS 115
#define ISTHMUS_POLLIN 1
#define ISTHMUS_POLLOUT 4
#define ISTHMUS_POLLERR 8
#define ISTHMUS_POLLHUP 16
#define ISTHMUS_POLLNVAL 32
#define ISTHMUS_POLLRDHUP 8192
#define ISTHMUS_QUERY_INTERFACE 1
#define ISTHMUS_QUERY_ACCOUNT 2
#define ISTHMUS_QUERY_SOCKET 3
#define ISTHMUS_QUERY_TCP 4
#define ISTHMUS_QUERY_ADDRESS 5
#define ISTHMUS_QUERY_ROUTE 6
#define ISTHMUS_QUERY_NEIGHBOUR 7
#define ISTHMUS_QUERY_ANY_SOCKET 8
#define ISTHMUS_QUERY_NAMES 9
#define ISTHMUS_ADD_ADDRESS 1
#define ISTHMUS_REMOVE_ADDRESS 2
#define ISTHMUS_ADD_ROUTE 3
#define ISTHMUS_REMOVE_ROUTE 4
#define ISTHMUS_ADD_NEIGHBOUR 5
#define ISTHMUS_REMOVE_NEIGHBOUR 6
#define ISTHMUS_INTERFACE_DOWN 7
#define ISTHMUS_INTERFACE_UP 8
#define ISTHMUS_END_SOCKET 9

/* 0 or 1. With it UDP sockets share a port with others that have it: each hears the groups that
 * it has joined, and the last what comes to this machine alone. With TCP the server behaves as
 * if it were set: old connections keep no port from a listener. */
#define ISTHMUS_SO_REUSEADDR (UINT64_C(1) << 32 | 2)
/* 1 stream, 2 datagram. */
#define ISTHMUS_SO_TYPE (UINT64_C(1) << 32 | 3)
/* The number of the error that waits, or 0; reading clears it. */
#define ISTHMUS_SO_ERROR (UINT64_C(1) << 32 | 4)
/* 0 or 1: whether a datagram socket may send to all hosts of its network; without it that is
 * `EACCES`. */
#define ISTHMUS_SO_BROADCAST (UINT64_C(1) << 32 | 6)
/* Bytes that wait to be acknowledged; of a datagram socket, of the longest datagram that it
 * sends. What is set is brought into the range from 2,304 to the server's limit, which is what
 * applies at first; unlike on Linux it is not doubled. */
#define ISTHMUS_SO_SNDBUF (UINT64_C(1) << 32 | 7)
/* Bytes that wait to be read: what the peer of a stream may send, and what a datagram socket
 * keeps. The range is that of `SO_SNDBUF`. */
#define ISTHMUS_SO_RCVBUF (UINT64_C(1) << 32 | 8)
/* 0 or 1: whether an idle peer is asked if it is still there, and given up with `ETIMEDOUT` if
 * it is not. At first 1, unlike on Linux. On a datagram socket it means nothing. */
#define ISTHMUS_SO_KEEPALIVE (UINT64_C(1) << 32 | 9)
/* 0 or 1, and in the second word seconds. With 1 and 0 seconds `close` resets the connection;
 * with other seconds it does not wait either. On a datagram socket it means nothing. */
#define ISTHMUS_SO_LINGER (UINT64_C(1) << 32 | 13)
/* Seconds, and in the second word microseconds, that a library waits in `recv` and `accept`; 0
 * is without end. The server keeps it and does nothing with it. */
#define ISTHMUS_SO_RCVTIMEO (UINT64_C(1) << 32 | 20)
/* As `SO_RCVTIMEO`, of `send` and `connect`. */
#define ISTHMUS_SO_SNDTIMEO (UINT64_C(1) << 32 | 21)
/* 1 if the socket listens, otherwise 0. */
#define ISTHMUS_SO_ACCEPTCONN (UINT64_C(1) << 32 | 30)
/* 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6. */
#define ISTHMUS_SO_PROTOCOL (UINT64_C(1) << 32 | 38)
/* 2, `AF_INET`, or 10, `AF_INET6`. */
#define ISTHMUS_SO_DOMAIN (UINT64_C(1) << 32 | 39)
/* The type of service of IPv4 packets to send, of which the lowest eight bits count; those of
 * congestion (the lowest two) are 0 on a stream socket. */
#define ISTHMUS_IP_TOS (UINT64_C(0) << 32 | 1)
/* 1..=255: the time to live of IPv4 packets to send. -1 is 64, as at first. */
#define ISTHMUS_IP_TTL (UINT64_C(0) << 32 | 2)
/* The interface by which datagrams to groups of IPv4 leave: 1, or 0 for the usual one, which it
 * is, too. */
#define ISTHMUS_IP_MULTICAST_IF (UINT64_C(0) << 32 | 32)
/* 0..=255: the time to live of datagrams to groups of IPv4. -1 is 1, as at first. With 0 they
 * do not leave this machine. */
#define ISTHMUS_IP_MULTICAST_TTL (UINT64_C(0) << 32 | 33)
/* 0 or 1: whether members on this machine hear what the socket sends to groups of IPv4. At
 * first 1. */
#define ISTHMUS_IP_MULTICAST_LOOP (UINT64_C(0) << 32 | 34)
/* As `IP_MULTICAST_IF`, of IPv6. */
#define ISTHMUS_IPV6_MULTICAST_IF (UINT64_C(41) << 32 | 17)
/* As `IP_MULTICAST_TTL`, of IPv6. */
#define ISTHMUS_IPV6_MULTICAST_HOPS (UINT64_C(41) << 32 | 18)
/* As `IP_MULTICAST_LOOP`, of IPv6. */
#define ISTHMUS_IPV6_MULTICAST_LOOP (UINT64_C(41) << 32 | 19)
/* 0..=255: the hop limit of IPv6 packets to send. -1 is 64, as at first. */
#define ISTHMUS_IPV6_UNICAST_HOPS (UINT64_C(41) << 32 | 16)
/* 0 or 1: whether a socket of IPv6 has nothing to do with IPv4. At first 0; to be set before it
 * is bound. */
#define ISTHMUS_IPV6_V6ONLY (UINT64_C(41) << 32 | 26)
/* 0..=255: the traffic class of IPv6 packets to send, without congestion's two bits on a stream
 * socket; -1 is 0, as at first. */
#define ISTHMUS_IPV6_TCLASS (UINT64_C(41) << 32 | 67)
/* 0 or 1: whether a short segment is sent although an earlier one is not acknowledged. At first
 * 1, unlike on Linux. */
#define ISTHMUS_TCP_NODELAY (UINT64_C(6) << 32 | 1)
/* Bytes of the largest segment. Set before a connection is made, 88..=32,767, it bounds what is
 * announced and sent; 0 takes that back. Of a connection it is what is sent at most; without
 * one it is what was set, or 536. */
#define ISTHMUS_TCP_MAXSEG (UINT64_C(6) << 32 | 2)
/* 1..=32,767 seconds without a segment of the peer until it is asked whether it is still there.
 * At first 60; on Linux 7,200. */
#define ISTHMUS_TCP_KEEPIDLE (UINT64_C(6) << 32 | 4)
/* 1..=32,767 seconds from one question to the next. At first 60; on Linux 75. */
#define ISTHMUS_TCP_KEEPINTVL (UINT64_C(6) << 32 | 5)
/* 1..=127: questions without an answer after which the peer is given up. At first 3; on Linux
 * 9. With `TCP_USER_TIMEOUT` it is that time since the last segment that counts instead. */
#define ISTHMUS_TCP_KEEPCNT (UINT64_C(6) << 32 | 6)
/* Milliseconds that sent bytes may stay unacknowledged by a silent peer; 0 means 120,000. */
#define ISTHMUS_TCP_USER_TIMEOUT (UINT64_C(6) << 32 | 18)

/* The first call. Drops every socket that the client had. */
#define ISTHMUS_OP_ATTACH 1
#define ISTHMUS_ATTACH_REPLY_VERSION 0
#define ISTHMUS_ATTACH_REPLY_WINDOW 1
#define ISTHMUS_ATTACH_REPLY_SOCKETS 2
#define ISTHMUS_ATTACH_REPLY_EPOCH 3
static inline void isthmus_attach_words(uint64_t words[4],
	uint64_t version)
{
	words[0] = version;
	words[1] = 0;
	words[2] = 0;
	words[3] = 0;
}

/* A new socket. It never blocks, so there is no flag for that. */
#define ISTHMUS_OP_SOCKET 2
#define ISTHMUS_SOCKET_REPLY_SOCKET 0
static inline void isthmus_socket_words(uint64_t words[4],
	uint64_t family,
	uint64_t kind,
	uint64_t protocol)
{
	words[0] = family;
	words[1] = kind;
	words[2] = protocol;
	words[3] = 0;
}

/* Gives a socket its local address. */
#define ISTHMUS_OP_BIND 3
static inline void isthmus_bind_words(uint64_t words[4],
	uint64_t socket,
	uint64_t addr_head,
	uint64_t addr_high,
	uint64_t addr_low)
{
	words[0] = socket;
	words[1] = addr_head;
	words[2] = addr_high;
	words[3] = addr_low;
}

/* Makes a stream socket wait for connections. */
#define ISTHMUS_OP_LISTEN 4
static inline void isthmus_listen_words(uint64_t words[4],
	uint64_t socket,
	uint64_t backlog)
{
	words[0] = socket;
	words[1] = backlog;
	words[2] = 0;
	words[3] = 0;
}

/* Takes the oldest complete connection. */
#define ISTHMUS_OP_ACCEPT 5
#define ISTHMUS_ACCEPT_REPLY_SOCKET 0
#define ISTHMUS_ACCEPT_REPLY_PEER_HEAD 1
#define ISTHMUS_ACCEPT_REPLY_PEER_HIGH 2
#define ISTHMUS_ACCEPT_REPLY_PEER_LOW 3
static inline void isthmus_accept_words(uint64_t words[4],
	uint64_t socket)
{
	words[0] = socket;
	words[1] = 0;
	words[2] = 0;
	words[3] = 0;
}

/* Stream: starts a connection. Datagram: sets the peer that `send` without an address goes to
 * and that alone is heard. */
#define ISTHMUS_OP_CONNECT 6
static inline void isthmus_connect_words(uint64_t words[4],
	uint64_t socket,
	uint64_t addr_head,
	uint64_t addr_high,
	uint64_t addr_low)
{
	words[0] = socket;
	words[1] = addr_head;
	words[2] = addr_high;
	words[3] = addr_low;
}

/* Stream: bytes. Datagram: a batch as in `datagram`. */
#define ISTHMUS_OP_SEND 7
#define ISTHMUS_SEND_REPLY_COUNT 0
#define ISTHMUS_SEND_REPLY_ROOM 1
static inline void isthmus_send_words(uint64_t words[4],
	uint64_t socket,
	uint64_t span_offset,
	uint64_t span_length,
	uint64_t flags)
{
	words[0] = socket;
	words[1] = span_offset;
	words[2] = span_length;
	words[3] = flags;
}

/* Stream: bytes; 0 of them means end of stream. Datagram: a batch. */
#define ISTHMUS_OP_RECV 8
#define ISTHMUS_RECV_REPLY_BYTES 0
#define ISTHMUS_RECV_REPLY_DATAGRAMS 1
static inline void isthmus_recv_words(uint64_t words[4],
	uint64_t socket,
	uint64_t span_offset,
	uint64_t span_length,
	uint64_t flags)
{
	words[0] = socket;
	words[1] = span_offset;
	words[2] = span_length;
	words[3] = flags;
}

/* Ends one or both directions. */
#define ISTHMUS_OP_SHUTDOWN 9
static inline void isthmus_shutdown_words(uint64_t words[4],
	uint64_t socket,
	uint64_t how)
{
	words[0] = socket;
	words[1] = how;
	words[2] = 0;
	words[3] = 0;
}

/* Gives the handle back. Bytes already taken are still sent, unless received ones were never
 * read: then the connection is reset (RFC 2525 section 2.17). */
#define ISTHMUS_OP_CLOSE 10
static inline void isthmus_close_words(uint64_t words[4],
	uint64_t socket)
{
	words[0] = socket;
	words[1] = 0;
	words[2] = 0;
	words[3] = 0;
}

/* The local address. */
#define ISTHMUS_OP_GETSOCKNAME 11
#define ISTHMUS_GETSOCKNAME_REPLY_ADDRESS_HEAD 0
#define ISTHMUS_GETSOCKNAME_REPLY_ADDRESS_HIGH 1
#define ISTHMUS_GETSOCKNAME_REPLY_ADDRESS_LOW 2
static inline void isthmus_getsockname_words(uint64_t words[4],
	uint64_t socket)
{
	words[0] = socket;
	words[1] = 0;
	words[2] = 0;
	words[3] = 0;
}

/* The peer's address. */
#define ISTHMUS_OP_GETPEERNAME 12
#define ISTHMUS_GETPEERNAME_REPLY_ADDRESS_HEAD 0
#define ISTHMUS_GETPEERNAME_REPLY_ADDRESS_HIGH 1
#define ISTHMUS_GETPEERNAME_REPLY_ADDRESS_LOW 2
static inline void isthmus_getpeername_words(uint64_t words[4],
	uint64_t socket)
{
	words[0] = socket;
	words[1] = 0;
	words[2] = 0;
	words[3] = 0;
}

/* An option's value. */
#define ISTHMUS_OP_GETSOCKOPT 13
#define ISTHMUS_GETSOCKOPT_REPLY_VALUE 0
#define ISTHMUS_GETSOCKOPT_REPLY_SECOND 1
static inline void isthmus_getsockopt_words(uint64_t words[4],
	uint64_t socket,
	uint64_t option)
{
	words[0] = socket;
	words[1] = option;
	words[2] = 0;
	words[3] = 0;
}

/* Readiness of a socket, and a wish to be notified at a time even if nothing becomes ready. */
#define ISTHMUS_OP_POLL 14
#define ISTHMUS_POLL_REPLY_BITS 0
static inline void isthmus_poll_words(uint64_t words[4],
	uint64_t socket,
	uint64_t deadline)
{
	words[0] = socket;
	words[1] = deadline;
	words[2] = 0;
	words[3] = 0;
}

/* Sets an option. */
#define ISTHMUS_OP_SETSOCKOPT 15
static inline void isthmus_setsockopt_words(uint64_t words[4],
	uint64_t socket,
	uint64_t option,
	uint64_t value,
	uint64_t second)
{
	words[0] = socket;
	words[1] = option;
	words[2] = value;
	words[3] = second;
}

/* Writes what is known of an interface, this client or a socket into the window. */
#define ISTHMUS_OP_QUERY 16
#define ISTHMUS_QUERY_REPLY_BYTES 0
static inline void isthmus_query_words(uint64_t words[4],
	uint64_t what,
	uint64_t index,
	uint64_t span_offset,
	uint64_t span_length)
{
	words[0] = what;
	words[1] = index;
	words[2] = span_offset;
	words[3] = span_length;
}

/* Carries out several requests, each a label and four words (`Message`), one behind the other;
 * the replies have the same form. `attach` and `batch` cannot be in it. Up to `MAX_BATCH`
 * requests are carried out, fewer if they have moved much. */
#define ISTHMUS_OP_BATCH 17
#define ISTHMUS_BATCH_REPLY_COUNT 0
static inline void isthmus_batch_words(uint64_t words[4],
	uint64_t requests,
	uint64_t count,
	uint64_t replies)
{
	words[0] = requests;
	words[1] = count;
	words[2] = replies;
	words[3] = 0;
}

/* Shows this client from now on the frames that pass, in records for `captured`; ends an
 * earlier capture. Only for a client with `capture`. */
#define ISTHMUS_OP_CAPTURE 18
static inline void isthmus_capture_words(uint64_t words[4],
	uint64_t span_offset,
	uint64_t span_length)
{
	words[0] = span_offset;
	words[1] = span_length;
	words[2] = 0;
	words[3] = 0;
}

/* Takes the oldest records of a capture. */
#define ISTHMUS_OP_CAPTURED 19
#define ISTHMUS_CAPTURED_REPLY_BYTES 0
#define ISTHMUS_CAPTURED_REPLY_DROPPED 1
static inline void isthmus_captured_words(uint64_t words[4],
	uint64_t span_offset,
	uint64_t span_length)
{
	words[0] = span_offset;
	words[1] = span_length;
	words[2] = 0;
	words[3] = 0;
}

/* A datagram socket joins a group: it hears what comes to it at its port. */
#define ISTHMUS_OP_JOIN 20
static inline void isthmus_join_words(uint64_t words[4],
	uint64_t socket,
	uint64_t group_head,
	uint64_t group_high,
	uint64_t group_low)
{
	words[0] = socket;
	words[1] = group_head;
	words[2] = group_high;
	words[3] = group_low;
}

/* A datagram socket leaves a group. */
#define ISTHMUS_OP_LEAVE 21
static inline void isthmus_leave_words(uint64_t words[4],
	uint64_t socket,
	uint64_t group_head,
	uint64_t group_high,
	uint64_t group_low)
{
	words[0] = socket;
	words[1] = group_head;
	words[2] = group_high;
	words[3] = group_low;
}

/* Changes the interface, routes or neighbours, until the server restarts. Only for clients with
 * `administration`. */
#define ISTHMUS_OP_CHANGE 22
static inline void isthmus_change_words(uint64_t words[4],
	uint64_t what,
	uint64_t index,
	uint64_t span_offset,
	uint64_t span_length)
{
	words[0] = what;
	words[1] = index;
	words[2] = span_offset;
	words[3] = span_length;
}

/* A request or a reply, for `batch`. */
struct isthmus_message {
	/* The operation, or what has become of it. */
	uint64_t label;
	/* The words; those that are not used are 0. */
	uint64_t words[4];
};
_Static_assert(sizeof(struct isthmus_message) == 40, "size");

/* In front of each datagram's payload: see `datagram`. */
struct isthmus_datagram {
	/* Bytes of payload behind this header. */
	uint16_t length;
	/* From the server: bytes that the datagram had on the wire; more than `length` if it had to be
 * cut off (`MSG_TRUNC`). From the client: not looked at, so that an echo can send what it
 * received as it lies there. */
	uint16_t wire_length;
	/* 0. */
	uint32_t flags;
	/* The peer. From the client, zeros mean the connected peer. */
	uint64_t address[3];
};
_Static_assert(sizeof(struct isthmus_datagram) == 32, "size");

/* An interface. */
struct isthmus_interface {
	/* Its name, with zeros behind it. */
	uint8_t name[16];
	/* Its Ethernet address in the first six bytes. */
	uint8_t mac[8];
	/* Its first address; port 0. */
	uint64_t address[3];
	/* Bits of the address that name its network. */
	uint32_t prefix;
	/* Longest packet in bytes. */
	uint32_t mtu;
	/* 1 if the device says that the link is up, otherwise 0. */
	uint32_t link_up;
	/* 1 unless it has been shut down. */
	uint32_t up;
	/* Frames received. */
	uint64_t rx_frames;
	/* Bytes of these frames. */
	uint64_t rx_bytes;
	/* Frames sent. */
	uint64_t tx_frames;
	/* Bytes of these frames. */
	uint64_t tx_bytes;
};
_Static_assert(sizeof(struct isthmus_interface) == 96, "size");

/* An address of an interface. */
struct isthmus_address_state {
	/* The address; port 0. */
	uint64_t address[3];
	/* Bits of the address that name its network. */
	uint32_t prefix;
	/* 0: it is found out whether another host has it. 1: it is used. 2: it is used for what is
 * there, and not for what is new. 3: another host has it, so that it is not used. */
	uint32_t state;
};
_Static_assert(sizeof(struct isthmus_address_state) == 32, "size");

/* A route. */
struct isthmus_route {
	/* The first address of the network that it leads to; port 0. */
	uint64_t network[3];
	/* The router; zeros if the network is that of the link. */
	uint64_t router[3];
	/* Bits of the address that name the network. */
	uint32_t prefix;
	/* 0. */
	uint32_t reserved;
};
_Static_assert(sizeof(struct isthmus_route) == 56, "size");

/* A host on the link. */
struct isthmus_neighbour {
	/* Its address; port 0. */
	uint64_t address[3];
	/* Its Ethernet address in the first six bytes; zeros if it is not known. */
	uint8_t mac[8];
	/* 0: it is being asked for. 1: it has sent something. 2: it has answered. 3: an administrator
 * has said it, and it stays. */
	uint32_t state;
	/* Seconds since that was learnt. */
	uint32_t age;
};
_Static_assert(sizeof(struct isthmus_neighbour) == 40, "size");

/* Servers, as they are declared or as a DHCP server says. */
struct isthmus_names {
	/* Servers for names: the addresses of three, zeros behind the last one. */
	uint64_t servers[9];
	/* Servers for the time, likewise. None can be declared. */
	uint64_t time_servers[9];
	/* The domain in which names are looked for besides, with zeros behind it. */
	uint8_t domain[64];
	/* Seconds that the lease of the DHCP server still lasts; 0 without one, all bits set for one
 * without end. */
	uint32_t lease;
	/* 0. */
	uint32_t reserved;
};
_Static_assert(sizeof(struct isthmus_names) == 216, "size");

/* What a client has and may have. */
struct isthmus_account {
	/* Stream sockets, connections that wait for `accept` included. */
	uint32_t stream_sockets;
	/* Most stream sockets. */
	uint32_t stream_quota;
	/* Datagram sockets. */
	uint32_t datagram_sockets;
	/* Most datagram sockets. */
	uint32_t datagram_quota;
};
_Static_assert(sizeof(struct isthmus_account) == 16, "size");

/* A socket. */
struct isthmus_socket_state {
	/* 1 stream, 2 datagram. */
	uint32_t kind;
	/* The state of its connection with Linux's numbers: 1 established, 2 SYN sent, 3 SYN received,
 * 4 FIN wait 1, 5 FIN wait 2, 6 TIME-WAIT, 7 closed, 8 close wait, 9 last ACK, 10 listening, 11
 * closing. */
	uint32_t state;
	/* Its local address. */
	uint64_t local[3];
	/* Its peer's address, or zeros. */
	uint64_t remote[3];
	/* Stream: bytes received and not read. Listener: connections that wait for `accept`. */
	uint64_t unread;
	/* Stream: bytes that the peer has not acknowledged. */
	uint64_t unacknowledged;
	/* Segments sent again. */
	uint64_t retransmissions;
	/* What names it among the sockets of all clients, which are in the order of these numbers. */
	uint64_t socket;
	/* The name of its client, with zeros behind it. */
	uint8_t owner[32];
};
_Static_assert(sizeof(struct isthmus_socket_state) == 120, "size");

/* A stream socket's connection. Without one, its state alone. */
struct isthmus_tcp_info {
	/* As in `socket_state`. */
	uint32_t state;
	/* Bytes of the largest segment that is sent. */
	uint32_t send_mss;
	/* Bytes of the largest segment that the peer was told to send. */
	uint32_t receive_mss;
	/* Microseconds from the first SYN to its acknowledgement; 0 if that is not known. */
	uint32_t handshake;
	/* Bytes that may be on their way, as far as the network is concerned. */
	uint32_t congestion_window;
	/* Bytes that the peer takes, counted from the first that it has not acknowledged. */
	uint32_t peer_window;
	/* Bytes that the peer may send now. */
	uint32_t receive_window;
	/* Times that an idle peer has been asked since its last segment. */
	uint32_t questions;
	/* Bytes that have been sent and not acknowledged. */
	uint64_t in_flight;
	/* Bytes that have not been sent. */
	uint64_t unsent;
	/* Segments sent again. */
	uint64_t retransmissions;
	/* Nanoseconds since the peer's last segment. */
	uint64_t silence;
};
_Static_assert(sizeof(struct isthmus_tcp_info) == 64, "size");

/* What `capture` shows; zeros show all. */
struct isthmus_capture_filter {
	/* Frames to which this and the protocol apply: from or to this address, unless it is
 * unspecified, and from or to this TCP or UDP port, unless it is 0. */
	uint64_t address[3];
	/* Up to 255, frames that carry this protocol of IP; from 1,536 on, frames of this EtherType; 0
 * means all. */
	uint32_t protocol;
	/* Bytes of each frame that are kept; 0 means all. */
	uint32_t snap;
	/* 1 has the device receive frames for other hosts, too, as far as it can; otherwise 0. */
	uint32_t promiscuous;
	/* 0. */
	uint32_t reserved;
};
_Static_assert(sizeof(struct isthmus_capture_filter) == 40, "size");

/* A captured frame; its bytes follow. */
struct isthmus_capture_record {
	/* Nanoseconds since the counter `cntpct_el0` was 0, at the beginning of the server's wake-up. */
	uint64_t time;
	/* Bytes that were kept; behind them are zeros up to a multiple of 8. */
	uint32_t length;
	/* Bytes of the frame. */
	uint32_t wire_length;
	/* The number of the interface, as in `query`. */
	uint32_t interface;
	/* 1: it was received. 2: it was sent. What passes over loopback is sent. */
	uint32_t direction;
};
_Static_assert(sizeof(struct isthmus_capture_record) == 24, "size");

/* The readiness region, in words of 32 bits: the epoch, the serial, from FIRST_SOCKET on
 * the sockets (poll bits, and the generation in the high half), and behind them the change
 * log, which has the largest power of two of entries that is not above an eighth of all. */
#define ISTHMUS_READY_EPOCH 0
#define ISTHMUS_READY_SERIAL 1
#define ISTHMUS_READY_FIRST_SOCKET 16
#define ISTHMUS_READY_MAX_SOCKETS 4096
static inline uint32_t isthmus_ready_log(uint32_t words)
{
	uint32_t log = 1;
	while (log * 2 <= words / 8)
		log *= 2;
	return log;
}
static inline uint32_t isthmus_ready_sockets(uint32_t words)
{
	uint32_t sockets = words - ISTHMUS_READY_FIRST_SOCKET - isthmus_ready_log(words);
	return sockets < ISTHMUS_READY_MAX_SOCKETS ? sockets : ISTHMUS_READY_MAX_SOCKETS;
}

#endif
