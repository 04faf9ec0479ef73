#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A program that knows nothing of Isthmus, unchanged from its Debian source package, as a PD: pen, a TCP load balancer of 4,600
# lines (poll, accept4, connect that does not wait, getaddrinfo, signals, getopt, malloc). It stands before two servers of the
# host. Prints "N passed, M failed", and says if the package is not to be had.
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/isthmus-pen-XXXXXX")
port=${PEN_PORT:-17100}
tests=7 passed=0 failed=0
pids=()
cleanup() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
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
        tail -20 "$folder/output" "$folder/console" 2>/dev/null
        failed=$((failed + 1))
    fi
}

# Sources are not in apt's lists on most machines, so they get lists of their own.
fetch() {
    mkdir -p "$folder/lists/partial" "$folder/source"
    cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.list 2>/dev/null | sed -n 's/^deb /deb-src /p' >"$folder/more.list"
    cat /etc/apt/sources.list.d/debian.sources 2>/dev/null | sed 's/^Types:.*/Types: deb-src/' >"$folder/more.sources"
    local list=$folder/more.sources
    [ -s "$list" ] || list=$folder/more.list
    local options=(-o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/lists")
    apt-get "${options[@]}" update &&
        (cd "$folder/source" && apt-get "${options[@]}" source --download-only --tar-only pen) &&
        tar -C "$folder/source" --strip-components=1 -xf "$folder"/source/pen_*.orig.tar.*
}

program() {
    local pen=$folder/pds/c/pen
    mkdir -p "$pen"
    cp "$folder"/source/*.[ch] "$pen"
    # These are programs of their own.
    (cd "$pen" && rm mergelogs.c penctl.c penlog.c penlogd.c windows.c)
    # What its configure finds out about the library.
    cat >"$pen/config.h" <<'EOF'
#define HAVE_ACCEPT4 1
#define HAVE_INET_ATON 1
#define HAVE_POLL 1
#define HAVE_SYS_SELECT_H 1
#define PACKAGE_STRING "pen"
EOF
    cat >"$pen/isthmus_arguments.c" <<EOF
#include <stddef.h>
char *isthmus_arguments[] = {"-f", "-r", "-d", "7000", "10.0.2.2:$((port + 1))", "10.0.2.2:$((port + 2))", NULL};
EOF
    echo -w >"$pen/flags.txt"
    cat >>"$folder/isthmus.toml" <<EOF
[pds.pen]
about = "balances load"
uses = ["net_server"]
stack = 0x2_0000
heap = 0x40_0000
stream_sockets = 128
tcp_listen = [7000]
tcp_connect = ["10.0.2.2:*"]
EOF
}

image() { make --no-print-directory image "SYSTEM=$folder"; }

boot() {
    # shellcheck disable=SC2046
    $(make -s qemu-command "SYSTEM=$folder" "NETDEV=user,id=netdev0,hostfwd=tcp:127.0.0.1:$port-:7000") \
        >"$folder/console" 2>&1 </dev/null &
    pids+=($!)
}

# serve NAME PORT: a server of the host with a file that says its name, and one that is large.
serve() {
    mkdir -p "$folder/$1"
    echo "$1" >"$folder/$1/name"
    cp "$folder/large" "$folder/$1/large"
    python3 -m http.server --bind 127.0.0.1 --directory "$folder/$1" "$2" >/dev/null 2>&1 &
    pids+=($!)
}

get() { curl -sS --fail --max-time 10 "http://127.0.0.1:$port/$1"; }

# names COUNT: who has answered so many requests.
names() { for ((i = 0; i < $1; i++)); do get name || return 1; done | sort | uniq -c | tr -s ' \n' ' '; }

answers() { for _ in {1..100}; do get name && return; sleep 0.1; done 2>/dev/null; return 1; }

if ! fetch >"$folder/output" 2>&1; then
    echo "The tests of a C program from a Debian source package are skipped: apt-get could not fetch the sources of pen"
    echo "0 passed, 0 failed, $tests skipped"
    exit 0
fi
head -c 5000000 /dev/urandom >"$folder/large"
serve one $((port + 1))
serve two $((port + 2))
first=${pids[0]}
check "pen builds as it comes" eval "make --no-print-directory new-system SYSTEM=$folder && program && image"
check "it boots" boot
check "it answers" answers
check "both servers get their share" eval '[ "$(names 20)" = " 10 one 10 two " ]'
check "5 MB come through it" eval "get large | cmp - $folder/large"
check "40 connections at once" eval \
    "seq 40 | xargs -P 20 -I{} curl -sS --fail --max-time 20 http://127.0.0.1:$port/name | wc -l | grep -qx 40"
kill "$first" && wait "$first" 2>/dev/null
check "without one server the other has it all" eval '[ "$(names 6)" = " 6 two " ]'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
