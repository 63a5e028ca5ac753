#!/bin/sh
# Generates src/servant of the example server from tars/example.tars: the client proxy, the server trait, and the
# types that both use. `cargo build` does the same.
set -eu
cd "$(dirname "$0")/../tars"

cargo run --quiet --package tars2rs -- "$@" tarsclient.proto.toml tarsserver.proto.toml

cd ../example-server/src/servant
for obj in */*/*/mod.rs; do
    echo "servant/${obj%/mod.rs}"
    ls -p "${obj%/mod.rs}" | sed 's/^/    /'
done
