# SPDX-License-Identifier: BSD-2-Clause
#
# The administrator's shell, over a connection of the host.
needs=(nc:netcat-openbsd)
ports=(tcp:2323)
when=alone

shell() { printf '%s\n' "$@" quit | timeout 20 nc -N 127.0.0.1 "${host[2323]}"; }

# shows WORDS LINES…: the lines lead to an answer with those words.
shows() {
    local words=$1
    shift
    shell "$@" | tee /dev/stderr | grep -q -- "$words"
}

# Ends the connection of a sleeping peer, which sees that.
served() { shell sockets | sed -n 's/^\([0-9]*\) tcp established [^ ]*:80 [^ ]* http_server .*/\1/p' | head -1; }
kills() {
    local socket
    exec 7<>"/dev/tcp/127.0.0.1/${host[80]}"
    # QEMU accepts it before the guest does.
    for _ in {1..20}; do
        socket=$(served)
        [ -z "$socket" ] || break
    done
    shell "kill $socket" | grep -q ok || return
    # A reset is an error for the reader, too.
    timeout 5 cat <&7 || [ $? != 124 ]
}

run() {
    check "help" shows "interface restart" help
    check "the interface" shows "eth0 .* up, link up" interfaces
    check "an address is added" shows "10.1.0.1/24" "address add 10.1.0.1/24" addresses
    check "and is there once" shows "EEXIST" "address add 10.1.0.1/24"
    check "a route by it" shows "10.7.0.0/16 via 10.1.0.9" "route add 10.7.0.0/16 10.1.0.9" routes
    check "which goes with it" eval '! shows "10.7.0.0/16" "address remove 10.1.0.1" routes'
    check "a neighbour" shows "10.0.2.77 02:00:00:00:00:77 fixed" "neighbour add 10.0.2.77 02:00:00:00:00:77" neighbours
    check "sockets of all" shows "listening .* http_server" sockets
    check "a socket is ended" kills
    check "no such command" shows "try help" "reboot"
    check "the interface restarts below this connection" shows "eth0 .* up, link up" "interface restart 2" interfaces
    check "and serves" curl -sf "http://127.0.0.1:${host[80]}/stats.json" -o /dev/null
}
