#!/bin/sh
# Stops @app@.@server@, which start.sh has started: asks it to end, and ends it after 60 seconds, or as many as are
# given here. (tarsnode has its own way to stop the server.)
set -eu
dir=$(cd "$(dirname "$0")" && pwd)
program=$dir/@server@
seconds=${1:-60}

# Whether the process of the pid file is this server, and not another one that got its number.
runs() {
    kill -0 "$1" 2>/dev/null || return 1
    [ ! -e /proc/self/cmdline ] || tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null | grep -qxF "$program"
}

pid=$(cat "$program.pid" 2>/dev/null || true)
if [ -z "$pid" ] || ! runs "$pid"; then
    rm -f "$program.pid"
    echo "@server@ does not run"
    exit 0
fi
kill -TERM "$pid"
while runs "$pid"; do
    if [ "$seconds" -le 0 ]; then
        kill -KILL "$pid" 2>/dev/null || true
        rm -f "$program.pid"
        echo "@server@ did not end in time and was killed" >&2
        exit 1
    fi
    sleep 1
    seconds=$((seconds - 1))
done
rm -f "$program.pid"
echo "@server@ has ended"
