/* SPDX-License-Identifier: BSD-2-Clause
 *
 * POSIX's arpa/inet.h. picolibc's has the byte order alone.
 */

#pragma once

#include_next <arpa/inet.h>

#include <netinet/in.h>

#ifdef __cplusplus
extern "C" {
#endif

int inet_pton(int family, const char *text, void *address);
const char *inet_ntop(int family, const void *address, char *text, socklen_t length);
int inet_aton(const char *text, struct in_addr *address);
in_addr_t inet_addr(const char *text);
char *inet_ntoa(struct in_addr address);

#ifdef __cplusplus
}
#endif
