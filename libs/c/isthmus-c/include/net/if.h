/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of interfaces.
 */

#pragma once

#define IF_NAMESIZE 16
#define IFNAMSIZ IF_NAMESIZE

#ifdef __cplusplus
extern "C" {
#endif

unsigned if_nametoindex(const char *name);
char *if_indextoname(unsigned index, char *name);

#ifdef __cplusplus
}
#endif
