# SPDX-License-Identifier: BSD-2-Clause
"""Where the kernel's source is."""

import json
import os
from pathlib import Path

from .process import BuildError, run

CRATE = "sel4-sys"


def locate(manifest):
    """Folder of the kernel's source: cargo downloads the crate that `manifest` names and says where it put it."""
    metadata = json.loads(
        run([os.environ.get("CARGO", "cargo"), "metadata", "--format-version", "1", "--locked", "--manifest-path", manifest])
    )
    for package in metadata["packages"]:
        if package["name"] == CRATE:
            kernel = Path(package["manifest_path"]).parent / "seL4"
            if not (kernel / "VERSION").is_file():
                raise BuildError(f"{kernel} holds no kernel source")
            return kernel
    raise BuildError(f"{manifest} does not name {CRATE}")
