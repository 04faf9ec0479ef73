# SPDX-License-Identifier: BSD-2-Clause
#
# Ping, with the host's own stack at the other end: QEMU's network answers for 10.0.2.2.
needs=(nc:netcat-openbsd)
ports=(tcp:5813)

# says LINE EXPRESSION: what comes back has a line like that.
says() {
    local said
    said=$(printf '%s\n' "$1" | timeout 20 nc -N 127.0.0.1 "${host[5813]}")
    echo "$said"
    grep -Eq "$2" <<<"$said"
}

run() {
    check "the host" says "ping 10.0.2.2 1" '^56 bytes from 10\.0\.2\.2: 1, [0-9]+\.[0-9]{3} ms$'
    check "three times" says "10.0.2.2 3" '^3 sent, 3 received, '
    check "the machine itself" says "127.0.0.1 1" '^1 sent, 1 received, '
    check "by IPv6" says "::1 1" '^56 bytes from ::1: 1, '
    check "a host that is not there" says "10.0.2.99 1" '^1: EHOSTUNREACH'
    check "what is no host" says "no host" '^how many requests'
}
