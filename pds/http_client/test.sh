# SPDX-License-Identifier: BSD-2-Clause
#
# The HTTP client, told by curl what to fetch, against Python's HTTP server and openssl's of TLS. The guest looks for the time at
# port 1124.
needs=(curl:curl python3:python3 openssl:openssl chronyd:chrony)
ports=(tcp:3128)

# server ADDRESS [CERTIFICATE KEY]
# What it says of a request is its method, a header and its body; some paths have a meaning.
server() {
    exec python3 -u -c '
import http.server, socket, ssl, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = "%s %s %s\n" % (self.command, self.headers.get("X-Note"), len(body))
        said = said.encode() + body
        if self.path == "/slow":
            time.sleep(15)
        if self.path == "/headers":
            said = str(self.headers).encode()
        if self.path == "/big":
            said = bytes(5000000)
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("X-Answer", self.command)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        # "/cut" promises more than it sends.
        self.send_header("Content-Length", str(len(said) + (9 if self.path == "/cut" else 0)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET

server = Server((sys.argv[1], 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[2:])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("port", server.server_port, flush=True)
server.serve_forever()' "$@"
}

# What the guest is told to fetch, by options of curl.
fetch() { curl -sS --max-time 40 -x "http://127.0.0.1:${host[3128]}" "$@"; }

# One that is slow, as on a busy host, loses its place to those that wait, and tries again.
patient() { fetch "$@" || fetch "$@" || fetch "$@"; }

# says EXPECTED OPTION…: what comes back is this.
says() {
    local expected=$1
    shift
    diff <(echo "$expected") <(fetch "$@"; echo)
}

status() { says "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }

# listening WORD: the port that the helper which was started last has said.
listening() {
    within 10 grep -q "$1" "$folder/helper" || return
    sed -n "s/^.*$1.*[: ]//p" "$folder/helper"
}

# https URL OPTION…: what the guest fetches by https. curl itself would send CONNECT for such a URL.
https() { fetch --request-target "$1" "${@:2}" http://10.0.2.2/; }

# openssl_server NAME [OPTION…]: with the certificate of that name, and a file at $at.
openssl_server() {
    : >"$folder/helper"
    # It serves the files of the folder that it runs in.
    in_background env -C "$folder" openssl s_server -accept 127.0.0.1:0 -cert "tls/$1certificate.pem" -key "tls/$1key.pem" -WWW "${@:2}"
    at=https://10.0.2.2:$(listening ACCEPT)/file
}

serves() { openssl_server "$@" && https "$at" | cmp - "$folder/file"; }
refused() { openssl_server "${@:2}" && https "$at" | grep "$1"; }

secure() {
    local certificates=build/tls at
    # The guest's time is not known before it has asked.
    in_background chronyd -x -d -u "$(id -un)" 'port 1124' 'local stratum 8' 'allow all' 'bindaddress 127.0.0.1' 'cmdport 0' \
        'bindcmdaddress /' "pidfile $folder/chronyd.pid"
    : >"$folder/helper"
    in_background server 127.0.0.1 "$certificates/certificate.pem" "$certificates/key.pem"
    at=https://10.0.2.2:$(listening port)
    check "https" within 25 eval '[ "$(https "$at/")" = "GET None 0" ]'
    check "https, POST" eval '[ "$(https "$at/" -d hello)" = $'\''POST None 5\nhello'\'' ]'
    check "https, a file up" eval 'https "$at/" -X PUT --data-binary "@$folder/file" | tail -n +2 | cmp - "$folder/file"'
    check "https, 5 MB down" eval 'https "$at/big" | cmp - <(head -c 5000000 /dev/zero)'
    check "https, a body that is cut" eval '! https "$at/cut"'
    cp -r "$certificates" "$folder/tls"
    tools/certificates.sh "$folder/tls" expired- -days 0
    NAMES=DNS:other.test,IP:10.0.2.3 tools/certificates.sh "$folder/tls" other-
    tools/certificates.sh "$folder/stranger" stranger-
    mv "$folder"/stranger/stranger-* "$folder/tls"
    check "https, openssl's server" serves ""
    check "https, TLS 1.2" serves "" -tls1_2
    check "https, another name" refused "another name" other-
    check "https, nobody has signed it" refused "nobody who is trusted" stranger-
    check "https, expired" refused expired expired-
    check "https, a server without TLS" eval 'https "https${plain#http}/" | grep "does not speak TLS"'
}

run() {
    in_background server 127.0.0.1
    local port at plain slow
    port=$(listening port)
    at=http://10.0.2.2:$port
    plain=$at
    head -c 300000 /dev/urandom >"$folder/file"
    fetch -o /dev/null -w '%{http_code}' "$at/slow" >"$folder/slow" &
    slow=$!

    check "GET" says $'GET None 0\n' "$at/"
    check "headers go on" says $'GET hello 0\n' -H 'X-Note: hello' "$at/"
    check "headers come back" eval 'fetch -D - "$at/" | tr -d "\r" | grep -x "X-Answer: GET"'
    check "headers of the connection do not go on" eval '! fetch -H "TE: x" "$at/headers" | grep -i "proxy\|^TE"'
    check "the server knows its own name" eval 'fetch "$at/headers" | tr -d "\r" | grep -x "Host: 10.0.2.2:$port"'
    check "HEAD" eval 'fetch -I "$at/" | tr -d "\r" | grep -x "X-Answer: HEAD"'
    check "POST" says $'POST None 5\nhello' -d hello "$at/"
    check "POST without a body" says $'POST None 0\n' -X POST -H 'Content-Length: 0' "$at/"
    check "PUT of a file" eval 'fetch -T "$folder/file" "$at/" | tail -n +2 | cmp - "$folder/file"'
    check "DELETE" says $'DELETE None 0\n' -X DELETE "$at/"
    check "a body in chunks" says "one two three" "$at/chunked"
    check "a body of 5 MB" says "5000000" -o /dev/null -w '%{size_download}' "$at/big"
    check "a status" status 404 "$at/none"
    check "a body that is cut" eval '! fetch "$at/cut"'
    check "nobody there" status 502 http://10.0.2.2:1/
    check "a name, and the guest's own server" status 200 http://localhost/
    check "no such name" status 502 http://no-such-name.invalid/
    check "what it does not do" status 501 -X TRACE "$at/"
    secure
    check "a server that takes too long" eval 'wait $slow; grep -x 504 "$folder/slow"'
    at=$plain
    local pids=() pid lost=0
    for _ in {1..24}; do patient -o /dev/null "$at/big" & pids+=($!); sleep 0.05; done
    for pid in "${pids[@]}"; do wait "$pid" || lost=$((lost + 1)); done
    check "24 at once" [ $lost = 0 ]
    if [ -e /proc/net/if_inet6 ]; then
        : >"$folder/helper"
        in_background server ::1
        check "IPv6" says $'POST None 5\nhello' -d hello "http://[fec0::2]:$(listening port)/"
    fi
    check "IPv6, the guest's own server" status 200 'http://[::1]/'
    check "it is counted" eval '[ "$(counter requests)" -ge 40 ] && [ "$(counter bytes_in)" -gt 100000000 ] && [ "$(counter timed_out)" = 1 ] &&
        [ "$(counter secured)" -ge 6 ] && [ "$(counter distrusted)" -ge 4 ]'
}
