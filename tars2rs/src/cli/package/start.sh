#!/bin/sh
# Starts @app@.@server@ in the background, with the arguments that are given here. What it prints goes to the end of
# @server@.log in this directory. (tarsnode starts the executable itself.)
set -eu
dir=$(cd "$(dirname "$0")" && pwd)
program=$dir/@server@

# Whether the process of the pid file is this server, and not another one that got its number.
runs() {
    kill -0 "$1" 2>/dev/null || return 1
    [ ! -e /proc/self/cmdline ] || tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null | grep -qxF "$program"
}

# Until its parent asks for it, a process that has ended is there, without a command line.
has_ended() {
    [ -e "/proc/$1/cmdline" ] && [ -z "$(tr -d '\0' <"/proc/$1/cmdline")" ]
}

pid=$(cat "$program.pid" 2>/dev/null || true)
if [ -n "$pid" ] && runs "$pid"; then
    echo "@server@ runs already, as process $pid" >&2
    exit 1
fi
nohup "$program" "$@" </dev/null >>"$program.log" 2>&1 &
pid=$!
echo "$pid" >"$program.pid"

# What is wrong with its arguments or its port, a server finds at once.
sleep 1
if ! kill -0 "$pid" 2>/dev/null || has_ended "$pid"; then
    rm -f "$program.pid"
    echo "@server@ did not start; the end of $program.log:" >&2
    tail -n 5 "$program.log" >&2
    exit 1
fi
echo "@server@ runs as process $pid"
