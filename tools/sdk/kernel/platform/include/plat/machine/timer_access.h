/* SPDX-License-Identifier: BSD-2-Clause */
/* Which user thread may use the physical timer. */
#pragma once

#include <config.h>
#include <types.h>
#include <object/structures.h>
#include <model/statedata.h>
#include <plat/machine.h>

/* CNTKCTL_EL1 (Arm DDI 0487): user mode may read the physical counter; it may use the physical timer. */
#define CNTKCTL_EL0PCTEN BIT(0)
#define CNTKCTL_EL0PTEN  BIT(9)

/*
 * Called for the thread that runs next. The thread that receives the timer's interrupt through its bound notification
 * may use the timer; for all others its registers are undefined instructions. The register is written only when that
 * changes; the exception return that follows makes it take effect.
 */
static inline void giveTimerTo(tcb_t *thread)
{
    /* As the loader leaves it. */
    static bool_t open = false;
    cap_t cap = intStateIRQNode[USER_TIMER_IRQ].cap;
    bool_t owns = cap_get_capType(cap) == cap_notification_cap &&
                  notification_ptr_get_ntfnBoundTCB(NTFN_PTR(cap_notification_cap_get_capNtfnPtr(cap))) == TCB_REF(thread);

    if (unlikely(owns != open)) {
        open = owns;
        MSR("cntkctl_el1", CNTKCTL_EL0PCTEN | (owns ? CNTKCTL_EL0PTEN : 0));
    }
}
