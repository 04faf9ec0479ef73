/* SPDX-License-Identifier: BSD-2-Clause */
/* Timer and caches: the generic timer does it all, and there is no cache outside the core. */

#include <config.h>
#include <types.h>
#include <arch/machine.h>
#include <mode/machine/timer.h>
#include <arch/linker.h>

void resetTimer(void)
{
    resetGenericTimer();
}

BOOT_CODE void initTimer(void)
{
    initGenericTimer();
}

void initL2Cache(void)
{
}

void plat_cleanL2Range(paddr_t start, paddr_t end)
{
}

void plat_invalidateL2Range(paddr_t start, paddr_t end)
{
}

void plat_cleanInvalidateL2Range(paddr_t start, paddr_t end)
{
}

void plat_cleanInvalidateCache(void)
{
}
