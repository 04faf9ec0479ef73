# SPDX-License-Identifier: BSD-2-Clause
#
# Looking up names, with dnsmasq as the server.
needs=(dnsmasq:dnsmasq-base)
ports=(tcp:5353)
when=beside

# asked LINE: what comes back.
asked() {
    local answer
    exec 3<>"/dev/tcp/127.0.0.1/${host[5353]}" && echo "$1" >&3 && read -r -t 20 answer <&3
    exec 3>&-
    echo "$answer"
}

says() { diff <(echo "$2") <(asked "$1"); }

run() {
    local at=@10.0.2.2:5354
    in_background dnsmasq --keep-in-foreground --conf-file=/dev/null --port=5354 --listen-address=127.0.0.1 --bind-interfaces \
        --no-resolv --no-hosts --user="$(id -un)" --host-record=host.lab,192.0.2.7,2001:db8::7 --cname=alias.lab,host.lab \
        --local=/lab/
    check "addresses of both families" within 10 says "$at host.lab" "host.lab 192.0.2.7 2001:db8::7"
    check "an alias" says "$at alias.lab" "host.lab 192.0.2.7 2001:db8::7"
    check "the name of an address" says "$at 192.0.2.7" "host.lab"
    check "of IPv6, too" says "$at 2001:db8::7" "host.lab"
    check "no such name" says "$at nobody.lab" "error: no such name"
    check "this machine" says localhost "localhost 127.0.0.1 ::1"
    check "an address that the declaration does not name" eval 'asked "@10.0.2.9 host.lab" | grep error'
}
