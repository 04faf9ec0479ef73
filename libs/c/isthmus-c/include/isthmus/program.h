/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a program in C can ask of this system beside the names of Microkit and POSIX.
 */

#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The arguments of `main` behind the PD's name, and NULL. A program that wants any defines it. */
extern char *isthmus_arguments[];
#define ISTHMUS_MAX_ARGUMENTS 30

/* Ends the program with a text that the supervisor shows, and has it started again. */
__attribute__((noreturn)) void isthmus_panic(const char *text);

/* Says that the program makes progress. A turn of more than three seconds that neither waits nor says so is ended. */
void isthmus_working(void);

/* How often this PD has been restarted since the system booted. */
uint64_t isthmus_restarts(void);

#ifdef __cplusplus
}
#endif
