# SPDX-License-Identifier: BSD-2-Clause
"""The SDK's JSON files, read off the kernel's own headers so that they cannot disagree with the kernel."""

import json
import re

from . import configuration
from .process import BuildError

_ENUM = re.compile(r"enum\s*\w*\s*\{([^}]*)\}")

# Labels that later kernels gave another name: a reader that knows only the official SDK's names finds them too.
# Cache invalidation is left out on purpose, see README.md of tools/sdk.
_ALIASES = {
    "ARMVSpaceClean_Data": "ARMPageGlobalDirectoryClean_Data",
    "ARMVSpaceCleanInvalidate_Data": "ARMPageGlobalDirectoryCleanInvalidate_Data",
    "ARMVSpaceUnify_Instruction": "ARMPageGlobalDirectoryUnify_Instruction",
}

_HEADERS = {
    "invocations": ["api/invocation.h", "arch/api/sel4_invocation.h", "arch/api/invocation.h"],
    "syscalls": ["arch/api/syscall.h"],
    "objects": ["sel4/objecttype.h", "sel4/sel4_arch/objecttype.h", "sel4/arch/objecttype.h"],
}


def enumerators(text, known=None):
    """Name and value of all enumerators in preprocessed C. A value is an integer or an earlier enumerator."""
    values = dict(known or {})
    for body in _ENUM.findall(text):
        upcoming = 0
        for entry in filter(None, (entry.strip() for entry in body.split(","))):
            name, _, value = (part.strip() for part in entry.partition("="))
            if value:
                upcoming = values[value] if value in values else int(value, 0)
            values[name] = upcoming
            upcoming += 1
    return values


def _constants(compiler, tree):
    """seL4_…Bits of the object sizes: macros with a number."""
    text = compiler.preprocess(tree.source / "libsel4/sel4_arch_include/aarch64/sel4/sel4_arch/constants.h", "-dM")
    return {name: int(value) for name, value in re.findall(r"#define (seL4_\w+) (\d+)\n", text)}


def all_tables(compiler, tree, config):
    """File name, relative to the configuration's folder, and content of every JSON file."""
    found = {}
    for group, headers in _HEADERS.items():
        values = {}
        for header in headers:
            path = next(folder / header for folder in tree.include_folders() if (folder / header).is_file())
            # The generated headers ask for options without including them.
            options = ["-include", tree.generated / "autoconf.h"]
            values = enumerators(compiler.preprocess(path, *options), values)
        found[group] = values

    def counters_removed(values):
        return {name: value for name, value in values.items() if not re.match(r"n\w*Labels$|InvalidInvocation$|\w*Count$", name)}

    invocations = counters_removed(found["invocations"])
    for alias, name in _ALIASES.items():
        invocations[alias] = invocations[name]
    bits = _constants(compiler, tree)
    try:
        sizes = {
            "tcb": bits["seL4_TCBBits"],
            "endpoint": bits["seL4_EndpointBits"],
            "notification": bits["seL4_NotificationBits"],
            "small_page": bits["seL4_PageBits"],
            "large_page": bits["seL4_LargePageBits"],
            "huge_page": bits["seL4_HugePageBits"],
            "asid_pool": bits["seL4_ASIDPoolBits"],
            "slot": bits["seL4_SlotBits"],
            "min_untyped_bits": bits["seL4_MinUntypedBits"],
            "max_untyped_bits": bits["seL4_MaxUntypedBits"],
            "page_table": bits["seL4_PageTableBits"],
            "vspace": bits["seL4_PGDBits"],
        }
    except KeyError as error:
        raise BuildError(f"the kernel's headers do not define {error}") from error

    def ranges(regions):
        return [{"start": start, "end": end} for start, end in regions]

    return {
        "include/kernel/gen_config.json": configuration.gen_config(config),
        "invocations_all.json": invocations,
        "syscalls.json": found["syscalls"],
        "object_types.json": counters_removed(found["objects"]),
        "object_sizes.json": sizes,
        "address_space_constants.json": {
            "page_table_index_bits": 9,
            "vspace_user_top": configuration.USER_TOP,
            "vspace_index_bits": 9,
        },
        "platform_gen.json": {
            "devices": ranges(configuration.DEVICES),
            "memory": ranges(configuration.MEMORY),
            "fixed_memory": ranges([configuration.FIXED_MEMORY])[0],
        },
    }


def write(folder, tables):
    """Writes the JSON files below `folder`."""
    for name, content in tables.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
