#!/bin/sh
# Builds InfluxDB's server into the cache directory, where the tests look for it after PATH. Nothing is done when the
# binary there was made from this very go.mod. Needs go, rustc with cargo (Flux is a Rust library) and a C compiler.
# Usage: scripts/build_influxd.sh [TARGET_DIR]
set -eu

source_dir=$(cd "$(dirname "$0")/influxd" && pwd)
target_dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/jinma/bin}
stamp=$(cat "$source_dir/go.mod" "$source_dir/go.sum" | sha256sum | cut -d' ' -f1)

if [ -x "$target_dir/influxd" ] && [ "$(cat "$target_dir/influxd.stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "influxd: already built in $target_dir"
    exit 0
fi

missing=""
for tool in go cargo rustc cc; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    echo "influxd: cannot be built here, missing:$missing; install them, or put an influxd 2.7 on PATH" >&2
    exit 1
fi

echo "influxd: building v2.7.12 into $target_dir (about four minutes the first time)"
mkdir -p "$target_dir"
work_dir=$(mktemp -d)
trap 'rm -rf "$work_dir"' EXIT INT TERM

# libflux forbids warnings that newer compilers have added since; capping the lints lets any stable one build it.
cat >"$work_dir/rustc-wrapper" <<'WRAPPER'
#!/bin/sh
exec "$@" --cap-lints allow
WRAPPER
chmod +x "$work_dir/rustc-wrapper"

# The directory itself only pins versions: -mod=readonly holds the build to the committed go.sum.
cd "$source_dir"
export GOFLAGS=-mod=readonly CGO_ENABLED=1
go build -o "$work_dir/pkg-config" github.com/influxdata/pkg-config
PKG_CONFIG="$work_dir/pkg-config" RUSTUP_TOOLCHAIN=stable RUSTC_WRAPPER="$work_dir/rustc-wrapper" \
    go build -trimpath -ldflags "-s -w" -o "$work_dir/influxd" github.com/influxdata/influxdb/v2/cmd/influxd

# Moved into place whole, so that an interrupted build never leaves half a program.
cp "$work_dir/influxd" "$target_dir/influxd.new"
mv "$target_dir/influxd.new" "$target_dir/influxd"
printf '%s\n' "$stamp" >"$target_dir/influxd.stamp"
echo "influxd: built"
