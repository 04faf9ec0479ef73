/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options of stream sockets, with the numbers of Linux.
 */

#pragma once

#define SOL_TCP 6

#define TCP_NODELAY 1
#define TCP_MAXSEG 2
#define TCP_KEEPIDLE 4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT 6
#define TCP_USER_TIMEOUT 18
