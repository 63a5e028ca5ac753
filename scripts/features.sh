#!/usr/bin/env bash
# Each feature of the libraries alone, none, and all: lints without warnings. Needs Python.
set -euo pipefail
cd "$(dirname "$0")/.."

features_of() {
    cargo metadata --no-deps --format-version 1 --locked | python3 -c '
import json, sys
packages = {package["name"]: package for package in json.load(sys.stdin)["packages"]}
print(*sorted(set(packages[sys.argv[1]]["features"]) - {"default"}), sep="\n")' "$1"
}

for crate in tars-codec tars-rpc; do
    for feature in '' $(features_of "$crate"); do
        echo "$crate, ${feature:-no feature}"
        cargo clippy --quiet --locked -p "$crate" --no-default-features --features "$feature" -- -D warnings
    done
    echo "$crate, all features"
    cargo clippy --quiet --locked -p "$crate" --all-targets --all-features -- -D warnings
done
