#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Format, clippy with warnings denied, documentation, dependency and source rules.
set -euo pipefail
cd "$(dirname "$0")/.."
export CONFIG=${CONFIG:-release}
# $(packages pds …): the crates in these folders, as options.
packages() { find "$@" -name Cargo.toml -exec sed -snE '1,/^version/s/^name *= *"(.*)"/-p \1/p' {} +; }

echo "== format"
cargo fmt --all --check

echo "== clippy, host, without an SDK"
MICROKIT_SDK= cargo clippy --locked --quiet --workspace --all-targets --target-dir build/host -- -D warnings

echo "== a PD without an SDK: checked, not linked"
tools/without-sdk.sh

echo "== clippy, target"
make -s --no-print-directory sdk registry-sdk
lint() { cargo clippy --locked --quiet "$@" --release --target aarch64-unknown-none --target-dir "build/$CONFIG/clippy" -- -D warnings; }
# shellcheck disable=SC2046
(export $(make -s sdk-environment) && lint $(packages pds tools/tests/sdk-tests/pds) --features sdk-test-pds/aarch64 && lint -p sel4-microkit --features alloc && lint -p isthmus-c &&
    lint -p pd-net -p pd-support -p resolver -p socket-client --features pd-net/embassy-time,pd-net/resolver,resolver/embedded-nal-async,pd-support/critical-section,pd-support/getrandom,pd-support/log,socket-client/edge-nal,socket-client/embedded-nal-async,socket-client/sntpc)
# Loader and initialiser are programs of the registry SDK, whatever SDK the image is built with.
# shellcheck disable=SC2046
(export $(make -s sdk-environment MICROKIT_SDK=) && lint -p sdk-loader -p sdk-initialiser --features program)

echo "== documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --workspace --target-dir build/host

echo "== rules"
make --no-print-directory build/tools/check
build/tools/check
echo "check: all is well"
