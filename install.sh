#!/bin/sh
# Sets everything up, builds edgepack, installs it, then packs and boots a sample app.
# Where to: EDGEPACK_BIN, else /usr/local/bin for root and ~/.local/bin for everyone else.
set -eu
cd "$(dirname "$0")"

command -v cargo >/dev/null || {
    echo "error: cargo is missing; install Rust with rustup: https://rustup.rs" >&2
    exit 1
}
command -v npm >/dev/null || {
    echo "error: npm is missing; install Node 20 or newer: https://nodejs.org" >&2
    exit 1
}

if [ -n "${EDGEPACK_BIN:-}" ]; then
    bin=$EDGEPACK_BIN
elif [ "$(id -u)" = 0 ]; then
    bin=/usr/local/bin
else
    bin=$HOME/.local/bin
fi

cargo xtask dist "$bin"

sample=$(mktemp -d)
trap 'rm -rf "$sample"' EXIT
cp -R fixtures/apps/express "$sample/express"
(cd "$sample/express" && npm ci --no-audit --no-fund --loglevel=error)
"$bin/edgepack" build "$sample/express" -o "$sample/app"

echo "booting the sample app"
PORT=0 "$sample/app" >"$sample/out" &
app=$!
waited=0
while ! grep -q 'listening on' "$sample/out"; do
    kill -0 "$app" 2>/dev/null || { echo "error: the sample app has ended" >&2; exit 1; }
    [ "$waited" -lt 100 ] || { echo "error: the sample app does not listen" >&2; kill "$app"; exit 1; }
    waited=$((waited + 1))
    sleep 0.1
done
cat "$sample/out"
kill "$app"
wait "$app" 2>/dev/null || true

echo "edgepack is installed: $bin/edgepack"
case ":$PATH:" in
    *":$bin:"*) ;;
    *) echo "add $bin to PATH to call it by name" ;;
esac
