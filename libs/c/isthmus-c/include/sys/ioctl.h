/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two requests that sockets have, with the numbers of Linux.
 */

#pragma once

#define FIONREAD 0x541b
#define FIONBIO 0x5421

#ifdef __cplusplus
extern "C" {
#endif

int ioctl(int fd, unsigned long request, ...);

#ifdef __cplusplus
}
#endif
