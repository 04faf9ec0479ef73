# SPDX-License-Identifier: BSD-2-Clause
"""Compiling and linking: all C of the kernel is one unit, as its own Makefile has it."""

import os

from . import generate, patches
from .process import run

COMPILER = os.environ.get("SEL4_CC", "aarch64-linux-gnu-gcc")

# The kernel's C files for aarch64, below src/.
_C_FILES = """
api/faults.c api/syscall.c arch/arm/64/c_traps.c arch/arm/64/idle.c arch/arm/64/kernel/thread.c
arch/arm/64/kernel/vspace.c arch/arm/64/machine/capdl.c arch/arm/64/machine/fpu.c arch/arm/64/machine/hardware.c
arch/arm/64/machine/registerset.c arch/arm/64/model/statedata.c arch/arm/64/object/objecttype.c arch/arm/api/faults.c
arch/arm/armv/armv8-a/64/benchmark.c arch/arm/armv/armv8-a/64/cache.c arch/arm/armv/armv8-a/64/user_access.c
arch/arm/benchmark/benchmark.c arch/arm/c_traps.c arch/arm/kernel/boot.c arch/arm/kernel/ipi.c
arch/arm/machine/cache.c arch/arm/machine/debug.c arch/arm/machine/errata.c arch/arm/machine/gic_pl390.c
arch/arm/machine/io.c arch/arm/object/interrupt.c arch/arm/object/iospace.c arch/arm/object/tcb.c
arch/arm/object/vcpu.c assert.c benchmark/benchmark_track.c benchmark/benchmark_utilisation.c
config/default_domain.c fastpath/fastpath.c inlines.c kernel/boot.c kernel/cspace.c kernel/faulthandler.c
kernel/stack.c kernel/thread.c machine/fpu.c machine/io.c machine/registerset.c model/preemption.c model/statedata.c
object/cnode.c object/endpoint.c object/interrupt.c object/notification.c object/objecttype.c object/tcb.c
object/untyped.c smp/lock.c string.c util.c
""".split()

_ASSEMBLY_FILES = ["arch/arm/64/head.S", "arch/arm/64/traps.S", "arch/arm/armv/armv8-a/64/machine_asm.S"]

_PLATFORM_FILES = ["hardware.c", "io.c"]

# Later compilers than the kernel's: -fno-tree-loop-distribute-patterns keeps memset from becoming a call of itself,
# -mno-outline-atomics keeps libgcc out, and the warnings are about constructs that were fine then.
_FLAGS = """
-std=c99 -O2 -nostdlib -nostdinc -ffreestanding -fno-pic -fno-pie -march=armv8-a -mgeneral-regs-only
-mno-outline-atomics -fno-asynchronous-unwind-tables -fno-stack-protector -fno-tree-loop-distribute-patterns
-Wall -Wno-address-of-packed-member -Wno-array-bounds -Wno-attributes
""".split()


class Compiler:
    """The cross compiler with the flags for one configuration."""

    def __init__(self, tree, config):
        self._tree = tree
        self._common = [*generate.defines(config), *(f"-I{folder}" for folder in tree.include_folders())]

    def preprocess(self, path, *flags):
        """Text of `path` after the C preprocessor."""
        return run([COMPILER, "-E", "-P", "-nostdinc", *flags, *self._common, "-x", "c", path])

    def kernel(self, output):
        """Builds the kernel and writes it to `output`."""
        tree = self._tree
        unit = tree.work / "kernel.c"
        with open(unit, "w", encoding="utf-8") as all_files:
            for folder, names in ((tree.source / "src", _C_FILES), (tree.platform / "src", _PLATFORM_FILES)):
                for name in names:
                    text = patches.apply(name, (folder / name).read_text(encoding="utf-8"))
                    all_files.write(f'#line 1 "{folder / name}"\n{text}\n')

        objects = []
        for source in [unit, *(tree.source / "src" / name for name in _ASSEMBLY_FILES)]:
            target = tree.work / f"{source.stem}.o"
            run([COMPILER, *_FLAGS, *self._common, "-c", source, "-o", target])
            objects.append(target)

        script = tree.work / "linker.pp.lds"
        script.write_text(self.preprocess(generate.linker_script(tree)), encoding="utf-8")
        flags = ["-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,-n", "-Wl,-z,noexecstack"]
        linked = tree.work / "sel4.elf"
        run([COMPILER, *flags, "-Wl,-T", script, *objects, "-o", linked])
        output.parent.mkdir(parents=True, exist_ok=True)
        os.replace(linked, output)


def version():
    """What the compiler says it is; part of what a build depends on."""
    return run([COMPILER, "--version"]).splitlines()[0]
