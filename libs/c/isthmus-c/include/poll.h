/* SPDX-License-Identifier: BSD-2-Clause
 *
 * POSIX's poll.h, with the numbers of Linux.
 */

#pragma once

#include <signal.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned long nfds_t;

struct pollfd {
    int fd;
    short events;
    short revents;
};

#define POLLIN 0x1
#define POLLPRI 0x2
#define POLLOUT 0x4
#define POLLERR 0x8
#define POLLHUP 0x10
#define POLLNVAL 0x20
#define POLLRDNORM 0x40
#define POLLRDBAND 0x80
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#define POLLRDHUP 0x2000

int poll(struct pollfd *fds, nfds_t count, int milliseconds);
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *time, const sigset_t *mask);

#ifdef __cplusplus
}
#endif
