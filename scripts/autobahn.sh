#!/usr/bin/env bash
# The 301 cases of the Autobahn test suite that concern no compression, against `example-server --echo`.
# Exits 0 only if all of them pass; a report of each is in target/autobahn-report.
#
# PROFILE=dev|release (dev) chooses the build. The suite's client is kosoku, installed into target/ by pip.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-dev}
kosoku=0.1.0
cases=301
venv=target/autobahn
report=target/autobahn-report

if [[ $("$venv/bin/pip" list --format=freeze 2>/dev/null || true) != *"kosoku==$kosoku"* ]]; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "kosoku==$kosoku"
fi

cargo build --quiet --locked --package example-server --profile "$profile"
bin=target/$([[ $profile = dev ]] && echo debug || echo "$profile")/example-server

coproc chat { exec env RUST_LOG=warn "$bin" --echo --listen 127.0.0.1:0 --servant-listen 127.0.0.1:0; }
pid=$chat_PID
trap 'kill "$pid" && wait "$pid"' EXIT
read -r _ url <&"${chat[0]}"
address=${url#http://}

rm -rf "$report"
"$venv/bin/kosoku" -m fuzzingclient -p 8 -o "$report" -x '12.*' -x '13.*' "${address%/}"
ran=$(find "$report" -name '*_case_*.json' | wc -l)
if ((ran != cases)); then
    echo "$ran cases ran instead of $cases" >&2
    exit 1
fi
