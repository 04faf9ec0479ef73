/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of QEMU's machine `virt`. */
#pragma once

/*
 * The machine has 288. An interrupt capability of this kernel holds 8 bits, so a higher number would silently name
 * another interrupt; no device of the machine uses one.
 */
enum IRQConstants {
    maxIRQ = 255
};

/* Slots of 32 bytes for interrupts 0..=maxIRQ. */
#define IRQ_CNODE_BITS   13

/* The virtual timer. The physical timer (30) is left to user mode, as Microkit's kernel does. */
#define KERNEL_TIMER_IRQ 27
#define USER_TIMER_IRQ   30

#include <arch/machine/gic_pl390.h>
