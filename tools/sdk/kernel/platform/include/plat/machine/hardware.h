/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of QEMU's machine `virt` as the kernel sees it. */
#pragma once

#include <config.h>
#include <basic_types.h>
#include <arch/linker.h>
#include <plat/machine.h>
#include <plat/machine/devices.h>
/* physBase, kernelBase, USER_TOP, TIMER_CLOCK_HZ, MEMORY_REGIONS, DEVICE_REGIONS: made by sel4build/configuration.py */
#include <plat/machine/board_gen.h>

static const kernel_frame_t BOOT_RODATA kernel_devices[] = {
    { GIC_CONTROLLER0_PADDR, GIC_CONTROLLER_PPTR, true },
    { GIC_DISTRIBUTOR_PADDR, GIC_DISTRIBUTOR_PPTR, true },
#ifdef CONFIG_PRINTING
    { UART_PADDR, UART_PPTR, true },
#endif
};

/* RAM; the kernel takes its own image out. */
static const p_region_t BOOT_RODATA avail_p_regs[] = { MEMORY_REGIONS };

/* What user mode gets as device memory: everything but the interrupt controller. */
static const p_region_t BOOT_RODATA dev_p_regs[] = { DEVICE_REGIONS };

/* No interrupt is reserved. */
static inline void handleReservedIRQ(irq_t irq)
{
}
