#!/bin/sh
# Ten minutes of calls on 200 connections through a proxy that breaks them, to a server that is restarted:
# scripts/soak.sh [SECONDS], 600 without. Prints how calls ended, and descriptors, tasks and memory before and after.
set -eu
cd "$(dirname "$0")/.."
export TARS_SOAK_SECONDS="${1:-600}"
exec cargo test --quiet --locked -p tars-tests --test soak -- --ignored --nocapture
