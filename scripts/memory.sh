#!/usr/bin/env bash
# The tests of tars-codec, which has all of the project's unsafe code, under AddressSanitizer and under valgrind's
# memcheck: reads and writes outside of memory, of memory that is freed or was never written. Leaks are not looked for:
# the unsafe code allocates nothing by itself, and some tests leak on purpose.
# Values at random are fewer than in a plain run: CASES=n, 32 without.
set -euo pipefail
cd "$(dirname "$0")/.."
export PROPTEST_CASES=${CASES:-32}
host=$(rustc -vV | sed -n 's/^host: //p')

if ! command -v valgrind >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends valgrind
fi

run() { cargo test --quiet --locked -p tars-codec --all-features --lib --tests "$@"; }

echo '--- AddressSanitizer'
# An unstable option; the stable compiler has it, too.
ASAN_OPTIONS=detect_leaks=0 RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address run --target "$host" --target-dir target/asan

echo '--- memcheck'
runner="CARGO_TARGET_$(tr a-z- A-Z_ <<<"$host")_RUNNER"
PROPTEST_CASES=$((PROPTEST_CASES / 8 + 1)) \
    env "$runner=valgrind --quiet --error-exitcode=99 --leak-check=no" \
    cargo test --quiet --locked -p tars-codec --all-features --lib --tests -- --test-threads=1
