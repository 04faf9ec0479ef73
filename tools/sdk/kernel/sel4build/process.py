# SPDX-License-Identifier: BSD-2-Clause
"""Running programs, with errors that say what was run."""

import subprocess


class BuildError(Exception):
    """Something that the person who runs the build has to see; the text says what and, where known, the remedy."""


def run(arguments, cwd=None, env=None):
    """Runs a program and gives its standard output."""
    arguments = [str(argument) for argument in arguments]
    try:
        done = subprocess.run(arguments, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise BuildError(f"{arguments[0]} is missing\n  help: run `make setup`, which installs it") from error
    if done.returncode != 0:
        raise BuildError(f"failed with status {done.returncode}: {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout
