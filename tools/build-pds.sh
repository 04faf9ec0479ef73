#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the programs of a system: build-pds.sh SYSTEM PROGRAMS OUT TARGET_DIR. PROGRAMS has a name a line. One with a
# folder SYSTEM/pds/<name> is built in the system's workspace, the others in this one; one with a folder pds/c/<name>, in
# either, is in C; a name with a dot is a file that is there already. OUT/stamp is touched only if some program has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
system=$1 programs=$2 out=$3 target_dir=$4
mkdir -p "$out" "$(dirname "$target_dir")"
ours=() theirs=() in_c=()
while read -r program; do
    if [[ $program == *.* ]]; then continue; fi
    if [ "$system" != . ] && [ -d "$system/pds/$program" ]; then
        theirs+=("$program")
    elif [ -d "pds/$program" ]; then
        ours+=("$program")
    elif [ -d "$system/pds/c/$program" ]; then
        in_c+=("$system/pds/c/$program")
    elif [ -d "pds/c/$program" ]; then
        in_c+=("pds/c/$program")
    else
        echo "error: there is no program $program: neither $system/pds/$program nor pds/$program" >&2
        echo "  help: make that folder (make new-client NAME=$program), or correct [pds.$program] in $system/isthmus.toml" >&2
        exit 1
    fi
done <"$programs"

build() {
    local programs=("$@")
    flock "$target_dir.lock" cargo build --quiet --profile "$PROFILE" --target "$TARGET" \
        --target-dir "$target_dir" "${manifest[@]}" "${programs[@]/#/-p}" ${features:+--features "$features"}
}

[ -e "$out/stamp" ] || echo "building the protection domains ($MICROKIT_CONFIG); the first time this takes a minute or two"
manifest=(--locked) features=$FEATURES
if [ ${#ours[@]} -gt 0 ]; then build "${ours[@]}"; fi
# Programs link alike wherever their sources are: cargo takes its configuration from the folder it is called in.
manifest=(--manifest-path "$system/Cargo.toml") features=
if [ ${#theirs[@]} -gt 0 ]; then build "${theirs[@]}"; fi
if [ ${#in_c[@]} -gt 0 ]; then tools/build-c.sh "$target_dir/c" "$target_dir" "${in_c[@]}"; fi

built=$target_dir/$TARGET/$PROFILE
for made in "${ours[@]/#/$built/}" "${theirs[@]/#/$built/}" "${in_c[@]/#*\//$target_dir/c/}"; do
    program=$(basename "$made")
    if ! cmp -s "$made" "$out/$program"; then
        cp "$made" "$out/$program.new" && mv "$out/$program.new" "$out/$program"
        touch "$out/stamp"
    fi
done
for old in "$out"/*; do
    name=$(basename "$old")
    if [ "$name" != stamp ] && ! grep -qx "$name" "$programs"; then rm "$old" && touch "$out/stamp"; fi
done
