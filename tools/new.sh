#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# new.sh client NAME SYSTEM PORT LANGUAGE: a client's folder SYSTEM/pds/NAME, for C SYSTEM/pds/c/NAME, and its block in
# SYSTEM/isthmus.toml.
# new.sh system FOLDER: a folder with a declaration and a workspace of its own, outside this tree.
set -euo pipefail
cd "$(dirname "$0")/.."
isthmus=$PWD

fail() {
    echo "error: $1" >&2
    echo "  help: $2" >&2
    exit 1
}

client() {
    local name=$1 system=$2 port=$3 language=$4
    [[ $name =~ ^[a-z][a-z0-9_]{0,31}$ ]] ||
        fail "\"$name\" is no name for a client" "make new-client NAME=greeter: 1 to 32 small letters, digits and underscores"
    local folder=$system/pds/$name declaration=$system/isthmus.toml source=src/main.rs
    case $language in
        rust) ;;
        c) folder=$system/pds/c/$name source=main.c ;;
        *) fail "there is no LANGUAGE=$language" "LANGUAGE=rust or LANGUAGE=c" ;;
    esac
    [ -f "$declaration" ] || fail "there is no $declaration" "make new-system SYSTEM=$system, or name another folder"
    [ ! -e "$folder" ] || fail "$folder is there already" "choose another name"
    ! grep -q "^\[pds\.$name\]" "$declaration" || fail "$declaration has a PD $name already" "choose another name"
    mkdir -p "$folder"
    if [ "$language" = c ]; then
        sed "s/7000/$port/" tools/new/main.c >"$folder/main.c"
    else
        mkdir "$folder/src"
        sed "s/NAME/$name/" tools/new/Cargo.toml.client >"$folder/Cargo.toml"
        cp tools/new/main.rs "$folder/src/main.rs"
    fi
    printf '\n[pds.%s]\nabout = "greets"\nuses = ["net_server"]\nstream_sockets = 16\ntcp_listen = [%s]\n' \
        "$name" "$port" >>"$declaration"
    [ "$language" = c ] || (cd "$system" && cargo update --quiet --workspace)
    echo "$folder/$source and [pds.$name] in $declaration; now: make run$([ "$system" = . ] || echo " SYSTEM=$system") FORWARD=tcp:127.0.0.1:$port-:$port"
}

system() {
    local folder=$1
    [ "$folder" != . ] || fail "a system of your own needs a folder" "make new-system SYSTEM=../my-system"
    [ ! -e "$folder/isthmus.toml" ] || fail "$folder/isthmus.toml is there already" "choose another folder"
    mkdir -p "$folder/pds"
    # What every system has; clients are added to it.
    sed '/^# --- Clients/,$d' isthmus.toml >"$folder/isthmus.toml"
    # Profiles count in the workspace that is built.
    { sed "s|ISTHMUS|$isthmus|; s|FOLDER|$(cd "$folder" && pwd)|" tools/new/Cargo.toml.system
      sed -n '/^\[profile\.\(release\|checked\)\]/,/^$/p' Cargo.toml; } >"$folder/Cargo.toml"
    # So that the same versions of crates are taken.
    cp Cargo.lock "$folder/Cargo.lock"
    echo "$folder/isthmus.toml and $folder/Cargo.toml; now: make new-client NAME=greeter SYSTEM=$folder"
}

"$@"
