/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For programs that know local sockets. There are only those of socketpair, which have no path.
 */

#pragma once

#include <sys/socket.h>

struct sockaddr_un {
    sa_family_t sun_family;
    char sun_path[108];
};
