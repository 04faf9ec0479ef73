/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of Microkit's microkit.h, for programs in C on either SDK. What is not here (virtual machines, I/O ports, SMC)
 * this system does not have. Unlike there, a channel or child that the program may not use ends it with a message that the
 * supervisor shows.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t seL4_Word;
typedef uint8_t seL4_Uint8;
typedef uint16_t seL4_Uint16;
typedef uint32_t seL4_Uint32;
typedef uint64_t seL4_Uint64;
typedef int8_t seL4_Bool;

typedef unsigned int microkit_channel;
typedef unsigned int microkit_child;

/* A label and a number of words. */
typedef struct {
    seL4_Word word;
} microkit_msginfo;

#define MICROKIT_MAX_CHANNELS 62
#define MICROKIT_MAX_CHANNEL_ID (MICROKIT_MAX_CHANNELS - 1)

/* In front of a variable that a setvar… of the system description sets, of eight bytes. Elsewhere a restart would clear it:
 *
 *     MICROKIT_SETVAR const volatile uintptr_t mailbox = 0;
 */
#define MICROKIT_SETVAR __attribute__((section(".microkit.vars"), used))

/* The name of this PD. A name of 64 bytes has no zero behind it. */
extern const char microkit_name[64];

/* What the program defines: init, and those of the others that it needs. */
void init(void);
void notified(microkit_channel channel);
microkit_msginfo protected(microkit_channel channel, microkit_msginfo msginfo);
seL4_Bool fault(microkit_child child, microkit_msginfo msginfo, microkit_msginfo *reply_msginfo);

void microkit_notify(microkit_channel channel);
void microkit_irq_ack(microkit_channel channel);

/* Carried out when the program waits next; one at a time, a second one carries out the first. */
void microkit_deferred_notify(microkit_channel channel);
void microkit_deferred_irq_ack(microkit_channel channel);

/* A protected procedure call. A peer that is restarted meanwhile answers with the label MICROKIT_RESTARTED. */
microkit_msginfo microkit_ppcall(microkit_channel channel, microkit_msginfo msginfo);
#define MICROKIT_RESTARTED 0xfffff

void microkit_mr_set(seL4_Uint8 mr, seL4_Word value);
seL4_Word microkit_mr_get(seL4_Uint8 mr);

void microkit_pd_restart(microkit_child child, seL4_Word entry_point);
void microkit_pd_stop(microkit_child child);
void microkit_pd_resume(microkit_child child);

/* To the log of this PD, which the console prints by lines. */
void microkit_dbg_putc(int character);
void microkit_dbg_puts(const char *text);
void microkit_dbg_put8(seL4_Uint8 number);
void microkit_dbg_put32(seL4_Uint32 number);

__attribute__((noreturn)) void microkit_internal_crash(seL4_Word error);

/* Labels have 20 bits on the registry SDK, 52 on the official one. */
static inline microkit_msginfo microkit_msginfo_new(seL4_Word label, seL4_Uint16 count)
{
    return (microkit_msginfo) { label << 12 | count };
}

static inline seL4_Word microkit_msginfo_get_label(microkit_msginfo msginfo)
{
    return msginfo.word >> 12;
}

static inline seL4_Word microkit_msginfo_get_count(microkit_msginfo msginfo)
{
    return msginfo.word & 0x7f;
}
