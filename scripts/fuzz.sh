#!/bin/sh
# Runs every fuzz target for some seconds each: scripts/fuzz.sh [SECONDS], 10 without.
# What it finds is kept in fuzz/corpus and grows from run to run; a crash is in fuzz/artifacts.
set -eu
cd "$(dirname "$0")/.."
seconds="${1:-10}"

if ! cargo fuzz --version >/dev/null 2>&1; then
    cargo install cargo-fuzz --locked
fi

# The sanitizers of cargo-fuzz are unstable options; the stable compiler has them, too.
export RUSTC_BOOTSTRAP=1
for target in generated packet splitter tup value; do
    printf '\n=== fuzz %s for %s s\n' "$target" "$seconds"
    cargo fuzz run "$target" -- -max_total_time="$seconds" -max_len=4096 -verbosity=0 -print_final_stats=1
done
