#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what the build and the tests need and a bare Debian machine lacks. Does nothing, quickly, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

# program:Debian package
needed=(
    aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
    aarch64-linux-gnu-ld:binutils-aarch64-linux-gnu
    qemu-system-aarch64:qemu-system-arm
    curl:curl
    dnsmasq:dnsmasq-base
    cc:gcc
    flock:util-linux
)
missing=()
for entry in "${needed[@]}"; do
    command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
done
[ -e /usr/lib/picolibc/aarch64-linux-gnu/picolibc.specs ] || missing+=(picolibc-aarch64-linux-gnu)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ]; then
        as_root=()
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo)
    else
        echo "setup: missing Debian packages: ${missing[*]}" >&2
        echo "  help: install them, e.g. apt-get install ${missing[*]}" >&2
        exit 1
    fi
    mkdir -p build
    (
        flock 9
        echo "setup: installs Debian packages that the build needs: ${missing[*]}" >&2
        echo "  it runs: ${as_root[*]+sudo }apt-get update; ${as_root[*]+sudo }apt-get install -y --no-install-recommends …  (output: build/apt.log)" >&2
        "${as_root[@]}" apt-get update >build/apt.log 2>&1 || true
        for package in "${missing[@]}"; do
            DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y --no-install-recommends "$package" >>build/apt.log 2>&1 ||
                { echo "setup: apt-get could not install $package; its output is in build/apt.log" >&2; exit 1; }
        done
    ) 9>build/setup.lock
fi

if ! command -v rustup >/dev/null; then
    echo "setup: rustup is missing" >&2
    echo "  help: install Rust with rustup (https://rustup.rs), then run make again" >&2
    exit 1
fi
# rustup installs what rust-toolchain.toml names together with a toolchain, but adds nothing to one that is there already.
sysroot=$(rustc --print sysroot)
for target in aarch64-unknown-none aarch64-unknown-none-softfloat; do
    [ -d "$sysroot/lib/rustlib/$target" ] || rustup target add "$target" >&2
done
[ -x "$sysroot/bin/cargo-clippy" ] || rustup component add clippy >&2
[ -x "$sysroot/bin/rustfmt" ] || rustup component add rustfmt >&2

# Every cargo of the Makefile runs with --locked; cargo's own advice for a stale lock file does not fit that.
if ! why=$(cargo metadata --locked --format-version 1 2>&1 >/dev/null); then
    echo "$why" >&2
    case $why in
        *--locked*) echo "  help: a crate of the tree is new or has other dependencies; run: cargo update --workspace" >&2 ;;
    esac
    exit 1
fi
