/* SPDX-License-Identifier: BSD-2-Clause
 *
 * POSIX's sys/uio.h. A call takes up to IOV_MAX pieces.
 */

#pragma once

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iovec {
    void *iov_base;
    size_t iov_len;
};

#undef IOV_MAX
#define IOV_MAX 64
#define UIO_MAXIOV IOV_MAX

ssize_t readv(int fd, const struct iovec *pieces, int count);
ssize_t writev(int fd, const struct iovec *pieces, int count);

#ifdef __cplusplus
}
#endif
