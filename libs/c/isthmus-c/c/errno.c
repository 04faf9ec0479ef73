/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Linux's error numbers, which the server and the library use, to those of the C library, whose errno.h, strerror and own
 * functions have others. And what else of the C library's numbers the library knows.
 */

#include <errno.h>
#include <fcntl.h>
#include <time.h>

/* The words of the IPC buffer that belong to the kernel; the variables behind it are those of programs (src/start.rs). */
__attribute__((section(".tdata.ipc_buffer"), used)) __thread char isthmus_ipc_buffer[1024 - 16] = { 0 };

static const unsigned char numbers[] = {
    [1] = EPERM, [2] = ENOENT, [4] = EINTR, [5] = EIO, [6] = ENXIO, [9] = EBADF, [11] = EAGAIN, [12] = ENOMEM,
    [13] = EACCES, [14] = EFAULT, [19] = ENODEV, [22] = EINVAL, [23] = ENFILE, [24] = EMFILE, [25] = ENOTTY,
    [28] = ENOSPC, [29] = ESPIPE, [32] = EPIPE, [33] = EDOM, [34] = ERANGE, [35] = EDEADLK, [38] = ENOSYS,
    [64] = 64 /* ENONET, which errno.h hides */, [71] = EPROTO, [75] = EOVERFLOW, [88] = ENOTSOCK, [89] = EDESTADDRREQ,
    [90] = EMSGSIZE, [91] = EPROTOTYPE, [92] = ENOPROTOOPT, [93] = EPROTONOSUPPORT,
    [94] = 124 /* ESOCKTNOSUPPORT, likewise */, [95] = EOPNOTSUPP, [96] = EPFNOSUPPORT, [97] = EAFNOSUPPORT,
    [98] = EADDRINUSE, [99] = EADDRNOTAVAIL, [100] = ENETDOWN, [101] = ENETUNREACH, [102] = ENETRESET,
    [103] = ECONNABORTED, [104] = ECONNRESET, [105] = ENOBUFS, [106] = EISCONN, [107] = ENOTCONN, [110] = ETIMEDOUT,
    [111] = ECONNREFUSED, [112] = EHOSTDOWN, [113] = EHOSTUNREACH, [114] = EALREADY, [115] = EINPROGRESS,
};

/* Known in src/files.rs and src/time.rs. */
_Static_assert(F_GETFD == 1 && F_SETFD == 2 && F_GETFL == 3 && F_SETFL == 4, "the commands of fcntl");
_Static_assert(O_RDWR == 2 && O_NONBLOCK == 0x4000, "the flags of descriptors");
_Static_assert(CLOCK_REALTIME == 1 && CLOCK_MONOTONIC == 4, "the clocks");

int isthmus_errno(int number)
{
    if (number <= 0 || number >= (int) sizeof numbers) {
        return number == 0 ? 0 : EIO;
    }
    return numbers[number] == 0 ? EIO : numbers[number];
}

int isthmus_fail(int number)
{
    errno = isthmus_errno(number);
    return -1;
}
