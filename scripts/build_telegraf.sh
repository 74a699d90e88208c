#!/bin/sh
# Builds Telegraf with the three plugins that bench/bench_ingest_peer.py runs, into the cache directory, where the bench
# looks for it after PATH. Nothing is done when the binary there was made from this very go.mod. Needs go.
# Usage: scripts/build_telegraf.sh [TARGET_DIR]
set -eu

source_dir=$(cd "$(dirname "$0")/telegraf" && pwd)
target_dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/jinma/bin}
stamp=$(cat "$source_dir/go.mod" "$source_dir/go.sum" | sha256sum | cut -d' ' -f1)

if [ -x "$target_dir/telegraf" ] && [ "$(cat "$target_dir/telegraf.stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "telegraf: already built in $target_dir"
    exit 0
fi
if ! command -v go >/dev/null 2>&1; then
    echo "telegraf: cannot be built here, missing: go; install it, or put a telegraf 1.37 on PATH" >&2
    exit 1
fi

echo "telegraf: building v1.37.2 into $target_dir (some minutes the first time)"
mkdir -p "$target_dir"
# The directory itself only pins versions: -mod=readonly holds the build to the committed go.sum.
cd "$source_dir"
GOFLAGS=-mod=readonly CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" \
    -tags custom,inputs.mqtt_consumer,outputs.influxdb_v2,parsers.json_v2 \
    -o "$target_dir/telegraf.new" github.com/influxdata/telegraf/cmd/telegraf
# Moved into place whole, so that an interrupted build never leaves half a program.
mv "$target_dir/telegraf.new" "$target_dir/telegraf"
printf '%s\n' "$stamp" >"$target_dir/telegraf.stamp"
echo "telegraf: built"
