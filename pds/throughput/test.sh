# SPDX-License-Identifier: BSD-2-Clause
#
# The throughput server, driven by iperf3.
needs=(iperf3:iperf3)
ports=(tcp:5201 udp:5201)

iperf() { timeout 60 iperf3 -c 127.0.0.1 -p "${host[5201]}" "$@"; }

# measured EXPRESSION OPTION…: iperf3's results, as `end`, fulfil an expression of Python.
measured() {
    local expression=$1
    shift
    iperf --json "$@" >"$folder/iperf.json" || { cat "$folder/iperf.json"; return 1; }
    python3 -c 'import json, sys
end = json.load(open(sys.argv[1]))["end"]
print({name: value for name, value in end.items() if name.startswith("sum")})
sys.exit(not eval(sys.argv[2]))' "$folder/iperf.json" "$expression"
}

# A second client while a test is running.
denied() {
    in_background timeout 20 iperf3 -c 127.0.0.1 -p "${host[5201]}" -t 3
    sleep 1
    iperf -t 1 >"$folder/denied" 2>&1
    grep 'the server is busy' "$folder/denied" && wait "${helpers[-1]}"
}

run() {
    local all='end["sum_received"]["bytes"]' udp='end["sum"]'
    check "TCP" measured "$all > 5e6 and $all > 0.8 * end['sum_sent']['bytes']" -t 1
    check "TCP, from the guest" measured "$all > 5e6" -t 1 -R
    check "TCP, 4 streams" measured "$all > 5e6 and len(end['streams']) == 4" -t 1 -P 4
    check "TCP, 4 streams from the guest" measured "$all > 5e6 and len(end['streams']) == 4" -t 1 -P 4 -R
    check "TCP, so many bytes" measured "end['sum_sent']['bytes'] == 5 << 20" -n 5M
    check "TCP, at a limit, the first second left out" measured "0.8e6 < $all / 2 * 8 / 10 < 1.2e6" -t 2 -O 1 -b 10M -R
    check "UDP" measured "$udp['packets'] > 500 and $udp['lost_percent'] < 5" -t 1 -u -l 1400 -b 8M
    check "UDP, from the guest" measured "$udp['packets'] > 500 and $udp['lost_percent'] < 5" -t 1 -u -l 1400 -b 8M -R
    check "UDP, 3 streams from the guest" measured "$udp['packets'] > 500 and len(end['streams']) == 3" -t 1 -u -l 1400 -b 4M -P 3 -R
    check "UDP, 3 streams, numbers of 64 bits" measured "$udp['packets'] > 500" -t 1 -u -l 1400 -b 4M -P 3 --udp-counters-64bit
    check "the text for people" eval 'iperf -t 1 | grep "receiver$"'
    check "one test at a time" denied
    check "what it does not do" eval '! iperf -t 1 --bidir >"$folder/refused" 2>&1; grep "not implemented" "$folder/refused"'
    check "a client that goes away" eval '! timeout 1 iperf3 -c 127.0.0.1 -p "${host[5201]}" -t 9; iperf -t 1'
    check "it is counted" eval '[ "$(counter tests_done)" -ge 12 ] && [ "$(counter bytes_out)" -gt 15000000 ]'
}
