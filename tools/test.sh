#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs every test that CI runs and adds up the counts. A stage is a name and a command; its log lies in build/test-logs/.
# A stage that fails without saying how many tests failed counts as one failure.
set -uo pipefail
cd "$(dirname "$0")/.."
export CONFIG=${CONFIG:-release}
logs=build/test-logs
mkdir -p "$logs"
passed=0
failed=0
skipped=0

stage() {
    local name=$1
    shift
    echo "== $name"
    "$@" 2>&1 | tee "$logs/$name.log"
    local status=${PIPESTATUS[0]} p f s
    # cargo test: "test result: ok. 3 passed; 0 failed; …"; our own suites: "3 passed, 0 failed".
    p=$(sed -nE 's/^(test result: .*\. )?([0-9]+) passed[;,] ([0-9]+) failed.*/\2/p' "$logs/$name.log" | awk '{n+=$1} END {print n+0}')
    f=$(sed -nE 's/^(test result: .*\. )?([0-9]+) passed[;,] ([0-9]+) failed.*/\3/p' "$logs/$name.log" | awk '{n+=$1} END {print n+0}')
    s=$(sed -nE 's/^[0-9]+ passed, [0-9]+ failed, ([0-9]+) skipped$/\1/p' "$logs/$name.log" | awk '{n+=$1} END {print n+0}')
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    if [ "$f" -ne 0 ]; then echo "-- $name failed; its log: $logs/$name.log"; fi
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + s))
}

# Libraries and tools are tested apart: the tools want smoltcp with `std`, and cargo would give the libraries the same, which is not
# what PDs are made of.
# With the version, because crates of others have the same names.
version=$(sed -nE 's/^version = "(.*)"/\1/p' Cargo.toml)
libraries=$(find libs -name Cargo.toml -exec sed -nE "s/^name *= *\"(.*)\"/\1@$version/p" {} +)
with() { local option=$1; shift; printf -- "$option %s " "$@"; }

# shellcheck disable=SC2046,SC2086
library_tests() { cargo test --locked --quiet $(with -p $libraries) --target-dir build/host --no-fail-fast; }
# shellcheck disable=SC2046,SC2086
tool_tests() { cargo test --locked --quiet --workspace $(with --exclude $libraries sdk-test-pds) --target-dir build/host --no-fail-fast; }
suite() { make --no-print-directory "$@"; }

make --no-print-directory setup || exit 1
stage libs library_tests
stage tools tool_tests
stage loom suite loom
stage sdk suite test-sdk CONFIG=debug
stage rights suite test-rights TEST_IMAGE=1
stage outside suite test-outside
stage c-program suite test-c-program
stage apps suite test-apps
stage system suite test-system TEST_IMAGE=1
stage lan suite test-lan TEST_IMAGE=1

[ "$skipped" -eq 0 ] || echo "$skipped skipped: see build/test-logs for why"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
