#!/bin/sh
# Makes the secrets that docker-compose.yml reads, once: what is there is left alone, so that a running stack keeps
# its passwords. To change one, remove its file (the broker's four belong together) and start the stack again.
#
# The folder is 0700 and so closed to everybody else on this machine. The files in it are 0444: compose mounts each as
# it is, and the services inside run as users of their own, which could not open a file that is for its owner alone.
set -eu

folder="${1:-$(dirname "$0")/../secrets}"
mkdir -p "$folder"
chmod 0700 "$folder"
cd "$folder"
umask 077

PYTHON="${PYTHON:-python3}"

random_word() {
    "$PYTHON" -c 'import secrets; print(secrets.token_hex(32), end="")'
}

keep() { # keep NAME VALUE: whole or not at all
    printf '%s' "$2" > ".$1.new"
    chmod 0444 ".$1.new"
    mv ".$1.new" "$1"
    echo "made secrets/$1"
}

for name in influxdb_v2_token influxdb_password grafana_password jinma_bootstrap_token jinma_hook_token; do
    [ -s "$name" ] || keep "$name" "$(random_word)"
done

if ! { [ -s mosquitto_passwords ] && [ -s broker_gateway ] && [ -s broker_ingest ] && [ -s broker_api ]; }; then
    passwords=""
    for user in gateway ingest api; do
        word=$(random_word)
        keep "broker_$user" "mqtt://$user:$word@mosquitto:1883"
        # What mosquitto_passwd would write: PBKDF2 with SHA-512, 101 rounds. The words are 256 random bits, which no
        # number of rounds would protect better. By the environment, since arguments stand in the process list.
        line=$(JINMA_WORD="$word" "$PYTHON" -c '
import base64, hashlib, os, secrets, sys
salt = secrets.token_bytes(12)
key = hashlib.pbkdf2_hmac("sha512", os.environ["JINMA_WORD"].encode(), salt, 101)
print(sys.argv[1], "$7$101", sep=":", end="$")
print(base64.b64encode(salt).decode(), base64.b64encode(key).decode(), sep="$")' "$user")
        passwords="$passwords$line
"
    done
    keep mosquitto_passwords "$passwords"
fi
