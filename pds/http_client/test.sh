# SPDX-License-Identifier: BSD-2-Clause
#
# The HTTP client, told by curl what to fetch, against Python's HTTP server.
needs=(curl:curl python3:python3)
ports=(tcp:3128)

# What it says of a request is its method, a header and its body; some paths have a meaning.
server() {
    exec python3 -u -c '
import http.server, time

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

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("port", server.server_port, flush=True)
server.serve_forever()'
}

# What the guest is told to fetch, by options of curl.
fetch() { curl -sS --max-time 40 -x "http://127.0.0.1:${host[3128]}" "$@"; }

# says EXPECTED OPTION…: what comes back is this.
says() {
    local expected=$1
    shift
    diff <(echo "$expected") <(fetch "$@"; echo)
}

status() { says "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }

run() {
    in_background server
    within 10 grep port "$folder/helper"
    local port at
    port=$(sed -n 's/^port //p' "$folder/helper")
    at=http://10.0.2.2:$port
    head -c 300000 /dev/urandom >"$folder/file"

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
    check "a server that takes too long" status 504 "$at/slow"
    check "nobody there" status 502 http://10.0.2.2:1/
    check "a name, and the guest's own server" status 200 http://localhost/
    check "no such name" status 502 http://no-such-name.invalid/
    check "what it does not do" status 501 -X TRACE "$at/"
    local pids=() pid lost=0
    for _ in {1..24}; do fetch -o /dev/null "$at/big" & pids+=($!); sleep 0.05; done
    for pid in "${pids[@]}"; do wait "$pid" || lost=$((lost + 1)); done
    check "24 at once" [ $lost = 0 ]
    check "it is counted" eval '[ "$(counter requests)" -ge 40 ] && [ "$(counter bytes_in)" -gt 100000000 ] && [ "$(counter timed_out)" = 1 ]'
}
