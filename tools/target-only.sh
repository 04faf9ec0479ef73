#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Prints the crates that are built for the target only: their manifest says `[package.metadata.isthmus] target-only = true`.
set -euo pipefail
cd "$(dirname "$0")/.."
find libs pds tools -name Cargo.toml -print0 | xargs -0 grep -lE '^target-only *= *true' |
    xargs -r sed -nE 's/^name *= *"(.*)"/\1/p'
