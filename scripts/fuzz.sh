#!/usr/bin/env bash
# Runs fuzz targets, each for some seconds of processor time:
#
#     scripts/fuzz.sh [SECONDS [TARGET..]]          10 seconds and all targets without
#     scripts/fuzz.sh --record [SECONDS [TARGET..]] adds a line for each run to docs/fuzz.md
#     scripts/fuzz.sh --totals                      adds up the lines of docs/fuzz.md
#     scripts/fuzz.sh --keep [TARGET..]             takes what reached new code into fuzz/corpus
#
# Runs begin with the inputs that are kept, fuzz/corpus, and leave in fuzz/found what reaches new code. What fails is
# in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
record=docs/fuzz.md
kept_files=300 # a target, and 300 KB
interrupted=72 # what libFuzzer exits with then

if [[ ${1:-} = --totals ]]; then
    awk -F ' *[|] *' '
        $2 ~ /^20/ { cpu[$4] += $5; runs[$4] += $6; findings[$4] += $8 }
        END { for (t in cpu) printf "%-12s %8.0f s %14d executions %3d findings\n", t, cpu[t], runs[t], findings[t] }
    ' "$record" | sort
    exit
fi
mode=${1:-}
[[ $mode = --* ]] && shift || mode=
seconds=10
if [[ $mode != --keep && ${1:-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
fi
targets=("$@")
[[ $# -gt 0 ]] || for file in fuzz/targets/*.rs; do targets+=("$(basename "$file" .rs)"); done

if ! cargo fuzz --version >/dev/null 2>&1; then
    cargo install cargo-fuzz --locked
fi
# The sanitizers of cargo-fuzz are unstable options; the stable compiler has them, too.
export RUSTC_BOOTSTRAP=1
cargo fuzz build
binaries=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release

work=$(mktemp -d)
target= cpu=0 runs=0 coverage=0 findings=0
leave() {
    # Also when the run is interrupted: what was done counts.
    if [[ $mode = --record && -n $target && $runs -gt 0 ]]; then
        printf '| %s | %s | %s | %.0f | %d | %d | %d |\n' "$(date -u +%F)" "$(git rev-parse --short HEAD)" \
            "$target" "$cpu" "$runs" "$coverage" "$findings" >>"$record"
    fi
    target= cpu=0 runs=0 coverage=0 findings=0
}
trap 'leave; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# Adds to cpu, runs and coverage what a run of the target did. It ends by the clock, and there may be other work.
slice() {
    local status=0 TIMEFORMAT='%U %S'
    { time "$binaries/$target" "fuzz/found/$target" "fuzz/corpus/$target" "-artifact_prefix=fuzz/artifacts/$target/" \
        -max_total_time="$1" -max_len=4096 -print_final_stats=1 >"$work/log" 2>&1; } 2>"$work/time" || status=$?
    cpu=$(awk -v cpu="$cpu" '{ print cpu + $1 + $2 }' "$work/time")
    runs=$((runs + $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log" | tail -1 | grep . || echo 0)))
    coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/log" | tail -1 | grep . || echo 0)
    [[ $status -ne $interrupted ]] || exit 1
    if [[ $status -ne 0 ]]; then
        findings=1
        tail -40 "$work/log"
        exit 1
    fi
}

for next in "${targets[@]}"; do
    target=$next
    mkdir -p "fuzz/found/$target" "fuzz/corpus/$target" "fuzz/artifacts/$target"
    if [[ $mode = --keep ]]; then
        mkdir "$work/$target"
        "$binaries/$target" -set_cover_merge=1 "$work/$target" "fuzz/corpus/$target" "fuzz/found/$target" \
            -max_len=4096 >"$work/log" 2>&1
        # The smallest ones, if there are too many.
        find "fuzz/corpus/$target" -type f -delete
        size=0
        while read -r bytes file; do
            size=$((size + bytes))
            [[ $size -gt 300000 ]] || cp "$file" "fuzz/corpus/$target/"
        done < <(find "$work/$target" -type f -printf '%s %p\n' | sort -n | head -"$kept_files")
        printf '%s: %s inputs kept\n' "$target" "$(find "fuzz/corpus/$target" -type f | wc -l)"
        continue
    fi
    while left=$(awk -v cpu="$cpu" -v all="$seconds" 'BEGIN { printf "%d", all - cpu + 0.5 }') && [[ $left -gt 0 ]]; do
        slice $((left < 120 ? left : 120))
    done
    printf '%-12s %6.0f s %12d executions, coverage %d\n' "$target" "$cpu" "$runs" "$coverage"
    leave
done
target=
