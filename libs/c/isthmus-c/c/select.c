/* SPDX-License-Identifier: BSD-2-Clause
 *
 * select, by means of poll.
 */

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/select.h>
#include <time.h>

/* Descriptors in one call: as many as a program can have. They are on the stack, as `protected` may call this as well. */
#define MOST 1027

static short wanted(int fd, const fd_set *readers, const fd_set *writers)
{
    short events = 0;

    if (readers != NULL && FD_ISSET(fd, readers)) {
        events |= POLLIN;
    }
    if (writers != NULL && FD_ISSET(fd, writers)) {
        events |= POLLOUT;
    }
    return events;
}

/* Keeps or clears one descriptor, and returns how many that makes. */
static int keep(int fd, fd_set *set, int ready)
{
    if (set == NULL || !FD_ISSET(fd, set)) {
        return 0;
    }
    if (!ready) {
        FD_CLR(fd, set);
    }
    return ready ? 1 : 0;
}

int pselect(int count, fd_set *readers, fd_set *writers, fd_set *exceptions, const struct timespec *time,
    const sigset_t *mask)
{
    struct pollfd entries[MOST];
    nfds_t used = 0;
    int found = 0;

    if (count < 0 || count > MOST) {
        errno = EINVAL;
        return -1;
    }
    for (int fd = 0; fd < count; fd++) {
        short events = wanted(fd, readers, writers);
        int excepted = exceptions != NULL && FD_ISSET(fd, exceptions);

        if (events != 0 || excepted) {
            entries[used++] = (struct pollfd) { .fd = fd, .events = events };
        }
    }
    if (ppoll(entries, used, time, mask) < 0) {
        return -1;
    }
    for (nfds_t i = 0; i < used; i++) {
        if ((entries[i].revents & POLLNVAL) != 0) {
            errno = EBADF;
            return -1;
        }
    }
    for (nfds_t i = 0; i < used; i++) {
        int fd = entries[i].fd, ready = entries[i].revents;

        found += keep(fd, readers, ready & (POLLIN | POLLHUP | POLLERR));
        found += keep(fd, writers, ready & (POLLOUT | POLLERR));
        /* There is no urgent data. */
        found += keep(fd, exceptions, 0);
    }
    return found;
}

int select(int count, fd_set *readers, fd_set *writers, fd_set *exceptions, struct timeval *time)
{
    struct timespec limit;

    if (time == NULL) {
        return pselect(count, readers, writers, exceptions, NULL, NULL);
    }
    if (time->tv_sec < 0 || time->tv_usec < 0) {
        errno = EINVAL;
        return -1;
    }
    limit = (struct timespec) { .tv_sec = time->tv_sec + time->tv_usec / 1000000, .tv_nsec = time->tv_usec % 1000000 * 1000 };
    return pselect(count, readers, writers, exceptions, &limit, NULL);
}
