#!/usr/bin/env bash
# Calls beside TarsGo and Tars.js, client and server of each on the same cores, one after the other: calls a second,
# processor time of each side, latencies, for 1, 100 and 1,000 calls outstanding on 1 and 64 connections; and whether
# the cost of a call stays the same with up to 10,000 connections and 100,000 calls pending.
# The tables go to standard output, a plot to artifacts/bench-rpc.svg.
#
# scripts/bench-rpc.sh [calls|flat]..     both without; ROUNDS=n (3), SECONDS_EACH=s (2) choose less or more.
# Needs Node.js, npm, go and Python.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(calls flat)
ulimit -n "$(ulimit -Hn)"
mkdir -p target/interop artifacts

(cd tests/interop/js && npm ci --silent)
(cd tests/interop/go && go build -o ../../../target/interop/go .)
cargo build --quiet --locked --release --package tars-benches --bin rpc-load
for part in "${parts[@]}"; do
    python3 scripts/bench-rpc.py "$part" "${ROUNDS:-3}" "${SECONDS_EACH:-2}" artifacts/bench-rpc.svg
done
