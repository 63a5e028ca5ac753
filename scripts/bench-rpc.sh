#!/usr/bin/env bash
# Calls beside TarsGo and Tars.js, client and server of each on the same cores, one after the other: calls a second,
# processor time of each side, latencies. The tables go to standard output, a plot to artifacts/bench-rpc.svg.
#
#   calls   1 KiB there and back; 1, 100 and 1,000 outstanding on 1 and 64 connections, 1,000 on 1,000
#   small   16 bytes; 1, 100, 1,000 outstanding
#   flat    whether the cost of a call stays the same with up to 10,000 connections and 100,000 calls pending
#   shapes  an open loop, slow calls beside fast ones, a runtime a core, memory of an idle connection
#   spread  whether more than one connection to an endpoint pays
#
# scripts/bench-rpc.sh [PART]..     all without; ROUNDS=n (3), SECONDS_EACH=s (2) choose less or more.
# Needs Node.js, npm, go and Python.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(calls small flat shapes spread)
ulimit -n "$(ulimit -Hn)"
mkdir -p target/interop artifacts

(cd tests/interop/js && npm ci --silent)
(cd tests/interop/go && go build -o ../../../target/interop/go .)
cargo build --quiet --locked --release --package tars-benches --bin rpc-load
for part in "${parts[@]}"; do
    python3 scripts/bench-rpc.py "$part" "${ROUNDS:-3}" "${SECONDS_EACH:-2}" artifacts/bench-rpc.svg
done
