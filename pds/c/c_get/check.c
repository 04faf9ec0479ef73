/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The line "check": this program talks to itself over loopback, by the calls that neither c_get nor c_echo makes otherwise.
 */

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Ends the check with the number of its line. */
#define EXPECT(condition) do { if (!(condition)) { return __LINE__; } } while (0)
#define FAILS(call, error) EXPECT((call) == -1 && errno == (error))

static long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int pieces(int to, int from)
{
    struct iovec out[2] = { { "he", 2 }, { "llo", 3 } };
    char head[2], tail[8];
    struct iovec in[2] = { { head, sizeof head }, { tail, sizeof tail } };
    struct msghdr message = { .msg_iov = in, .msg_iovlen = 2 };
    struct timeval limit = { .tv_sec = 5 };
    fd_set readers;
    int waiting = 0;

    FD_ZERO(&readers);
    FD_SET(from, &readers);
    EXPECT(writev(to, out, 2) == 5);
    EXPECT(select(from + 1, &readers, NULL, NULL, &limit) == 1 && FD_ISSET(from, &readers));
    EXPECT(ioctl(from, FIONREAD, &waiting) == 0 && waiting == 5);
    EXPECT(recv(from, tail, 3, MSG_PEEK) == 3 && memcmp(tail, "hel", 3) == 0);
    EXPECT(recvmsg(from, &message, 0) == 5 && memcmp(head, "he", 2) == 0 && memcmp(tail, "llo", 3) == 0);
    FAILS(writev(to, out, IOV_MAX + 1), EINVAL);
    FAILS(recv(from, NULL, 1, 0), EFAULT);
    return 0;
}

static int limits(int fd)
{
    struct timeval limit = { .tv_usec = 100000 }, got;
    socklen_t length = sizeof got;
    struct pollfd entry = { .fd = fd, .events = POLLIN };
    char byte;
    long before = milliseconds();

    EXPECT(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    EXPECT(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &length) == 0 && length == sizeof got);
    EXPECT(got.tv_sec == 0 && got.tv_usec == 100000);
    FAILS(recv(fd, &byte, 1, 0), EAGAIN);
    EXPECT(milliseconds() - before >= 100);
    before = milliseconds();
    EXPECT(poll(&entry, 1, 50) == 0 && milliseconds() - before >= 50);
    FAILS(recv(fd, &byte, 1, MSG_DONTWAIT), EAGAIN);
    EXPECT(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    FAILS(read(fd, &byte, 1), EAGAIN);
    EXPECT(fcntl(fd, F_SETFL, 0) == 0);
    return 0;
}

static int options(int fd)
{
    int value = 0;
    socklen_t length = sizeof value;

    EXPECT(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length) == 0 && value == SOCK_STREAM && length == sizeof value);
    FAILS(getsockopt(fd, SOL_SOCKET, 999, &value, &length), ENOPROTOOPT);
    FAILS(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NULL, sizeof value), EFAULT);
    FAILS(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, 1), EINVAL);
    FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    return 0;
}

/* A connection that nobody takes, without waiting for the end of the attempt. */
static int refused(void)
{
    struct sockaddr_in nobody = { .sin_family = AF_INET, .sin_port = htons(7071), .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;
    struct pollfd entry = { .fd = fd, .events = POLLOUT };
    socklen_t length = sizeof error;

    FAILS(connect(fd, (struct sockaddr *) &nobody, sizeof nobody), EACCES);
    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    nobody.sin_port = htons(7072);
    FAILS(connect(fd, (struct sockaddr *) &nobody, sizeof nobody), EINPROGRESS);
    EXPECT(poll(&entry, 1, 5000) == 1 && (entry.revents & POLLERR) != 0);
    EXPECT(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ECONNREFUSED);
    EXPECT(close(fd) == 0);
    FAILS(close(fd), EBADF);
    return 0;
}

static int datagrams(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, from;
    socklen_t length = sizeof at;
    int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
    char bytes[4];
    struct iovec in = { bytes, sizeof bytes };
    struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &in, .msg_iovlen = 1 };

    EXPECT(bind(one, (struct sockaddr *) &at, sizeof at) == 0);
    EXPECT(getsockname(one, (struct sockaddr *) &at, &length) == 0 && length == sizeof at && at.sin_port != 0);
    EXPECT(connect(two, (struct sockaddr *) &at, sizeof at) == 0);
    EXPECT(send(two, "longer", 6, 0) == 6 && send(two, "next", 4, 0) == 4);
    EXPECT(recvmsg(one, &message, 0) == 4 && (message.msg_flags & MSG_TRUNC) != 0);
    EXPECT(message.msg_namelen == sizeof from && from.sin_addr.s_addr == at.sin_addr.s_addr);
    EXPECT(recv(one, bytes, sizeof bytes, 0) == 4 && memcmp(bytes, "next", 4) == 0);
    EXPECT(sendto(one, "back", 4, 0, (struct sockaddr *) &from, sizeof from) == 4);
    EXPECT(read(two, bytes, sizeof bytes) == 4 && memcmp(bytes, "back", 4) == 0);
    return close(one) | close(two);
}

