#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the registry SDK's kernel: sel4.elf and the JSON files of board/qemu_virt_aarch64/<config>/.

Does nothing when nothing changed. Two configurations can be built at the same time.
"""

import argparse
import fcntl
import hashlib
import json
import sys
from pathlib import Path

from sel4build import compile as compiling
from sel4build import configuration, environment, generate, source, tables
from sel4build.process import BuildError

HERE = Path(__file__).resolve().parent
BOARD = "qemu_virt_aarch64"


def inputs(config):
    """Hash of all that the result depends on. The kernel's source is in it by the checksum in Cargo.lock."""
    digest = hashlib.sha256(f"{config} {compiling.version()} {sys.version}".encode())
    for path in sorted(HERE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"\n{path.relative_to(HERE)}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def up_to_date(stamp, wanted):
    """Whether the last build had the same inputs and its outputs are still as they were."""
    if not stamp.is_file():
        return False
    last = json.loads(stamp.read_text(encoding="utf-8"))
    return last["inputs"] == wanted and all(
        Path(name).is_file() and hashlib.sha256(Path(name).read_bytes()).hexdigest() == digest
        for name, digest in last["outputs"].items()
    )


def build(out, work, config):
    """Builds one configuration."""
    board = out / "board" / BOARD / config
    stamp = work / f"{config}.json"
    wanted = inputs(config)
    if up_to_date(stamp, wanted):
        return
    stamp.unlink(missing_ok=True)
    print(f"seL4 kernel ({config})", flush=True)
    python = environment.ensure(work / "python", HERE / "requirements.txt")
    tree = generate.Tree(source.locate(HERE / "source" / "Cargo.toml"), HERE / "platform", work / config)
    compiler = compiling.Compiler(tree, config)
    generate.headers(tree, config, python, compiler.preprocess)
    kernel = board / "elf" / "sel4.elf"
    compiler.kernel(kernel)
    contents = tables.all_tables(compiler, tree, config)
    tables.write(board, contents)
    outputs = [kernel, *(board / name for name in contents)]
    digests = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in outputs}
    stamp.write_text(json.dumps({"inputs": wanted, "outputs": digests}), encoding="utf-8")


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the SDK's folder")
    parser.add_argument("--work", type=Path, help="folder for intermediate files (default: kernel-build beside --out)")
    parser.add_argument("--config", choices=configuration.CONFIGS, required=True)
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    work = (arguments.work or out.parent / "kernel-build").resolve()
    work.mkdir(parents=True, exist_ok=True)
    try:
        # Two builds of the same configuration take turns; the second finds nothing to do.
        with open(work / f"{arguments.config}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            build(out, work, arguments.config)
    except BuildError as error:
        sys.exit(f"kernel build: {error}")


if __name__ == "__main__":
    main()
