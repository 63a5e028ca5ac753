#!/usr/bin/env bash
# Counts the instructions of each operation of the codec under callgrind, which gives the same on a busy machine, and
# compares with benches/instructions.txt: more than 3 % above is an error. --save writes the file anew.
#
# The counts hang on the compiler: the file names the one that made it, and with another nothing is compared.
set -euo pipefail
cd "$(dirname "$0")/.."
baseline=benches/instructions.txt
runs=100

if ! command -v valgrind >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends valgrind
fi

cargo build --quiet --locked --profile bench --package tars-benches --bin codec-instructions
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rustc --version >"$work/now"
target/release/codec-instructions 0 | grep -E '^(A|C).*: tars(, .*)?$|^(request|vector).*: tars$' | while read -r name; do
    valgrind --quiet --tool=callgrind --callgrind-out-file="$work/out" --collect-atstart=no \
        --toggle-collect='codec_instructions::counted*' target/release/codec-instructions "$runs" "$name" >"$work/name"
    total=$(awk '/^summary:/ { print $2 }' "$work/out")
    printf '%s = %s\n' "$name" $((total / runs)) >>"$work/now"
done

if [[ ${1:-} = --save ]]; then
    cp "$work/now" "$baseline"
    exit
fi
if [[ $(head -1 "$baseline") != "$(rustc --version)" ]]; then
    printf 'the counts in %s are of another compiler, %s: not compared\n' "$baseline" "$(head -1 "$baseline")"
    exit
fi
awk -F ' = ' '
    NR == FNR { before[$1] = $2; next }
    FNR > 1 {
        ratio = before[$1] ? $2 / before[$1] : 0
        verdict = !ratio ? "new" : ratio > 1.03 ? "WORSE" : ratio < 0.97 ? "better" : ""
        printf "%-65s %9d %6.3f %s\n", $1, $2, ratio, verdict
        failed += verdict == "WORSE" || verdict == "new"
    }
    END { if (failed) { print failed " above the baseline; scripts/instructions.sh --save accepts them"; exit 1 } }
' "$baseline" "$work/now"
