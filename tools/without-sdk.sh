#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Without an SDK a PD can be type-checked for the target, and linking it says what is missing and what to do.
set -uo pipefail
cd "$(dirname "$0")/.."
export MICROKIT_SDK=$PWD/build/no-sdk CARGO_TARGET_DIR=build/host
cargo check-pd timer_driver --locked --quiet || exit
if output=$(cargo pd timer_driver --locked --quiet 2>&1); then
    echo "without-sdk: a PD was linked without an SDK" >&2
    exit 1
fi
for words in "MICROKIT_SDK=$MICROKIT_SDK: no such folder" 'run `make sdk`'; do
    grep -qF "$words" <<<"$output" && continue
    printf 'without-sdk: linking does not say "%s", but:\n%s\n' "$words" "$output" >&2
    exit 1
done
