#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The ready PDs in one booted image, each driven by the programs that it is made for: apps.sh [NAME…]. Their tests are
# pds/<name>/test.sh, which says in `needs` what programs it takes (program:Debian package), in `ports` what ports of the
# guest (tcp:6379), and has the tests in `run`, with files of its own in $folder. With `when=alone` they
# change what others need, or see what others do; with `when=beside` they wait more than they work, and run while others do.
# Prints "N passed, M failed, K skipped".
set -uo pipefail
cd "$(dirname "$0")/../.."
# Guests look for a broker and a time server at fixed ports of the host: one run at a time.
exec 9>"${TMPDIR:-/tmp}/isthmus-apps.lock"
flock 9
folder=$(mktemp -d "${TMPDIR:-/tmp}/isthmus-apps-XXXXXX")
chmod 755 "$folder" # servers that a test starts may have a user of their own
console=$folder/console
report=$folder/report
next_port=${APPS_PORT:-16000}
declare -A host=() # ports of the host, by those of the guest
qemu=
besides=() # tests that run beside others
helpers=() # processes that a test has started
end() { for process in "$@"; do kill "$process" 2>/dev/null && wait "$process" 2>/dev/null; done; }
trap 'end "${besides[@]}" $qemu; rm -rf "$folder"' EXIT

# check NAME COMMAND…: one test. What it prints is shown if it fails.
check() {
    local name="$app: $1" status=0
    shift
    "$@" >"$folder/output" 2>&1 || status=$?
    if [ "$status" = 0 ]; then
        echo "ok    $name"
    else
        echo "FAIL  $name"
        tail -n 20 "$folder/output" "$console" 2>/dev/null
    fi
    return "$status"
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
            echo "skip  $app: there is no ${need%%:*}, and ${need#*:} could not be installed (build/apt.log)" | tee -a "$report"
            continue 2
        fi
    done
    apps+=("$app")
    forward+=" ${ports[*]}"
done

# The tests of one PD, in a shell of their own.
tests_of() (
    app=$1 folder=$folder/$1
    mkdir "$folder"
    : >"$folder/helper"
    trap 'end "${helpers[@]}"' EXIT
    trap exit TERM
    . "pds/$app/test.sh"
    run
)

of_the_image() { (app=image && check "$@") | tee -a "$report" && [ "${PIPESTATUS[0]}" = 0 ]; }

boot() {
    local netdev=user,id=netdev0 port guest
    for port in $forward; do
        while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do next_port=$((next_port + 1)); done
        guest=${port#*:}
        : "${host[$guest]:=$next_port}"
        netdev+=,hostfwd=${port%:*}:127.0.0.1:${host[$guest]}-:$guest
        next_port=$((next_port + 1))
    done
    # shellcheck disable=SC2046
    $(make -s qemu-command "APPS=${apps[*]}" "NETDEV=$netdev") >"$console" 2>&1 </dev/null 9>&- &
    qemu=$!
    of_the_image "it boots" within 30 curl -fs "http://127.0.0.1:${host[80]}/"
}

drive() {
    local -A tests=()
    local when
    for app in "${apps[@]}"; do
        when=then
        . "pds/$app/test.sh"
        tests[$when]+=" $app"
    done
    for app in ${tests[alone]-}; do tests_of "$app" 2>&1 | tee -a "$report"; done
    for app in ${tests[beside]-}; do
        tests_of "$app" >"$folder/$app.report" 2>&1 &
        besides+=($!)
    done
    for app in ${tests[then]-}; do tests_of "$app" 2>&1 | tee -a "$report"; done
    [ ${#besides[@]} -eq 0 ] || wait "${besides[@]}" # without names it would wait for QEMU, too
    besides=()
    cat "$folder"/*.report 2>/dev/null | tee -a "$report"
    of_the_image "no PD has faulted" eval "! grep -E 'fault|panic' $console"
}

if [ ${#apps[@]} -gt 0 ]; then
    of_the_image "it builds" make --no-print-directory image "APPS=${apps[*]}" && boot && drive
fi

count() { grep -c "^$1  " "$report"; }
echo "$(count ok) passed, $(count FAIL) failed, $(count skip) skipped"
[ "$(count FAIL)" = 0 ]