/* The two sockets of a pair, which need nobody else. */
static int pair(void)
{
    int fds[2];
    char bytes[8];
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    struct pollfd entries[] = { { .events = POLLIN | POLLOUT }, { .events = POLLIN | POLLOUT } };

    FAILS(socketpair(AF_INET, SOCK_STREAM, 0, fds), EOPNOTSUPP);
    FAILS(socketpair(AF_UNIX, SOCK_STREAM, 0, NULL), EFAULT);
    for (int round = 0; round < 100; round++) {
        EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
        entries[0].fd = fds[0];
        entries[1].fd = fds[1];
        EXPECT(write(fds[0], "hello", 5) == 5 && poll(entries, 2, 0) == 2);
        EXPECT(entries[0].revents == POLLOUT && entries[1].revents == (POLLIN | POLLOUT));
        EXPECT(recv(fds[1], bytes, 2, MSG_PEEK) == 2 && read(fds[1], bytes, sizeof bytes) == 5);
        EXPECT(memcmp(bytes, "hello", 5) == 0);
        FAILS(read(fds[1], bytes, sizeof bytes), EDEADLK);
        EXPECT(close(fds[0]) == 0 && read(fds[1], bytes, sizeof bytes) == 0);
        FAILS(write(fds[1], "x", 1), EPIPE);
        EXPECT(close(fds[1]) == 0);
    }
    EXPECT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds) == 0);
    EXPECT(write(fds[0], "one", 3) == 3 && write(fds[0], "", 0) == 0 && write(fds[0], "three", 5) == 5);
    EXPECT(read(fds[1], bytes, 2) == 2 && read(fds[1], bytes, 8) == 0 && read(fds[1], bytes, 8) == 5);
    FAILS(read(fds[1], bytes, sizeof bytes), EAGAIN);
    EXPECT(getpeername(fds[1], (struct sockaddr *) &name, &length) == 0);
    EXPECT(length == sizeof name.ss_family && name.ss_family == AF_UNIX);
    return close(fds[0]) | close(fds[1]);
}

/* getaddrinfo's first address of a host, as getnameinfo writes it. */
static const char *address_of(const char *host, int family, int flags)
{
    static char text[64];
    struct addrinfo hints = { .ai_family = family, .ai_flags = flags, .ai_socktype = SOCK_STREAM }, *list;
    int error = getaddrinfo(host, "80", &hints, &list);

    if (error != 0) {
        return gai_strerror(error);
    }
    error = getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(list);
    return error != 0 ? gai_strerror(error) : text;
}

#define IS(text, expected) EXPECT(strcmp(text, expected) == 0)

