# SPDX-License-Identifier: BSD-2-Clause
#
# The capture service, whose viewers are tshark's and capinfos' users.
needs=(tshark:tshark capinfos:wireshark-common nc:netcat-openbsd)
ports=(tcp:5555)
when=alone

# view SECONDS [LINE]: a viewer for that long, in $folder/seen.
view() {
    in_background timeout "$1" sh -c '{ echo "$1"; sleep 9; } | nc 127.0.0.1 "$2" >"$3"' - "${2-}" "${host[5555]}" "$folder/seen"
    within 3 test -s "$folder/seen"
}

ended() { wait "${helpers[-1]}"; rm -f "$folder/seen.ng"; mv "$folder/seen" "$folder/seen.ng"; }

fetch() { curl -fs -o /dev/null "http://127.0.0.1:${host[80]}/$1"; }

# shown FIELD [FILTER]: a field of the frames that tshark sees in the last capture.
shown() { tshark -n -r "$folder/seen.ng" ${2:+-Y "$2"} -T fields -e "$1"; }

whole() {
    view 3 && fetch "" && fetch stats.json && ended
    local count
    count=$(shown frame.number | wc -l)
    echo "$count frames"
    [ "$count" -ge 10 ] && [ "$(shown http.request.uri http.request)" = $'/\n/stats.json' ] &&
        [ "$(shown frame.interface_name | sort -u)" = eth0 ] &&
        [ -z "$(shown frame.number "_ws.malformed || tcp.analysis.lost_segment || tcp.checksum.status == Bad")" ] &&
        [ -z "$(shown frame.number "tcp.port == 5555")" ]
}

directions() {
    [ -n "$(shown frame.number "http.request && frame.packet_flags_direction == 1")" ] &&
        [ -n "$(shown frame.number "http.response && frame.packet_flags_direction == 2")" ]
}

filtered() {
    view 2 "tcp port 80 snap 60" && fetch "" && ended
    [ "$(shown tcp.port | sort -u | wc -l)" -ge 1 ] && [ -z "$(shown frame.number "!(tcp.port == 80)")" ] &&
        [ "$(shown frame.cap_len | sort -n | tail -n 1)" = 60 ]
}

# tshark reads what nc gets, and ends with the first request that it sees.
live() {
    in_background sh -c 'nc 127.0.0.1 "$1" | timeout 20 tshark -n -l -r - -Y http.request -T fields -e http.request.uri >"$2"' - "${host[5555]}" "$folder/live"
    sleep 1
    within 15 eval 'fetch stats.json; grep -q "^/stats.json" "$folder/live"'
}

# More than a viewer takes, for which the buffer is not enough.
much() {
    in_background timeout 8 sh -c '{ echo; sleep 4; } | nc 127.0.0.1 "$1" | { sleep 3; cat; } >"$2"' - "${host[5555]}" "$folder/seen"
    sleep 1
    fetch bytes/30000000 && ended
    [ "$(counter dropped)" -gt 0 ] && capinfos "$folder/seen.ng" | tee "$folder/infos" && grep -q pcapng "$folder/infos"
}

refused() { [ "$(echo "udp or tcp" | timeout 5 nc 127.0.0.1 "${host[5555]}")" = 'what is "or"?' ]; }

run() {
    check "frames of others, whole and in order" whole
    check "directions" directions
    check "a line says which frames, and how much of them" filtered
    check "live, by tshark" live
    check "too much for the viewer" much
    check "nonsense" refused
    check "it is counted" eval '[ "$(counter viewers)" -ge 5 ] && [ "$(counter frames)" -gt 20 ]'
}
