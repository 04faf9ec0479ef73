#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the QEMU command line given as arguments, for `make run`. Ctrl-C, and SIGTERM to make, end it with status 0.
set -uo pipefail

# On a terminal QEMU gets a process group of its own: Ctrl-C then reaches QEMU alone, and make sees a recipe that ended well.
if [ -t 0 ]; then set -m; fi
# If make is killed, so is this script; QEMU must not stay behind.
setpriv --pdeathsig TERM -- "$@"
status=$?

case $status in
    # SIGINT, SIGTERM, SIGHUP: somebody wanted it to end.
    0 | 130 | 143 | 129) exit 0 ;;
esac
if [ "$status" -gt 128 ]; then
    echo "QEMU was ended by SIG$(kill -l "$status"): it crashed, or somebody or the system killed it (memory?)." >&2
    exit "$status"
fi
echo "QEMU ended with status $status; it says why above." >&2
echo "  help: if a port is taken, choose others: make run HTTP_PORT=… ECHO_PORT=…; or correct FORWARD or NETDEV, if you set them" >&2
exit "$status"
