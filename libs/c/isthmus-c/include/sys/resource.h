/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits, which picolibc's sys/resource.h has not. They are what they are: RLIMIT_NOFILE is 1027, others are none.
 */

#pragma once

#include_next <sys/resource.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t rlim_t;

struct rlimit {
    rlim_t rlim_cur;
    rlim_t rlim_max;
};

#define RLIM_INFINITY UINT64_MAX
#define RLIMIT_CORE 4
#define RLIMIT_NOFILE 7

int getrlimit(int resource, struct rlimit *limit);
int setrlimit(int resource, const struct rlimit *limit);

#ifdef __cplusplus
}
#endif
