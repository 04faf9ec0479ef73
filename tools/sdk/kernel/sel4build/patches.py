# SPDX-License-Identifier: BSD-2-Clause
"""Changes to the kernel's C, made while its files are put into one unit: what later kernels corrected, too, what the
runtime or its tests would otherwise trip over, and who may use the timer. Each is a short text that must occur once."""

from typing import NamedTuple

from .process import BuildError


class Patch(NamedTuple):
    """In `file`, below src/, `old` becomes `new`."""

    file: str
    old: str
    new: str


# Of the ready queues' two bitmaps the first has a bit for each word of the second; the current thread is in no queue.
_RUNS_NEXT = """
static inline bool_t runs_next(prio_t priority)
{
    word_t groups = NODE_STATE(ksReadyQueuesL1Bitmap[0]);
    word_t group;

    compile_assert(one_domain, CONFIG_NUM_DOMAINS == 1)
    if (!groups) {
        return true;
    }
    group = wordBits - 1 - clzl(groups);
    return priority >= l1index_to_prio(group) + (wordBits - 1 - clzl(NODE_STATE(ksReadyQueuesL2Bitmap[0][group])));
}
"""

PATCHES = (
    # A thread that has just made a system call and is stopped before it runs again must go on behind the call when it
    # is resumed. This kernel would make the call a second time.
    Patch(
        "kernel/thread.c",
        "setThreadState(target, ThreadState_Inactive);\n    tcbSchedDequeue(target);",
        "if (thread_state_get_tsType(target->tcbState) == ThreadState_Running) {\n"
        "        setRegister(target, FaultInstruction, getRegister(target, ELR_EL1));\n"
        "    }\n"
        "    setThreadState(target, ThreadState_Inactive);\n    tcbSchedDequeue(target);",
    ),
    # Microkit's servers have higher priorities than their callers, and this kernel refuses its fastpath to every reply
    # from a higher priority. Later kernels ask what matters: whether the caller is the one to run next.
    Patch(
        "fastpath/fastpath.c",
        "#include <fastpath/fastpath.h>",
        "#include <fastpath/fastpath.h>\n#include <plat/machine/timer_access.h>\n" + _RUNS_NEXT,
    ),
    Patch(
        "fastpath/fastpath.c",
        "if (unlikely(caller->tcbPriority < NODE_STATE(ksCurThread)->tcbPriority)) {",
        "if (unlikely(caller->tcbPriority < NODE_STATE(ksCurThread)->tcbPriority && !runs_next(caller->tcbPriority))) {",
    ),
    # Every switch to a thread, on the fastpath and off it: only the owner of the timer's interrupt may use the timer.
    Patch("fastpath/fastpath.c", "switchToThread_fp(dest,", "giveTimerTo(dest);\n    switchToThread_fp(dest,"),
    Patch("fastpath/fastpath.c", "switchToThread_fp(caller,", "giveTimerTo(caller);\n    switchToThread_fp(caller,"),
    Patch(
        "arch/arm/64/kernel/thread.c",
        "#include <arch/linker.h>",
        "#include <arch/linker.h>\n#include <plat/machine/timer_access.h>",
    ),
    Patch("arch/arm/64/kernel/thread.c", "setVMRoot(tcb);", "setVMRoot(tcb);\n    giveTimerTo(tcb);"),
    # A reply without a caller is harmless and the runtime makes one at every restart: no complaint on the console.
    Patch("api/syscall.c", 'userError("Attempted reply operation when no reply cap present.");', ""),
)


def apply(file, text):
    """The text of `file` with its patches."""
    for patch in PATCHES:
        if patch.file == file:
            if text.count(patch.old) != 1:
                raise BuildError(f"src/{file} of the kernel is not the file that this build knows")
            text = text.replace(patch.old, patch.new)
    return text
