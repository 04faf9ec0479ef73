# SPDX-License-Identifier: BSD-2-Clause
"""A Python environment of the project's own with what the kernel's generators import."""

import fcntl
import sys
from pathlib import Path

from .process import run


def ensure(folder, requirements):
    """Makes the environment in `folder` if it is not there or `requirements` changed; gives its Python.

    Two builds may ask at the same time: the lock lets one of them work.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    made_from = folder / "requirements.txt"
    with open(Path(f"{folder}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = requirements.read_text(encoding="utf-8")
        if python.is_file() and made_from.is_file() and made_from.read_text(encoding="utf-8") == wanted:
            return python
        run([sys.executable, "-m", "venv", "--clear", folder])
        run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
            + ["--require-hashes", "-r", requirements]
        )
        made_from.write_text(wanted, encoding="utf-8")
    return python
