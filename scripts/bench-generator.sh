#!/usr/bin/env bash
# Speed of the compiler on a big IDL, client and server code: time and memory at 1, 2, 4 and 8 times its size, the run
# with nothing to do, tars2go beside it, and what `cargo check` of the generated types takes beside prost's for the same
# messages.
#
# RUNS=n takes the best of n runs (5). STRUCTS=n is the size of the crate that is checked (500; 0 leaves it out).
# Without Go or its module proxy there is no tars2go: the script says so, and fails with STRICT=1.
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

# The least of the runs each: seconds, seconds of processor time, megabytes. The first argument is run before each.
measure() {
    local before=$1
    shift
    for _ in $(seq "$runs"); do
        eval "$before"
        /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >/dev/null
        cat "$work/time"
    done | awk '
        NR == 1 || $1 < wall { wall = $1 }
        NR == 1 || $2 + $3 < cpu { cpu = $2 + $3 }
        NR == 1 || $4 < memory { memory = $4 }
        END { printf "%s %.2f %.0f\n", wall, cpu, memory / 1024 }'
}

ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }

printf '%-14s %8s %10s %6s %11s %14s %11s\n' input seconds 'CPU, s' MB 'CPU of 1x' 'no change, s' 'output, MB'
one='' one_cpu=''
for scale in 1 2 4 8; do
    dir=$work/$scale
    mkdir "$dir"
    python3 "$big" $((2000 * scale)) 20 $((200 * scale)) 10 >"$dir/big.tars"
    configs "$dir"
    cd "$dir"
    # Moved, not removed: ext4 is slow to reuse the inodes of files that were just removed.
    read -r seconds cpu memory < <(measure 'mv out old.$RANDOM$RANDOM 2>/dev/null || true' "$tars2rs" client.toml server.toml)
    read -r again _ < <(measure : "$tars2rs" client.toml server.toml)
    [[ $scale = 1 ]] && one=$seconds one_cpu=$cpu
    printf '%-14s %8s %10s %6s %11s %14s %11s\n' "$scale x $(du -h "$work/1/big.tars" | cut -f1)" "$seconds" "$cpu" \
        "$memory" "$(ratio "$cpu" "$one_cpu")" "$again" "$(du -sm out | cut -f1)"
done

# The last tars2go that is a part of TarsGo's own module, which the module proxy has.
tarsgo=v1.1.0
build_tars2go() {
    mkdir "$work/tars2go"
    cd "$work/tars2go"
    printf 'module bench\n\ngo 1.21\n\nrequire github.com/TarsCloud/TarsGo %s\n' "$tarsgo" >go.mod
    GOFLAGS=-mod=mod go build -o tars2go github.com/TarsCloud/TarsGo/tars/tools/tars2go
}
if (build_tars2go) >"$work/go.log" 2>&1; then
    cd "$work/1"
    runs=1
    read -r seconds cpu memory < <(measure : "$work/tars2go/tars2go" -outdir go big.tars)
    printf '\ntars2go %s at 1x: %s s, CPU %s s, %s MB; tars2rs takes %s of its time\n' \
        "$tarsgo" "$seconds" "$cpu" "$memory" "$(ratio "$one" "$seconds")"
else
    cat "$work/go.log" >&2
    echo 'bench-generator: NO TARS2GO: it could not be built, and nothing was compared with it' >&2
    [[ ${STRICT:-0} = 0 ]] || exit 1
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
