#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Format, clippy with warnings denied, documentation, dependency and source rules.
set -euo pipefail
cd "$(dirname "$0")/.."
export CONFIG=${CONFIG:-release}
target_only=$(tools/target-only.sh)
exclude=$(sed 's/^/--exclude /' <<<"$target_only" | tr '\n' ' ')
# Loader and initialiser are programs of the registry SDK, whatever SDK the image is built with.
own='sdk-loader|sdk-initialiser'
include=$(grep -vxE "$own" <<<"$target_only" | sed 's/^/-p /' | tr '\n' ' ')
include_own=$(grep -xE "$own" <<<"$target_only" | sed 's/^/-p /' | tr '\n' ' ')

echo "== format"
cargo fmt --all --check

echo "== clippy, host"
# shellcheck disable=SC2086
cargo clippy --locked --quiet --workspace $exclude --all-targets --target-dir build/host -- -D warnings

echo "== clippy, target"
make -s --no-print-directory sdk registry-sdk
lint() { cargo clippy --locked --quiet "$@" --release --target aarch64-unknown-none --target-dir "build/$CONFIG/clippy" -- -D warnings; }
# shellcheck disable=SC2046,SC2086
(export $(make -s sdk-environment) && lint $include && lint -p sel4-microkit --features alloc)
# shellcheck disable=SC2046,SC2086
(export $(make -s sdk-environment MICROKIT_SDK=) && lint $include_own)

echo "== documentation"
# shellcheck disable=SC2086
RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --workspace $exclude --target-dir build/host

echo "== rules"
make --no-print-directory build/tools/check
build/tools/check
echo "check: all is well"
