#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Copies a console log from stdin. Below each fault line it names the source lines of pc and lr, from the programs in the folder $1.
set -uo pipefail

# $1 what the address is, $2 program, $3 address: one line for each function, inlined ones first.
lines() { aarch64-linux-gnu-addr2line -fCpi -e "$2" "$3" | sed "s|^|    $1 |"; }

while IFS= read -r line || [ -n "$line" ]; do
    printf '%s\n' "$line"
    [[ $line =~ fault:\ ([a-z0-9_]+):.*,\ pc\ (0x[0-9a-f]+),\ lr\ (0x[0-9a-f]+) ]] || continue
    program=$1/${BASH_REMATCH[1]}
    [ -f "$program" ] || continue
    lines pc "$program" "${BASH_REMATCH[2]}"
    # lr is where the call returns to.
    lines lr "$program" "$(printf '%#x' $((BASH_REMATCH[3] - 4)))"
done
