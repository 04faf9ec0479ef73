/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the kernel's own devices are: QEMU's address (hw/arm/virt.c) and the kernel's view in its last 2 MiB. */
#pragma once

#define GIC_DISTRIBUTOR_PADDR        0x08000000
#define GIC_CONTROLLER0_PADDR        0x08010000
#define UART_PADDR                   0x09000000

#define UART_PPTR                    0xffffffffffff0000
#define GIC_DISTRIBUTOR_PPTR         0xffffffffffff3000
#define GIC_CONTROLLER_PPTR          0xffffffffffff4000

/* The names that the driver gic_pl390 asks for; QEMU's GICv2 suits it. */
#define GIC_PL390_DISTRIBUTOR_PPTR   GIC_DISTRIBUTOR_PPTR
#define GIC_PL390_CONTROLLER_PPTR    GIC_CONTROLLER_PPTR
