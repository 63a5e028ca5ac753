#!/usr/bin/env bash
# The codec beside prost, TarsGo, @tars/stream and TarsJava, all with the same values, one after the other: nanoseconds
# an operation. A peer reads the values from a file that the Rust side writes, and what it encodes them to must decode
# to the same. The table goes to standard output, a plot to artifacts/bench-codec.svg.
#
# scripts/bench-codec.sh [go|js|java]..     all three without a name; needs go, Node.js with npm, a JDK with maven, Python
set -euo pipefail
cd "$(dirname "$0")/.."
peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(go js java)
work=target/bench-codec
sources=benches/codec-peers
mkdir -p "$work" artifacts

cargo build --quiet --locked --profile bench --package tars-benches --bin codec-table --bin codec-values
for peer in "${peers[@]}"; do
    case $peer in
        go) (cd "$sources/go" && go build -o "../../../$work/go" .) ;;
        js) (cd "$sources/js" && npm ci --silent) ;;
        java) (cd "$sources/java" && mvn --batch-mode --quiet -Dstyle.color=never package) ;;
        *)
            echo "unknown peer $peer; go, js and java are known" >&2
            exit 2
            ;;
    esac
done

values=$work/values.jsonl
target/release/codec-values >"$values"
target/release/codec-table --lines >"$work/rust.txt"
for peer in "${peers[@]}"; do
    case $peer in
        go) "$work/go" "$values" ;;
        js) node "$sources/js/main.js" "$values" ;;
        java) java -Xmx512m -jar "$work/java/peer.jar" "$values" ;;
    esac >"$work/$peer.txt"
done
for peer in "${peers[@]}"; do
    target/release/codec-values "$work/$peer.txt"
done
python3 scripts/bench-codec.py "$work" artifacts/bench-codec.svg "${peers[@]}"
