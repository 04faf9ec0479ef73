/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The streams of stdio.h: lines of the PD's log. And what picolibc asks of an operating system that has neither files nor
 * processes: its answers are those of a system where there is nothing to open and one process, which has the number 1.
 */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static int put_out(char character, FILE *stream)
{
    (void) stream;
    write(1, &character, 1);
    return 0;
}

static int put_error(char character, FILE *stream)
{
    (void) stream;
    write(2, &character, 1);
    return 0;
}

static int get_nothing(FILE *stream)
{
    (void) stream;
    return _FDEV_EOF;
}

static FILE in = FDEV_SETUP_STREAM(NULL, get_nothing, NULL, _FDEV_SETUP_READ);
static FILE out = FDEV_SETUP_STREAM(put_out, NULL, NULL, _FDEV_SETUP_WRITE);
static FILE error = FDEV_SETUP_STREAM(put_error, NULL, NULL, _FDEV_SETUP_WRITE);

FILE *const stdin = &in;
FILE *const stdout = &out;
FILE *const stderr = &error;

static int fail(int number)
{
    errno = number;
    return -1;
}

int open(const char *path, int flags, ...)
{
    (void) path;
    return fail((flags & O_CREAT) != 0 ? EROFS : ENOENT);
}

int stat(const char *path, struct stat *state)
{
    (void) path;
    (void) state;
    return fail(ENOENT);
}

int fstat(int fd, struct stat *state)
{
    *state = (struct stat) { .st_mode = fd < 3 ? S_IFCHR : S_IFSOCK };
    return 0;
}

int unlink(const char *path)
{
    (void) path;
    return fail(ENOENT);
}

int isatty(int fd)
{
    (void) fd;
    errno = ENOTTY;
    return 0;
}

pid_t getpid(void)
{
    return 1;
}

pid_t fork(void)
{
    return fail(ENOSYS);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    (void) pid;
    (void) status;
    (void) options;
    return fail(ECHILD);
}

/* There is one user, which may not become another, and one group of processes. */
uid_t getuid(void)
{
    return 0;
}

int setuid(uid_t user)
{
    return user == 0 ? 0 : fail(EPERM);
}

int setgid(gid_t group)
{
    return group == 0 ? 0 : fail(EPERM);
}

struct passwd *getpwnam(const char *name)
{
    (void) name;
    return NULL;
}

pid_t setsid(void)
{
    return fail(EPERM);
}

int chroot(const char *path)
{
    (void) path;
    return fail(ENOENT);
}

/* A descriptor is there once. */
int dup2(int from, int to)
{
    return from == to ? to : fail(EMFILE);
}

int getrlimit(int resource, struct rlimit *limit)
{
    rlim_t most = resource == RLIMIT_NOFILE ? 1027 : RLIM_INFINITY;

    *limit = (struct rlimit) { .rlim_cur = most, .rlim_max = most };
    return 0;
}

int setrlimit(int resource, const struct rlimit *limit)
{
    return resource == RLIMIT_NOFILE && limit->rlim_cur > 1027 ? fail(EPERM) : 0;
}

/* A program can send signals to itself alone. */
int kill(pid_t pid, int number)
{
    if (pid != getpid()) {
        return fail(ESRCH);
    }
    return number == 0 ? 0 : raise(number);
}

/* Nothing interrupts a program, so it makes no difference which signals may. */
int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    (void) how;
    (void) set;
    if (old != NULL) {
        *old = 0;
    }
    return 0;
}

int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    void (*before)(int) = action == NULL ? signal(number, SIG_DFL) : signal(number, action->sa_handler);

    if (before == SIG_ERR) {
        return -1;
    }
    if (action == NULL) {
        signal(number, before);
    }
    if (old != NULL) {
        *old = (struct sigaction) { .sa_handler = before };
    }
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;

    (void) zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval) { .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
    return 0;
}

int usleep(useconds_t microseconds)
{
    struct timespec time = { .tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000 };

    return nanosleep(&time, NULL);
}

unsigned sleep(unsigned seconds)
{
    struct timespec time = { .tv_sec = seconds };

    return nanosleep(&time, NULL) == 0 ? 0 : seconds;
}

void openlog(const char *name, int options, int facility)
{
    (void) name;
    (void) options;
    (void) facility;
}

void closelog(void)
{
}

void vsyslog(int priority, const char *format, va_list arguments)
{
    FILE *stream = (priority & 7) <= LOG_WARNING ? stderr : stdout;

    vfprintf(stream, format, arguments);
    fputc('\n', stream);
}

void syslog(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsyslog(priority, format, arguments);
    va_end(arguments);
}
