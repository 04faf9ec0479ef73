#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds programs in C: build-c.sh OUT TARGET_DIR FOLDER…. A folder's name is the program's; all its *.c make the program, and
# flags.txt, if there is one, has more options for the compiler. The programs go to OUT.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$1 target_dir=$2
shift 2
library=libs/c/isthmus-c
mkdir -p "$out/library"

# The library has the ABI of the C compiler, with floating-point registers; other PDs are built without.
flock "$target_dir.lock" cargo build --locked --quiet --profile "$PROFILE" --target aarch64-unknown-none \
    --target-dir "$target_dir" -p isthmus-c

# The compiler is Debian's for Linux, which this is not. picolibc hides its clocks unless it is told that there are some.
flags=(--specs=picolibc.specs -U__linux__ -U__linux -U__gnu_linux__ -Ulinux -D_POSIX_TIMERS=200809L
    -D_POSIX_MONOTONIC_CLOCK=200809L -DFD_SETSIZE=1024 -I "$library/include" -I libs/pd/wiring/include
    -I libs/sockets/socket-proto/include -std=gnu11 -O2 -g -ffunction-sections -fdata-sections -fno-pie
    -fno-stack-protector -fno-asynchronous-unwind-tables -mno-outline-atomics)

# compile FOLDER OPTION…: the object files of its *.c into FOLDER's place in OUT.
compile() {
    local source
    for source in "$1"/*.c; do
        aarch64-linux-gnu-gcc "${flags[@]}" "${@:3}" -c "$source" -o "$2/$(basename "$source" .c).o"
    done
}

rm -f "$out"/library/*
compile "$library/c" "$out/library" -Wall -Wextra -Werror
aarch64-linux-gnu-ar rc "$out/library/libisthmus.a" "$out"/library/*.o

# rustc's own linker, as for all PDs: others stumble over the bitcode in Rust's libraries.
linker=$(dirname "$(rustc --print target-libdir)")/bin/gcc-ld
for folder in "$@"; do
    name=$(basename "$folder")
    rm -rf "$out/$name.o"
    mkdir -p "$out/$name.o"
    more=()
    if [ -e "$folder/flags.txt" ]; then read -ra more -d '' <"$folder/flags.txt" || true; fi
    compile "$folder" "$out/$name.o" -Wall -I "$folder" "${more[@]}"
    aarch64-linux-gnu-gcc -B "$linker" -fuse-ld=lld --specs=picolibc.specs -nostartfiles -nodefaultlibs -static -no-pie \
        -T libs/runtime/sel4-microkit/microkit-pd.ld -Wl,--gc-sections -Wl,-z,max-page-size=4096 -Wl,--build-id=none \
        -Wl,-u,isthmus_ipc_buffer -o "$out/$name" "$out/$name.o"/*.o -Wl,--start-group \
        "$target_dir/aarch64-unknown-none/$PROFILE/libisthmus_c.a" "$out/library/libisthmus.a" -lc -lm -lgcc -Wl,--end-group
done
