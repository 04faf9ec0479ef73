# SPDX-License-Identifier: BSD-2-Clause
#
# The wall clock, with chrony as the server. The guest looks for it at port 1123.
needs=(chronyd:chrony)
ports=(tcp:13)
when=beside

server() {
    # It leaves the host's clock alone (-x).
    exec chronyd -x -d -u "$(id -un)" 'port 1123' 'local stratum 8' 'allow all' 'bindaddress 127.0.0.1' 'cmdport 0' \
        'bindcmdaddress /' "pidfile $folder/chronyd.pid"
}

asked() { timeout 5 cat <"/dev/tcp/127.0.0.1/${host[13]}" | tr -d '\r'; }

# The guest's time is the host's, within a second.
is_right() {
    local said now
    said=$(date -u -d "$(asked)" +%s.%N) || return
    now=$(date -u +%s.%N)
    echo "$said $now"
    python3 -c 'import sys; sys.exit(abs(float(sys.argv[1]) - float(sys.argv[2])) > 1)' "$said" "$now"
}

run() {
    check "nobody has said it" eval '[ "$(asked)" = "not known yet" ]'
    in_background server
    check "it is the host's" within 70 is_right
    check "in the form of RFC 3339" eval 'asked | grep -E "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$"'
    check "it goes on" eval 'sleep 3; is_right'
    check "it is counted" eval '[ "$(counter known)" = 1 ] && [ "$(counter replies)" -ge 1 ] && [ "$(counter failures)" -ge 1 ]'
}
