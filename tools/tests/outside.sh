#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A system outside this tree, made, built and booted as its author would: one client first, with one in C beside it, then 32
# of them with 16,372 sockets. Prints "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/isthmus-outside-XXXXXX")
port=${OUTSIDE_PORT:-17000}
qemu=
passed=0
failed=0
cleanup() {
    [ -z "$qemu" ] || kill "$qemu" 2>/dev/null
    rm -rf "$folder" "build/systems/$(basename "$folder")"
}
trap cleanup EXIT

# check NAME COMMAND…: one test.
check() {
    local name=$1
    shift
    if "$@" >"$folder/output" 2>&1; then
        echo "ok    $name"
        passed=$((passed + 1))
    else
        echo "FAIL  $name"
        tail -n 20 "$folder/output" "$folder/console" 2>/dev/null
        failed=$((failed + 1))
    fi
}

image() { make --no-print-directory image "SYSTEM=$folder"; }

# boot PORT…: with each of the guest's ports at the same number of the host, from `port` on.
boot() {
    local netdev=user,id=netdev0 guest
    for guest in "$@"; do netdev+=,hostfwd=tcp:127.0.0.1:$((port + guest - 7000))-:$guest; done
    if [ -n "$qemu" ]; then kill "$qemu" && wait "$qemu" 2>/dev/null; fi
    # shellcheck disable=SC2046
    $(make -s qemu-command "SYSTEM=$folder" "NETDEV=$netdev") >"$folder/console" 2>&1 </dev/null &
    qemu=$!
}

# QEMU takes connections before the guest does, and ends them again.
greeted() {
    local at=$((port + $1 - 7000)) line
    for _ in {1..100}; do
        if exec 3<>"/dev/tcp/127.0.0.1/$at" && read -r -t 5 -u 3 line && [ "$line" = "Hello! Say something." ]; then
            echo isthmus >&3
            read -r -t 5 -u 3 line && [ "$line" = ISTHMUS ]
            return
        fi
        sleep 0.1
    done 2>/dev/null
    return 1
}

check "a new system and a client" eval \
    "make --no-print-directory new-system SYSTEM=$folder && make --no-print-directory new-client NAME=greeter SYSTEM=$folder"
check "it builds" image
check "it boots" boot 7000
check "the client answers" greeted 7000

check "a client in C beside it" eval \
    "make --no-print-directory new-client NAME=greeter_in_c LANGUAGE=c PORT=7001 SYSTEM=$folder && image"
check "it boots" boot 7000 7001
for n in 7000 7001; do check "the client at port $n answers" greeted $n; done

# All of them are the one program.
sed -i 's/^\(stream_receive\|stream_send\|datagram_receive\) = .*/\1 = 4096/' "$folder/isthmus.toml"
sed -i '/^\[pds.greeter\]/,$d' "$folder/isthmus.toml"
for n in {0..31}; do
    printf '[pds.greeter%s]\nprogram = "greeter"\nuses = ["net_server"]\nwindow = 0x4000\nstream_sockets = %s\ntcp_listen = [%s]\n' \
        "$n" "$([ "$n" = 0 ] && echo 4096 || echo 396)" $((7000 + n)) >>"$folder/isthmus.toml"
done
check "32 clients with 4,096 and 31 times 396 sockets build" image
check "the report says what each costs" grep -q '^greeter31 ' "build/systems/$(basename "$folder")/${CONFIG:-release}/report.txt"
check "they boot" boot 7000 7001 7015 7031
for n in 7000 7001 7015 7031; do check "client at port $n answers" greeted $n; done
check "no client has faulted" eval "! grep -q 'error' $folder/console"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
