#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the QEMU command line given as arguments, for `make run`. Ctrl-C ends it with status 0.
set -uo pipefail

# On a terminal QEMU gets a process group of its own: Ctrl-C then reaches QEMU alone, and make sees a recipe that ended well.
if [ -t 0 ]; then set -m; fi
# If make is killed, so is this script; QEMU must not stay behind.
setpriv --pdeathsig TERM -- "$@"
status=$?

# A signal ended it: somebody wanted it to end.
if [ "$status" -eq 0 ] || [ "$status" -ge 128 ]; then exit 0; fi
echo "QEMU ended with status $status; it says why above." >&2
echo "  help: if a port is taken, choose others: make run HTTP_PORT=… ECHO_PORT=…; or correct FORWARD or NETDEV, if you set them" >&2
exit "$status"
