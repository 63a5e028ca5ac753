#!/usr/bin/env bash
# Whether tars-codec without its feature `std` needs `core` and `alloc` alone, with JSON and without: builds it with a
# compiler that has no `std`.
set -euo pipefail
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
libraries=lib/rustlib/$host/lib
bare=$PWD/target/no-std
rm -rf "$bare/sysroot"
mkdir -p "$bare/sysroot/$libraries"
ln -s "$(rustc --print sysroot)/$libraries/"lib{core,alloc,compiler_builtins}-*.{rlib,rmeta} "$bare/sysroot/$libraries/"
for features in '' json; do
    RUSTFLAGS="--sysroot $bare/sysroot" cargo build --quiet --locked -p tars-codec --no-default-features \
        --features "$features" --target "$host" --target-dir "$bare"
done
echo 'tars-codec builds with core and alloc alone'
