# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's configuration and the board, each written down once: the C headers and the SDK's JSON files come from here."""

CONFIGS = ("debug", "release")

PHYS_BASE = 0x4000_0000
KERNEL_BASE = 0xFFFF_FF80_0000_0000

# Highest user address. The kernel would allow 2^48 - 1; this is what the official SDK's kernel has on this board, so
# that one system.xml and one PD suit both.
USER_TOP = 0xFF_FFFF_FFFF

TIMER_CLOCK_HZ = 62_500_000

# [start, end) as QEMU's `virt` lays them out with -m size=2G.
MEMORY = [(0x4000_0000, 0xC000_0000)]
# All below RAM but the interrupt controller (0x0800_0000..0x0900_0000), which is the kernel's.
DEVICES = [(0x0, 0x0800_0000), (0x0900_0000, 0x4000_0000)]
# RAM that is still free when the initialiser starts, whatever the system: kernel and root task lie below, and the
# kernel takes the root task's objects (4 MiB of slots and more) off the upper end. Near the end the kernel's pieces of
# untyped memory are small: the first object made of a piece costs clearing all of it, so fixed addresses go there.
FIXED_MEMORY = (0x6000_0000, 0xBF00_0000)

_COMMON = {
    "ARCH_ARM": True,
    "ARCH_AARCH32": False,
    "ARCH_AARCH64": True,
    "ARCH_ARM_V8A": True,
    "ARM_CORTEX_A53": True,
    "PLAT_QEMU_ARM_VIRT": True,
    "WORD_SIZE": 64,
    "KERNEL_MCS": False,
    "ARM_HYPERVISOR_SUPPORT": False,
    "HAVE_FPU": True,
    "FPU_MAX_RESTORES_SINCE_SWITCH": 64,
    "IPC_BUF_TPIDRURW": True,
    # One slot for each frame and each mapping that the initialiser makes: 2^17 is what the official SDK has.
    "ROOT_CNODE_SIZE_BITS": 17,
    "TIMER_TICK_MS": 2,
    "TIME_SLICE": 5,
    "RETYPE_FAN_OUT_LIMIT": 256,
    "RESET_CHUNK_BITS": 8,
    "MAX_NUM_WORK_UNITS_PER_PREEMPTION": 100,
    "MAX_NUM_BOOTINFO_UNTYPED_CAPS": 167,
    "NUM_DOMAINS": 1,
    "NUM_PRIORITIES": 256,
    "MAX_NUM_NODES": 1,
    "ENABLE_SMP_SUPPORT": False,
    "KERNEL_STACK_BITS": 12,
    "FASTPATH": True,
    "LIB_SEL4_INLINE_INVOCATIONS": True,
    "HARDWARE_DEBUG_API": False,
}

_DEBUG = {
    "DEBUG_BUILD": True,
    "PRINTING": True,
    "IRQ_REPORTING": True,
    "USER_STACK_TRACE_LENGTH": 16,
}

_RELEASE = {
    "DEBUG_BUILD": False,
    "PRINTING": False,
    "IRQ_REPORTING": False,
    "USER_STACK_TRACE_LENGTH": 0,
}

# What readers of the official SDK's gen_config.json look for and this kernel has no option for. Counters and cache
# operations are the loader's doing (CNTKCTL_EL1, SCTLR_EL1.UCI). The physical timer is not open to user mode as a whole:
# the kernel gives it to the owner of its interrupt (platform/include/plat/machine/timer_access.h).
_FOR_READERS = {
    "SEL4_ARCH": "aarch64",
    "ARCH": "arm",
    "PLAT": "qemu-arm-virt",
    "TIMER_FREQUENCY": TIMER_CLOCK_HZ,
    "PADDR_USER_DEVICE_TOP": DEVICES[-1][1],
    "EXPORT_PCNT_USER": True,
    "EXPORT_PTMR_USER": False,
    "EXPORT_VCNT_USER": False,
    "EXPORT_VTMR_USER": False,
    "AARCH64_USER_CACHE_ENABLE": True,
}


def options(config):
    """The kernel's CONFIG_ options for `config`, without the prefix."""
    return {**_COMMON, **(_DEBUG if config == "debug" else _RELEASE)}


def autoconf_header(config):
    """autoconf.h: a false option is one that is not defined."""
    lines = ["#pragma once"]
    for name, value in options(config).items():
        if value is not False:
            lines.append(f"#define CONFIG_{name} {1 if value is True else value}")
    return "\n".join(lines) + "\n"


def board_header():
    """plat/machine/board_gen.h, for the platform's hardware.h."""

    def regions(ranges):
        return ", ".join(f"{{ .start = {start:#x}, .end = {end:#x} }}" for start, end in ranges)

    return (
        "#pragma once\n"
        f"#define physBase {PHYS_BASE:#x}\n"
        f"#define kernelBase {KERNEL_BASE:#x}\n"
        f"#define USER_TOP {USER_TOP:#x}\n"
        f"#define TIMER_CLOCK_HZ {TIMER_CLOCK_HZ}llu\n"
        f"#define MEMORY_REGIONS {regions(MEMORY)}\n"
        f"#define DEVICE_REGIONS {regions(DEVICES)}\n"
    )


def gen_config(config):
    """gen_config.json as the official SDK writes it: numbers are strings, flags are booleans."""

    def shown(value):
        return value if isinstance(value, (bool, str)) else str(value)

    return {name: shown(value) for name, value in {**_FOR_READERS, **options(config)}.items()}
