/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug output on the PL011 (Arm DDI 0183: UARTDR, UARTFR). */

#include <config.h>
#include <stdint.h>
#include <util.h>
#include <machine/io.h>
#include <plat/machine/devices.h>

#define UARTDR        0x00
#define UARTFR        0x18
#define UARTFR_TXFF   (1u << 5)

/* A port that is switched off never becomes ready, and the kernel does not wait for it for ever. */
#define UART_PATIENCE 1000000u

#if defined(CONFIG_DEBUG_BUILD) || defined(CONFIG_PRINTING)
static volatile uint32_t *uart_register(word_t offset)
{
    return (volatile uint32_t *)(UART_PPTR + offset);
}

void putDebugChar(unsigned char c)
{
    for (uint32_t look = 0; look < UART_PATIENCE; look++) {
        if (!(*uart_register(UARTFR) & UARTFR_TXFF)) {
            *uart_register(UARTDR) = c;
            return;
        }
    }
}
#endif

#ifdef CONFIG_DEBUG_BUILD
unsigned char getDebugChar(void)
{
    return 0;
}
#endif
