#!/bin/sh
# Builds the chat server and packs it for the Tars platform, into target/package; prints what is in the package, and
# its sha256. With --upload URL, and a token in TARS_WEB_TOKEN, it is also published: see docs/deploy.md.
set -eu
cd "$(dirname "$0")/.."
exec cargo run --quiet --locked --package tars2rs -- package --output target/package tars/tars.proto.toml "$@"
