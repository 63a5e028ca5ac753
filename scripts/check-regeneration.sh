#!/bin/sh
# Shows that `cargo build` keeps the generated code of the example server up to date: a second build writes nothing,
# an edit of the IDL changes the code, and taking the edit back restores it. Needs a clean checkout.
set -eu
cd "$(dirname "$0")/.."

idl=tars/example.tars
tree=example-server/src/servant
fail() {
    echo "check-regeneration: $*" >&2
    exit 1
}
listing() { find "$tree" -type f -printf '%p %T@\n' | sort; }
build() { cargo build --quiet --package example-server; }

git diff --quiet -- "$idl" "$tree" || fail "$idl or $tree is modified; commit or stash it first"
trap 'git checkout --quiet -- "$idl" "$tree"' EXIT

build
before="$(listing)"
build
[ "$before" = "$(listing)" ] || fail 'a second build wrote files'

sed -i 's|/\*\* Greets whoever calls. \*/|/** Greets whoever calls, as edited. */|' "$idl"
build
grep -q 'Greets whoever calls, as edited' "$tree"/PHPTest/PHPServer/obj/test_taf_service_servant.rs ||
    fail 'an edit of the IDL did not change the code'

git checkout --quiet -- "$idl"
build
git diff --quiet -- "$tree" || fail 'taking the edit back did not restore the code'
[ -z "$(git status --porcelain -- "$tree")" ] || fail 'files were left behind'
echo 'check-regeneration: the generated code follows the IDL'
