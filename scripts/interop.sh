#!/usr/bin/env bash
# Calls between this project and official peers over loopback, both ways: builds the peers and prints a matrix.
# scripts/interop.sh [js|go|java|rust]..      all peers, or those named; needs node, go, and a JDK with maven
set -euo pipefail
cd "$(dirname "$0")/.."

peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(js go java)
built="$PWD/target/interop"
mkdir -p "$built"

for peer in "${peers[@]}"; do
    case $peer in
        js)
            # Installed anew only when the lock file is newer.
            if [ tests/interop/js/package-lock.json -nt tests/interop/js/node_modules/.package-lock.json ]; then
                (cd tests/interop/js && npm ci --silent)
            fi
            ;;
        go) (cd tests/interop/go && go build -o "$built/go" .) ;;
        java)
            jar="$built/java/peer.jar"
            if [ ! -e "$jar" ] || [ -n "$(find tests/interop/java tars/example.tars -newer "$jar" -print -quit)" ]; then
                (cd tests/interop/java && mvn --batch-mode --quiet -Dstyle.color=never package)
            fi
            ;;
        rust) ;;
        *)
            echo "unknown peer $peer; js, go, java and rust are known" >&2
            exit 2
            ;;
    esac
done

# Ends every process that it starts.
exec cargo run --quiet --locked -p tars-tests --bin interop -- "${peers[@]}"
