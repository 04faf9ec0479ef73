# SPDX-License-Identifier: BSD-2-Clause
#
# HTTPS, by curl and openssl's client.
needs=(curl:curl openssl:openssl)
ports=(tcp:443)
when=beside

https() { curl -sS --max-time 40 --cacert build/tls/authority.pem "$@"; }

run() {
    local at=https://localhost:${host[443]} plain=http://127.0.0.1:${host[80]} pids=() pid lost=0
    check "the page" eval 'https "$at/" | cmp - <(curl -sS "$plain/")'
    check "TLS 1.2" eval 'https --tls-max 1.2 "$at/" | cmp - <(curl -sS "$plain/")'
    check "3 MB" eval 'https "$at/bytes/3000000" | cmp - <(curl -sS "$plain/bytes/3000000")'
    check "a connection for several requests" eval \
        '[ "$(https -o /dev/null -w "%{num_connects} " "$at/" "$at/stats.json" -o /dev/null)" = "1 0 " ]'
    check "a client that trusts somebody else" eval '! curl -sS --max-time 20 "$at/" && true'
    check "a client without TLS" eval '! curl -sS --max-time 20 "http://localhost:${host[443]}/"'
    check "what openssl says" eval 'openssl s_client -connect "localhost:${host[443]}" -CAfile build/tls/authority.pem \
        -verify_return_error -verify_hostname isthmus </dev/null | grep "Verify return code: 0"'
    for _ in {1..12}; do https -o /dev/null "$at/bytes/100000" & pids+=($!); sleep 0.05; done
    for pid in "${pids[@]}"; do wait "$pid" || lost=$((lost + 1)); done
    check "12 at once" [ $lost = 0 ]
    check "it is counted" eval '[ "$(counter connections)" -ge 16 ] && [ "$(counter failed)" -ge 2 ] && [ "$(counter bytes_out)" -gt 4000000 ]'
}
