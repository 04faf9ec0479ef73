/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An HTTP client in C, with `main` and calls that wait. A line from a peer is "<host> <port> <path>", and the answer is what
 * that server says to a GET. The line "echoes" asks c_echo how many connections it has had, "check" tries further calls.
 */

#include "check.h"

#include <errno.h>
#include <microkit.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PORT 7071
/* Of the system description. */
#define C_ECHO 40

static int say(int peer, const char *text)
{
    return send(peer, text, strlen(text), 0) < 0 ? -1 : 0;
}

/* Connects to the first address that takes a connection; -1 with `errno` otherwise. */
static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *entry;
    struct timeval limit = { .tv_sec = 5 };
    int fd = -1, error = getaddrinfo(host, port, &hints, &list);

    if (error != 0) {
        printf("%s: %s\n", host, gai_strerror(error));
        errno = ENOENT;
        return -1;
    }
    for (entry = list; entry != NULL; entry = entry->ai_next) {
        fd = socket(entry->ai_family, entry->ai_socktype, entry->ai_protocol);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (connect(fd, entry->ai_addr, entry->ai_addrlen) == 0) {
            break;
        }
        error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

static void get(int peer, const char *host, const char *port, const char *path)
{
    char bytes[1024];
    ssize_t count;
    int fd = connect_to(host, port);

    if (fd < 0) {
        snprintf(bytes, sizeof bytes, "error: %s\n", strerror(errno));
        say(peer, bytes);
        return;
    }
    snprintf(bytes, sizeof bytes, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
    if (say(fd, bytes) == 0) {
        while ((count = recv(fd, bytes, sizeof bytes, 0)) > 0) {
            send(peer, bytes, count, 0);
        }
        if (count < 0) {
            snprintf(bytes, sizeof bytes, "error: %s\n", strerror(errno));
            say(peer, bytes);
        }
    }
    close(fd);
}

static void echoes(int peer)
{
    char text[64];
    microkit_msginfo answer = microkit_ppcall(C_ECHO, microkit_msginfo_new(1, 0));

    if (microkit_msginfo_get_label(answer) == MICROKIT_RESTARTED) {
        say(peer, "c_echo is being restarted\n");
        return;
    }
    snprintf(text, sizeof text, "%lu connections, %lu restarts\n", microkit_mr_get(0), microkit_mr_get(1));
    say(peer, text);
}

static void serve(int listener, int peer)
{
    char line[256], host[128], port[8], path[120], text[32];
    size_t length = 0;
    ssize_t count;

    do {
        count = recv(peer, line + length, sizeof line - 1 - length, 0);
        length += count > 0 ? count : 0;
        line[length] = '\0';
    } while (count > 0 && length < sizeof line - 1 && strchr(line, '\n') == NULL);
    if (strcmp(line, "echoes\n") == 0) {
        echoes(peer);
    } else if (strcmp(line, "check\n") == 0) {
        snprintf(text, sizeof text, "check.c:%d\n", check(listener));
        say(peer, text);
    } else if (sscanf(line, "%127s %7s %119s", host, port, path) == 3) {
        get(peer, host, port, path);
    } else {
        say(peer, "error: <host> <port> <path>, or echoes\n");
    }
}

int main(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };

    printf("HTTP client in C: a line to port %d\n", PORT);
    for (;;) {
        int listener = socket(AF_INET, SOCK_STREAM, 0), peer;

        if (listener < 0 || bind(listener, (struct sockaddr *) &any, sizeof any) < 0 || listen(listener, 8) < 0) {
            perror("c_get");
            return 1;
        }
        while ((peer = accept(listener, NULL, NULL)) >= 0) {
            serve(listener, peer);
            close(peer);
        }
        /* net_server has restarted, and all sockets have gone. */
        perror("accept");
        close(listener);
    }
}
