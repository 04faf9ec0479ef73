/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Greets each peer that connects, and says everything back in capital letters. One peer at a time: docs/programs-in-c.md.
 */

#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PORT 7000

static void greet(int guest)
{
    static const char hello[] = "Hello! Say something.\n";
    struct timeval limit = { .tv_sec = 30 };
    char bytes[512];
    ssize_t count;

    setsockopt(guest, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    send(guest, hello, strlen(hello), 0);
    while ((count = recv(guest, bytes, sizeof bytes, 0)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            bytes[i] = (char) toupper((unsigned char) bytes[i]);
        }
        send(guest, bytes, (size_t) count, 0);
    }
}

int main(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };

    printf("waiting for guests on port %d\n", PORT);
    for (;;) {
        int listener = socket(AF_INET, SOCK_STREAM, 0), guest;

        if (listener < 0 || bind(listener, (struct sockaddr *) &any, sizeof any) < 0 || listen(listener, 8) < 0) {
            perror("cannot listen");
            return 1;
        }
        while ((guest = accept(listener, NULL, NULL)) >= 0) {
            greet(guest);
            close(guest);
        }
        /* net_server has restarted, and all sockets have gone. */
        perror("accept");
        close(listener);
    }
}
