/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Echo for TCP and UDP, in C with Microkit's entry points: nothing here waits, `notified` goes on as far as it can. A peer on
 * a channel can ask how many connections there have been.
 */

#include <errno.h>
#include <isthmus/program.h>
#include <microkit.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 7070
#define CONNECTIONS 16

/* What has come and not gone back yet. */
struct connection {
    char bytes[2048];
    size_t start, end;
};

enum { LISTENER, DATAGRAMS, FIRST };

static struct pollfd fds[FIRST + CONNECTIONS];
static struct connection connections[CONNECTIONS];

/* Its initial value comes back with a restart. */
static uint64_t accepted = 1000;

static int open_socket(int type)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *) &any, sizeof any) < 0) {
        isthmus_panic("no socket: see stream_sockets, datagram_sockets, tcp_listen and udp_bind in the declaration");
    }
    return fd;
}

/* Opens the two sockets that are always there, at the start and when net_server has restarted: all sockets have gone then. */
static void open_all(void)
{
    for (int i = 0; i < FIRST + CONNECTIONS; i++) {
        if (fds[i].fd > 0) {
            close(fds[i].fd);
        }
        fds[i] = (struct pollfd) { .fd = -1, .events = POLLIN };
    }
    fds[LISTENER].fd = open_socket(SOCK_STREAM);
    fds[DATAGRAMS].fd = open_socket(SOCK_DGRAM);
    listen(fds[LISTENER].fd, CONNECTIONS);
}

void init(void)
{
    open_all();
    printf("echo in C on port %d, restarted %lu times\n", PORT, isthmus_restarts());
}

static void accept_one(void)
{
    for (int i = FIRST; i < FIRST + CONNECTIONS; i++) {
        if (fds[i].fd < 0) {
            int fd = accept4(fds[LISTENER].fd, NULL, NULL, SOCK_NONBLOCK);

            if (fd >= 0) {
                fds[i] = (struct pollfd) { .fd = fd, .events = POLLIN };
                connections[i - FIRST].start = connections[i - FIRST].end = 0;
                accepted++;
            } else if (errno == ECONNRESET) {
                open_all();
            }
            return;
        }
    }
    /* All places are taken: who waits is looked at again when one becomes free. */
    fds[LISTENER].events = 0;
}

static void echo_datagram(void)
{
    char bytes[2048];
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t count = recvfrom(fds[DATAGRAMS].fd, bytes, sizeof bytes, 0, (struct sockaddr *) &from, &length);

    if (count >= 0) {
        sendto(fds[DATAGRAMS].fd, bytes, count, 0, (struct sockaddr *) &from, length);
    } else if (errno == ECONNRESET) {
        open_all();
    }
}

static void serve(struct pollfd *fd, struct connection *connection)
{
    ssize_t count;

    if (connection->start == connection->end) {
        count = recv(fd->fd, connection->bytes, sizeof connection->bytes, 0);
        connection->start = 0;
        connection->end = count > 0 ? count : 0;
    } else {
        count = send(fd->fd, connection->bytes + connection->start, connection->end - connection->start, 0);
        connection->start += count > 0 ? count : 0;
    }
    fd->events = connection->start == connection->end ? POLLIN : POLLOUT;
    if (count <= 0 && (fd->revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
        close(fd->fd);
        fd->fd = -1;
        fds[LISTENER].events = POLLIN;
    }
}

void notified(microkit_channel channel)
{
    (void) channel;
    while (poll(fds, FIRST + CONNECTIONS, 0) > 0) {
        if (fds[LISTENER].revents != 0) {
            accept_one();
        }
        if (fds[DATAGRAMS].revents != 0) {
            echo_datagram();
        }
        for (int i = FIRST; i < FIRST + CONNECTIONS; i++) {
            if (fds[i].revents != 0) {
                serve(&fds[i], &connections[i - FIRST]);
            }
        }
        isthmus_working();
    }
}

microkit_msginfo protected(microkit_channel channel, microkit_msginfo msginfo)
{
    (void) channel;
    (void) msginfo;
    microkit_mr_set(0, accepted);
    microkit_mr_set(1, isthmus_restarts());
    return microkit_msginfo_new(0, 2);
}
