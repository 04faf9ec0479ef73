#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Boots the image under gdb: debug.sh PROGRAM PORT QEMU… stops where that PD's Rust code begins. The console goes to a file.
set -uo pipefail
program=$1 port=$2
shift 2
pd=$(basename "$program")

for gdb in gdb-multiarch aarch64-linux-gnu-gdb; do
    command -v "$gdb" >/dev/null && break
    gdb=
done
if [ -z "$gdb" ]; then
    echo "debug: no gdb that knows AArch64" >&2
    echo "  help: apt-get install gdb-multiarch" >&2
    exit 1
fi

console=build/console-$port.log
# A session of its own: Ctrl-C stops the guest, and does not end QEMU.
setsid setpriv --pdeathsig TERM -- "$@" -S -gdb "tcp:127.0.0.1:$port" </dev/null >"$console" 2>&1 &
qemu=$!
trap 'kill $qemu 2>/dev/null' EXIT
echo "console: tail -f $console"

# All PDs have the same addresses. It is the right one if it has these instructions there, and then this name. The instructions are
# read from the program, before the target is connected.
"$gdb" -q "$program" \
    -ex 'set pagination off' -ex 'set confirm off' -ex 'set language c' -ex 'set architecture aarch64' \
    -ex 'set $begin = (unsigned long *)&__sel4_microkit__main' \
    -ex 'set $code0 = $begin[0]' -ex 'set $code1 = $begin[1]' -ex 'set $code2 = $begin[2]' -ex 'set $code3 = $begin[3]' \
    -ex 'set language auto' -ex "set tcp connect-timeout 10" -ex "target remote 127.0.0.1:$port" -ex 'set language c' \
    -ex 'hbreak *(unsigned long)$begin if $begin[0] == $code0 && $begin[1] == $code1 && $begin[2] == $code2 && $begin[3] == $code3 && $_streq((char *)&microkit_name, "'$pd'")' \
    -ex 'set language auto' -ex "echo continuing to the start of $pd\\n" -ex continue