static int names6(void)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(443) };
    char text[INET6_ADDRSTRLEN], port[8];

    IS(address_of(NULL, AF_UNSPEC, 0), "::1");
    IS(address_of(NULL, AF_INET6, AI_PASSIVE), "::");
    IS(address_of("2001:db8::1", AF_UNSPEC, AI_NUMERICHOST), "2001:db8::1");
    IS(address_of("fe80::1%eth0", AF_UNSPEC, 0), "fe80::1%eth0");
    IS(address_of("fe80::1%7", AF_INET6, 0), "fe80::1%7");
    IS(address_of("2001:db8::1%eth0", AF_INET6, 0), gai_strerror(EAI_NONAME));
    IS(address_of("fe80::1%nothing", AF_INET6, 0), gai_strerror(EAI_NONAME));
    IS(address_of("::1", AF_INET, 0), gai_strerror(EAI_ADDRFAMILY));
    IS(address_of("192.0.2.7", AF_INET6, 0), gai_strerror(EAI_ADDRFAMILY));
    IS(address_of("192.0.2.7", AF_INET6, AI_V4MAPPED), "::ffff:192.0.2.7");
    IS(address_of("localhost", AF_INET6, AI_ADDRCONFIG), "::1");
    IS(address_of("localhost", AF_UNSPEC, 0x8000), gai_strerror(EAI_BADFLAGS));
    IS(address_of("localhost", 99, 0), gai_strerror(EAI_FAMILY));
    EXPECT(inet_pton(AF_INET6, "2001:DB8:0:0:1::ffff", &address.sin6_addr) == 1 && address.sin6_addr.s6_addr[9] == 1);
    IS(inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text), "2001:db8::1:0:0:ffff");
    EXPECT(inet_pton(AF_INET6, "1:2:3:4:5:6:7", &address.sin6_addr) == 0);
    EXPECT(inet_ntop(AF_INET6, &address.sin6_addr, text, 12) == NULL && errno == ENOSPC);
    EXPECT(getnameinfo((struct sockaddr *) &address, sizeof address, NULL, 0, port, sizeof port, 0) == 0);
    IS(port, "https");
    EXPECT(getnameinfo((struct sockaddr *) &address, sizeof address - 1, NULL, 0, port, sizeof port, 0) == EAI_FAMILY);
    IS(getservbyport(htons(80), "tcp")->s_name, "http");
    return 0;
}

static int names(void)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *list;
    struct sockaddr_in address;
    char text[64], port[8];

    EXPECT(getaddrinfo(NULL, "80", &hints, &list) == 0 && list->ai_next != NULL && list->ai_next->ai_next == NULL);
    memcpy(&address, list->ai_addr, sizeof address);
    freeaddrinfo(list);
    EXPECT(address.sin_port == htons(80) && address.sin_addr.s_addr == INADDR_ANY);
    EXPECT(getaddrinfo("localhost", "http", &hints, &list) == EAI_NONAME);
    EXPECT(inet_pton(AF_INET, "192.0.2.7", &address.sin_addr) == 1 && inet_pton(AF_INET, "192.0.2", &address.sin_addr) == 0);
    EXPECT(getnameinfo((struct sockaddr *) &address, sizeof address, text, sizeof text, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0);
    EXPECT(strcmp(text, "192.0.2.7") == 0 && strcmp(port, "80") == 0);
    EXPECT(inet_ntop(AF_INET, &address.sin_addr, text, 5) == NULL && errno == ENOSPC);
    EXPECT(gethostname(text, sizeof text) == 0 && strcmp(text, "isthmus") == 0);
    /* Floating-point numbers, and what the C library keeps in variables of the thread. */
    EXPECT(snprintf(text, sizeof text, "%.2f", 2.5) == 4 && strcmp(text, "2.50") == 0);
    EXPECT(strcmp(strtok(text, "."), "2") == 0 && strcmp(strtok(NULL, "."), "50") == 0);
    return 0;
}

int check(int listener)
{
    struct sockaddr_in self = { .sin_family = AF_INET, .sin_port = htons(7071), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int out = socket(AF_INET, SOCK_STREAM, 0), in, wrong = 0;
    char byte;

    EXPECT(connect(out, (struct sockaddr *) &self, sizeof self) == 0);
    in = accept(listener, (struct sockaddr *) &peer, &length);
    EXPECT(in >= 0 && length == sizeof peer && peer.sin_addr.s_addr == self.sin_addr.s_addr);
    wrong = wrong != 0 ? wrong : pieces(out, in);
    wrong = wrong != 0 ? wrong : limits(in);
    wrong = wrong != 0 ? wrong : options(out);
    EXPECT(shutdown(out, SHUT_WR) == 0 && recv(in, &byte, 1, 0) == 0);
    close(out);
    close(in);
    wrong = wrong != 0 ? wrong : refused();
    wrong = wrong != 0 ? wrong : datagrams();
    wrong = wrong != 0 ? wrong : pair();
    wrong = wrong != 0 ? wrong : names6();
    return wrong != 0 ? wrong : names();
}
