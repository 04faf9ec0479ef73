#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes an authority and a server's certificate, for trying and testing: certificates.sh FOLDER [NAME [OPTION…]]. FOLDER then has
# authority.pem and authority.key, and <NAME>certificate.pem and <NAME>key.pem for the names and addresses below. What is there
# stays. OPTIONs are those of `openssl x509`; NAMES in the environment replaces the names.
set -euo pipefail
folder=$1 name=${2:-}
shift $(($# > 2 ? 2 : $#))
names=${NAMES:-DNS:isthmus,DNS:isthmus.local,DNS:localhost,IP:127.0.0.1,IP:::1,IP:10.0.2.15,IP:10.0.2.2}
umask 077
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
cd "$folder"
if [ ! -e authority.pem ]; then
    openssl req -x509 "${curve[@]}" -keyout authority.key -out new.pem -days 3650 -subj "/CN=an authority for trying Isthmus" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>openssl.log
    mv new.pem authority.pem
fi
if [ ! -e "${name}certificate.pem" ]; then
    openssl req -new "${curve[@]}" -keyout "${name}key.pem" -subj "/CN=isthmus" -out request.csr 2>openssl.log
    openssl x509 -req -in request.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 3650 -out new.pem "$@" \
        -extfile <(printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' "$names") 2>openssl.log
    mv new.pem "${name}certificate.pem"
fi
