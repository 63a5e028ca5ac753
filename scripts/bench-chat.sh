#!/usr/bin/env bash
# Fan-out of the chat server beside uWebSockets.js and npm ws, under the loads of benches/wsload: one room of 1,000
# members, 64-byte messages, at most 4 and at most 1 of them under way; 20 messages a second for their latency; and
# 10,000 connections that do nothing, for their memory.
#
# Every round runs all servers, one after the other, and its ratios are taken within it; the table has the medians.
# It goes to standard output, a plot of it to artifacts/bench-chat.svg.
#
# example-server/1 is the same program on one thread, as the other two are.
#
# ROUNDS=n (3), SECONDS_EACH=s (4), SERVERS="example-server example-server/1 uWebSockets.js ws" choose less or more.
# Needs Node.js 20 (uWebSockets.js has no binary for later ones) and npm.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-4}
read -ra servers <<<"${SERVERS:-example-server example-server/1 uWebSockets.js ws}"
peers=benches/chat-peers
results=target/bench-chat.jsonl
ulimit -n "$(ulimit -Hn)"

(cd "$peers" && npm ci --silent --no-audit --no-fund)
cargo build --quiet --locked --release --package example-server
cargo build --quiet --locked --release --manifest-path benches/wsload/Cargo.toml --target-dir target/wsload
wsload=target/wsload/release/wsload

pid=
trap '[[ -z $pid ]] || kill "$pid"' EXIT

start() { # name: sets pid and url
    local command ours=(target/release/example-server --listen 127.0.0.1:0 --servant-listen 127.0.0.1:0)
    case $1 in
    example-server) command=("${ours[@]}") ;;
    example-server/1) command=(env TOKIO_WORKER_THREADS=1 "${ours[@]}") ;;
    uWebSockets.js) command=(node "$peers/uws.js" 0) ;;
    ws) command=(node "$peers/ws.js" 0) ;;
    *)
        echo "bench-chat: no server $1" >&2
        exit 2
        ;;
    esac
    exec 3< <(RUST_LOG=warn exec "${command[@]}")
    pid=$!
    read -r _ url <&3
    url=ws://${url#http://}
}

stop() {
    kill "$pid"
    # It is not a child of this shell's own, so there is no waiting for it.
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    pid=
    exec 3<&-
}

load() { # server, load, options of wsload
    local server=$1 name=$2
    shift 2
    "$wsload" "$@" --url "$url" --pid "$pid" --json --label "$round $server $name" >>"$results"
}

: >"$results"
for round in $(seq "$rounds"); do
    for server in "${servers[@]}"; do
        echo "round $round of $rounds: $server" >&2
        start "$server"
        load "$server" window4 fanout --conns 1000 --size 64 --window 4 --warm 1 --secs "$seconds"
        load "$server" window1 fanout --conns 1000 --size 64 --window 1 --warm 1 --secs "$seconds"
        load "$server" paced fanout --conns 1000 --size 64 --rate 20 --warm 1 --secs "$seconds"
        stop
        start "$server"
        load "$server" idle idle --conns 10000 --hold 1
        stop
    done
done
mkdir -p artifacts
python3 scripts/bench-chat.py "$results" artifacts/bench-chat.svg
