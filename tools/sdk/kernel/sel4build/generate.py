# SPDX-License-Identifier: BSD-2-Clause
"""The headers that the kernel's build generates, made by the kernel's own generators."""

import os
import shutil

from . import configuration
from .process import BuildError, run

# The platform whose linker script ours is derived from, and the one line that differs.
_MODEL_PLATFORM = "tx1"
_MODEL_PHYS_BASE = "PHYS_BASE = 0x80000000;"


class Tree:
    """Folders of one build: the kernel's source (never written to), our platform, and the work folder."""

    def __init__(self, source, platform, work):
        self.source = source
        self.platform = platform
        self.work = work
        self.generated = work / "generated"
        self.tools = work / "tools"

    def include_folders(self):
        """Generated headers and the platform's come before the kernel's own."""
        include = self.source / "include"
        return [
            self.generated,
            self.platform / "include",
            include,
            include / "64",
            include / "arch/arm",
            include / "arch/arm/arch/64",
            include / "arch/arm/armv/armv8-a",
            include / "arch/arm/armv/armv8-a/64",
            self.source / "libsel4/include",
            self.source / "libsel4/arch_include/arm",
            self.source / "libsel4/sel4_arch_include/aarch64",
        ]


# Defines that the kernel's Makefile gives to every unit.
def defines(config):
    """Preprocessor definitions besides autoconf.h."""
    names = ["HAVE_AUTOCONF", "ARMV8_A", "ARCH_ARM", "__KERNEL_64__", "AARCH64", "ARM_CORTEX_A53"]
    if config == "debug":
        names.append("DEBUG")
    return [f"-D{name}" for name in names]


def headers(tree, config, python, preprocess):
    """Writes all generated headers. `preprocess(path)` gives a file's text after the C preprocessor."""
    if tree.work.exists():
        shutil.rmtree(tree.work)
    tree.generated.mkdir(parents=True)
    # A copy, because the parser generator writes its tables next to the script.
    shutil.copytree(tree.source / "tools", tree.tools)

    _write(tree.generated / "autoconf.h", configuration.autoconf_header(config))
    _write(tree.generated / "plat/machine/board_gen.h", configuration.board_header())

    def tool(script, *arguments):
        run([python, tree.tools / script, *arguments], cwd=tree.tools, env={**os.environ, "PYTHONPATH": str(tree.tools)})

    interfaces = tree.source / "libsel4"
    for target, xml, layer in (
        ("api/invocation.h", interfaces / "include/interfaces/sel4.xml", []),
        ("arch/api/sel4_invocation.h", interfaces / "sel4_arch_include/aarch64/interfaces/sel4arch.xml", ["--sel4_arch"]),
        ("arch/api/invocation.h", interfaces / "arch_include/arm/interfaces/sel4arch.xml", ["--arch"]),
    ):
        tool("invocation_header_gen.py", *layer, "--xml", xml, "--dest", _ready(tree.generated / target))
    tool(
        "syscall_header_gen.py",
        "--xml",
        tree.source / "include/api/syscall.xml",
        "--kernel_header",
        _ready(tree.generated / "arch/api/syscall.h"),
    )
    for target, description in (
        ("mode/api/shared_types", tree.source / "include/64/mode/api/shared_types.bf"),
        ("arch/object/structures", tree.source / "include/arch/arm/arch/object/structures.bf"),
        ("plat/machine/hardware", tree.platform / "include/plat/machine/hardware.bf"),
    ):
        plain = _ready(tree.generated / f"{target}.pbf")
        _write(plain, preprocess(description))
        tool("bitfield_gen.py", plain, tree.generated / f"{target}_gen.h")


def linker_script(tree):
    """The linker script before the preprocessor: a tried platform's, moved to this machine's RAM."""
    text = (tree.source / f"src/plat/{_MODEL_PLATFORM}/linker.lds").read_text(encoding="utf-8")
    if text.count(_MODEL_PHYS_BASE) != 1 or f"{configuration.KERNEL_BASE:#x}" not in text:
        raise BuildError("the kernel's linker script is not the one that this build knows")
    path = tree.work / "linker.lds"
    _write(path, text.replace(_MODEL_PHYS_BASE, f"PHYS_BASE = {configuration.PHYS_BASE:#x};"))
    return path


def _ready(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path, text):
    _ready(path).write_text(text, encoding="utf-8")
