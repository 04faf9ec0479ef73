# SPDX-License-Identifier: BSD-2-Clause
#
# The key-value store, driven by Redis's tools.
needs=(redis-cli:redis-tools redis-benchmark:redis-tools)
ports=(tcp:6379)

redis() { timeout 60 redis-cli -p "${host[6379]}" "$@"; }

# replies COMMANDS EXPECTED: lines of each.
replies() { diff <(echo "$2") <(redis <<<"$1"); }

# QEMU's user network listens with a backlog of one, and the host loses connections that come in a crowd.
benchmark() {
    timeout 120 redis-benchmark -p "${host[6379]}" -q "$@" | tr '\r' '\n' >"$folder/benchmark"
    local status=$?
    grep 'per second, p50' "$folder/benchmark"
    [ $status = 0 ] && ! grep -i 'error\|warn' "$folder/benchmark"
}

# 48 connections at work at once.
crowd() {
    local benchmarks=() most=0 now process
    for _ in {1..12}; do
        timeout 120 redis-benchmark -p "${host[6379]}" -q -t set,get,incr -n 4000 -c 4 -P 4 -r 1000 >>"$folder/crowd" 2>&1 &
        benchmarks+=($!)
        sleep 0.1
    done
    for _ in {1..20}; do
        now=$(counter connections_open)
        [ "$now" -le "$most" ] || most=$now
        sleep 0.1
    done
    for process in "${benchmarks[@]}"; do wait "$process" || return; done
    echo "$most connections at once"
    [ "$most" -ge 30 ] && ! grep -i error "$folder/crowd"
}

# Writes 6,000 values of 1,000 bytes, of which not all fit.
fill() {
    local value
    redis FLUSHALL
    value=$(printf 'x%.0s' {1..1000})
    for n in {1..6000}; do printf 'SET fill:%s %s\r\n' "$n" "$value"; done | redis --pipe 2>&1 | tail -1
    local used
    used=$(redis INFO memory | tr -d '\r' | sed -n 's/^used_memory://p')
    [ "$(redis DBSIZE)" -lt 6000 ] && [ "$used" -gt 2000000 ] && redis SET a "$value" | grep OOM
}

run() {
    check "redis-cli" replies $'SET a 1\nGET a\nINCR a\nMSET b 2 c three\nMGET a b c d\nEXISTS a d\nDEL a b\nDBSIZE\nGET a' \
        $'OK\n1\n2\nOK\n2\n2\nthree\n\n1\n2\n1\n'
    check "keys expire" replies $'SET t 1 PX 200\nTTL a\nEXPIRE c 100\nTTL c' $'OK\n-2\n1\n100'
    sleep 0.3
    check "they have expired" replies $'GET t\nFLUSHALL\nDBSIZE' $'\nOK\n0'
    check "redis-benchmark" benchmark -t ping,set,get,incr,mset -n 5000 -c 4
    check "redis-benchmark, 16 commands at once" benchmark -t ping,set,get,incr,mset -n 20000 -c 4 -P 16 -r 5000
    check "redis-benchmark, 4 KiB" benchmark -t set,get -n 5000 -c 4 -d 4096 -r 100
    check "redis-benchmark twelve times at once" crowd
    check "memory ends with an error" fill
    check "and goes on" replies $'FLUSHALL\nSET a 1\nGET a' $'OK\nOK\n1'
    check "it is counted" eval '[ "$(counter commands)" -gt 100000 ] && [ "$(counter out_of_memory)" -gt 1000 ]'
}
