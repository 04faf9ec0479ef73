#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The ready PDs in one booted image, each driven by the programs that it is made for: apps.sh [NAME…]. Their tests are
# pds/<name>/test.sh, which says in `needs` what programs it takes (program:Debian package), in `ports` what ports of the
# guest (tcp:6379), and has the tests in `run`. Prints "N passed, M failed, K skipped".
set -uo pipefail
cd "$(dirname "$0")/../.."
# Guests look for a broker and a time server at fixed ports of the host: one run at a time.
exec 9>"${TMPDIR:-/tmp}/isthmus-apps.lock"
flock 9
folder=$(mktemp -d "${TMPDIR:-/tmp}/isthmus-apps-XXXXXX")
next_port=${APPS_PORT:-16000}
declare -A host=() # ports of the host, by those of the guest
qemu=
passed=0
failed=0
skipped=0
helpers=() # processes that a test has started
cleanup() {
    for process in "${helpers[@]}" $qemu; do kill "$process" 2>/dev/null; done
    rm -rf "$folder"
}
trap cleanup EXIT

# check NAME COMMAND…: one test. What it prints is shown if it fails.
check() {
    local name="$app: $1" status=0
    shift
    "$@" >"$folder/output" 2>&1 || status=$?
    if [ "$status" = 0 ]; then
        echo "ok    $name"
        passed=$((passed + 1))
    else
        echo "FAIL  $name"
        tail -n 20 "$folder/output" "$folder/console" 2>/dev/null
        failed=$((failed + 1))
    fi
}

# within SECONDS COMMAND…: tries until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >"$folder/attempt" 2>&1; do
        if [ $SECONDS -ge $end ]; then cat "$folder/attempt"; return 1; fi
        sleep 0.2
    done
}

# counter NAME: a counter of the PD, from /stats.json.
counter() {
    curl -s "http://127.0.0.1:${host[80]}/stats.json" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["pds"][sys.argv[1]]["counters"][sys.argv[2]])' "$app" "$1"
}

# in_background COMMAND…: a helper of the test, ended with it. Its output goes to $folder/helper.
in_background() {
    "$@" >>"$folder/helper" 2>&1 </dev/null 9>&- &
    helpers+=($!)
}

install() {
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    mkdir -p build
    { "${as_root[@]}" apt-get update
      DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y --no-install-recommends "$1"; } >>build/apt.log 2>&1
}

names=("$@")
[ $# -gt 0 ] || for file in pds/*/test.sh; do names+=("$(basename "$(dirname "$file")")"); done
apps=()
forward=tcp:80
for app in "${names[@]}"; do
    needs=() ports=()
    . "pds/$app/test.sh"
    for need in "${needs[@]}"; do
        command -v "${need%%:*}" >/dev/null || install "${need#*:}"
        if ! command -v "${need%%:*}" >/dev/null; then
            echo "skip  $app: there is no ${need%%:*}, and ${need#*:} could not be installed (build/apt.log)"
            skipped=$((skipped + 1))
            continue 2
        fi
    done
    apps+=("$app")
    forward+=" ${ports[*]}"
done

if [ ${#apps[@]} -gt 0 ]; then
    netdev=user,id=netdev0
    for port in $forward; do
        while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do next_port=$((next_port + 1)); done
        guest=${port#*:}
        : "${host[$guest]:=$next_port}"
        netdev+=,hostfwd=${port%:*}:127.0.0.1:${host[$guest]}-:$guest
        next_port=$((next_port + 1))
    done
    app=image
    check "it builds" make --no-print-directory image "APPS=${apps[*]}"
    # shellcheck disable=SC2046
    $(make -s qemu-command "APPS=${apps[*]}" "NETDEV=$netdev") >"$folder/console" 2>&1 </dev/null 9>&- &
    qemu=$!
    check "it boots" within 30 curl -fs "http://127.0.0.1:${host[80]}/"
    [ "$failed" = 0 ] || apps=() # nothing would be learnt
    for app in "${apps[@]}"; do
        . "pds/$app/test.sh"
        : >"$folder/helper"
        run
        for process in "${helpers[@]}"; do kill "$process" 2>/dev/null && wait "$process" 2>/dev/null; done
        helpers=()
    done
    app=image
    check "no PD has faulted" eval "! grep -E 'fault|panic' $folder/console"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
