# SPDX-License-Identifier: BSD-2-Clause
#
# The MQTT client, with mosquitto as the broker. The guest looks for it at port 1883.
needs=(mosquitto:mosquitto mosquitto_pub:mosquitto-clients mosquitto_sub:mosquitto-clients mosquitto_passwd:mosquitto)
ports=()
when=beside

broker() {
    exec mosquitto -c "$folder/mosquitto.conf"
}

as_user() { timeout 30 "$1" -V 5 -p 1883 -u tester -P tester "${@:2}"; }

# answered QOS MESSAGE…: each comes back, once and in order.
answered() {
    local qos=$1 listener
    shift
    as_user mosquitto_sub -t isthmus/answer -q 2 -C $# -F '%q %p' >"$folder/answers" &
    listener=$!
    sleep 0.5
    printf '%s\n' "$@" | as_user mosquitto_pub -t isthmus/ask -q "$qos" -l
    wait $listener
    diff <(printf "$qos %s\n" "$@") "$folder/answers"
}

status() { as_user mosquitto_sub -t isthmus/status -C 1 -W 5 | grep -x "$1"; }

# What is published while the guest has no connection is answered after it.
away() {
    as_user mosquitto_sub -t isthmus/answer -q 2 -C 3 >"$folder/answers" &
    local listener=$!
    # Somebody else with the guest's name takes its connection: the broker publishes its will.
    timeout 30 mosquitto_sub -V 5 -p 1883 -u isthmus -P 'a secret' -i isthmus -c -x 60 -t other -W 1
    printf 'one\ntwo\nthree\n' | as_user mosquitto_pub -t isthmus/ask -q 2 -l
    wait $listener && diff <(printf 'one\ntwo\nthree\n') "$folder/answers"
}

run() {
    printf '%s\n' 'listener 1883 127.0.0.1' 'allow_anonymous false' "password_file $folder/passwords" \
        'persistence false' >"$folder/mosquitto.conf"
    mosquitto_passwd -b -c "$folder/passwords" isthmus 'a secret'
    mosquitto_passwd -b "$folder/passwords" tester tester
    chmod 644 "$folder/passwords"
    if (exec 3<>/dev/tcp/127.0.0.1/1883) 2>/dev/null; then
        echo "skip  mqtt_client: something else listens at port 1883"
        return
    fi
    in_background broker
    local process=${helpers[-1]} before
    check "it connects, with its password" within 20 status online
    check "quality of service 0" answered 0 hello again
    check "quality of service 1" answered 1 one two three
    check "quality of service 2" answered 2 {1..100}
    check "a message of 1 KiB" answered 2 "$(printf 'x%.0s' {1..1024})"
    check "the will" eval 'as_user mosquitto_sub -t isthmus/status -R -C 1 -W 20 >"$folder/will" & sleep 0.5
        timeout 30 mosquitto_sub -V 5 -p 1883 -u isthmus -P "a secret" -i isthmus -t other -W 1; wait $!; grep -x offline "$folder/will"'
    check "it comes back" within 20 status online
    check "nothing is lost while it is away" away
    before=$(counter connections)
    sleep 16
    check "it keeps its connection alive" eval '[ "$(counter connections)" = $before ] && [ "$(counter pings)" -ge 3 ]'
    kill -STOP "$process"
    check "a broker that hangs" within 25 eval '[ "$(counter connected)" = 0 ]'
    kill -CONT "$process"
    check "it comes back to it" within 25 eval '[ "$(counter connected)" = 1 ]'
    check "a broker that restarts" eval 'kill $process; wait $process; in_background broker; within 25 status online && answered 2 again'
    check "it is counted" eval '[ "$(counter received_qos_2)" -ge 100 ] && [ "$(counter dropped)" = 0 ] &&
        [ "$(counter confirmed)" -ge 100 ] && [ "$(counter connections)" -ge 4 ]'
}
