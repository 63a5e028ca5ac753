#!/usr/bin/env bash
# The benchmarks beside peers: scripts/bench.sh [codec|generator|rpc|chat]..     all of them without a name.
# Each is a script of its own, scripts/bench-NAME.sh, which says what it needs and takes arguments.
set -euo pipefail
cd "$(dirname "$0")"
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(codec generator rpc chat)
for name in "${names[@]}"; do
    if [[ ! $name =~ ^[a-z]+$ || ! -x bench-$name.sh ]]; then
        echo "unknown benchmark $name; there are: $(ls bench-*.sh | sed 's/bench-\(.*\)\.sh/\1/' | xargs)" >&2
        exit 2
    fi
done
for name in "${names[@]}"; do
    printf '\n=== bench-%s.sh\n' "$name"
    "./bench-$name.sh"
done
