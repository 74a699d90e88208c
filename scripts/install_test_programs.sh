#!/bin/sh
# Brings the programs that the tests start: mosquitto, Chromium, Chinese fonts and PostgreSQL by apt (as root),
# influxd by building it. Run it as often as you like: what is there is left alone. What cannot be had is named; with
# CI=true that is an error, on a user's own machine the tests that need it are skipped.
set -u

here=$(cd "$(dirname "$0")" && pwd)
wanted=""
failed=""

has_program() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1
}

want() { # want PACKAGE DESCRIPTION
    echo "$2: missing, package $1"
    wanted="$wanted $1"
}

if has_program mosquitto; then echo "mosquitto: there"; else want mosquitto mosquitto; fi
if has_program chromium || has_program chromium-browser || has_program google-chrome; then
    echo "chromium: there"
else
    want chromium chromium
fi
if ls /usr/share/fonts/opentype/noto/NotoSansCJK* /usr/share/fonts/*/*/NotoSansCJK* >/dev/null 2>&1; then
    echo "Chinese fonts: there"
else
    want fonts-noto-cjk "Chinese fonts"
fi
if has_program postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
    echo "postgresql: there"
else
    want postgresql postgresql
fi

if [ -n "$wanted" ]; then
    if [ "$(id -u)" -ne 0 ] || ! has_program apt-get; then
        failed="$failed$wanted"
    else
        echo "apt-get: installing$wanted"
        export DEBIAN_FRONTEND=noninteractive
        # shellcheck disable=SC2086 # a list of packages
        if apt-get update -q && apt-get install -q -y --no-install-recommends $wanted; then
            echo "apt-get: done"
            # Debian starts them as services; the tests start their own, on ports of their own.
            for service in mosquitto postgresql; do
                case "$wanted" in *"$service"*) service "$service" stop >/dev/null 2>&1 || true ;; esac
            done
        else
            failed="$failed$wanted"
        fi
    fi
fi

if has_program influxd; then
    echo "influxd: there"
else
    "$here/build_influxd.sh" || failed="$failed influxd"
fi

if [ -n "$failed" ]; then
    echo "still missing:$failed (tests that need them are skipped here, and fail where CI=true)" >&2
    [ "${CI:-}" != "true" ] || exit 1
fi
