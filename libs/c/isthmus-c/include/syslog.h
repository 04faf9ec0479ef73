/* SPDX-License-Identifier: BSD-2-Clause
 *
 * syslog goes to the log of the PD: priorities up to LOG_WARNING to standard error, the others to standard output.
 */

#pragma once

#include <stdarg.h>

#define LOG_EMERG 0
#define LOG_ALERT 1
#define LOG_CRIT 2
#define LOG_ERR 3
#define LOG_WARNING 4
#define LOG_NOTICE 5
#define LOG_INFO 6
#define LOG_DEBUG 7

#define LOG_USER (1 << 3)
#define LOG_DAEMON (3 << 3)

#define LOG_PID 0x1
#define LOG_CONS 0x2
#define LOG_NDELAY 0x8
#define LOG_PERROR 0x20

#ifdef __cplusplus
extern "C" {
#endif

void openlog(const char *name, int options, int facility);
void syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vsyslog(int priority, const char *format, va_list arguments);
void closelog(void);

#ifdef __cplusplus
}
#endif
