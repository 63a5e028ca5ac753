#!/usr/bin/env bash
# Speed of the compiler on a big IDL, client and server code: time and memory at 1, 2, 4 and 8 times its size, the run
# with nothing to do, tars2go beside it if that is installed
# (go install github.com/TarsCloud/TarsGo/tars/tools/tars2go@latest), and what `cargo check` of the generated types
# takes beside prost's for the same messages.
#
# RUNS=n takes the best of n runs (5). STRUCTS=n is the size of the crate that is checked (500; 0 leaves it out).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
big=$root/../shared/tools/big-idl/big.py
runs=${RUNS:-5}
structs=${STRUCTS:-500}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet --package tars2rs
tars2rs=$root/target/release/tars2rs

configs() { # directory
    for side in client:false server:true; do
        cat >"$1/${side%:*}.toml" <<END
appName = "App"
serverName = "Big"
objName = "obj"
withServant = ${side#*:}
tarsFiles = ["big.tars"]
dstPath = "out"
END
    done
}

# Best of the runs: seconds and megabytes. The first argument is run before each of them.
measure() {
    local before=$1
    shift
    for _ in $(seq "$runs"); do
        eval "$before"
        /usr/bin/time -f '%e %M' -o "$work/time" "$@" >/dev/null
        cat "$work/time"
    done | sort -n | awk 'NR == 1 { printf "%s %.0f\n", $1, $2 / 1024 }'
}

ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }

printf '%-22s %9s %9s %9s %12s %12s\n' input seconds MB 'of 1x' 'no change, s' 'output, MB'
one=
for scale in 1 2 4 8; do
    dir=$work/$scale
    mkdir "$dir"
    python3 "$big" $((2000 * scale)) 20 $((200 * scale)) 10 >"$dir/big.tars"
    configs "$dir"
    cd "$dir"
    # Moved, not removed: ext4 is slow to reuse the inodes of files that were just removed.
    read -r seconds memory < <(measure 'mv out old.$RANDOM$RANDOM 2>/dev/null || true' "$tars2rs" client.toml server.toml)
    read -r again _ < <(measure : "$tars2rs" client.toml server.toml)
    [[ $scale = 1 ]] && one=$seconds
    printf '%-22s %9s %9s %9s %12s %12s\n' "$scale x $(du -h "$work/1/big.tars" | cut -f1)" "$seconds" "$memory" \
        "$(ratio "$seconds" "$one")" "$again" "$(du -sm out | cut -f1)"
done

export PATH=$PATH:$(go env GOPATH 2>/dev/null || true)/bin
if command -v tars2go >/dev/null; then
    cd "$work/1"
    runs=1
    read -r seconds memory < <(measure 'rm -rf go' tars2go -outdir go big.tars)
    printf '\ntars2go at 1x: %s s, %s MB; tars2rs takes %s of its time\n' "$seconds" "$memory" "$(ratio "$one" "$seconds")"
else
    printf '\ntars2go is not installed: left out\n'
fi

[[ $structs = 0 ]] && exit
dir=$work/check
mkdir -p "$dir/ours/src" "$dir/prost/src"
python3 "$big" "$structs" 20 0 0 >"$dir/ours/big.tars"
configs "$dir/ours"
(cd "$dir/ours" && "$tars2rs" client.toml >/dev/null && mv out src/servant)
printf '//! Generated.\npub mod servant;\n' >"$dir/ours/src/lib.rs"
python3 "$root/scripts/big-prost.py" "$structs" >"$dir/prost/src/lib.rs"
manifest() { # name, dependencies
    printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n%s\n' "$1" "$2"
}
manifest ours "tars-rpc = { path = \"$root/tars-rpc\" }" >"$dir/ours/Cargo.toml"
manifest prost-types-of-big 'prost = "0.14"' >"$dir/prost/Cargo.toml"
cp "$root/Cargo.lock" "$dir/ours"
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$work/target
for crate in ours prost; do
    cd "$dir/$crate"
    cargo check --quiet
    touch src/lib.rs
    /usr/bin/time -f '%U' -o "$work/$crate" cargo check --quiet
done
ours=$(cat "$work/ours") prost=$(cat "$work/prost")
printf '\ncargo check of %s structs: %s s of processor time, prost %s s; ratio %s\n' "$structs" "$ours" "$prost" "$(ratio "$ours" "$prost")"
