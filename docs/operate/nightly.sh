#!/usr/bin/env bash
# One nightly run, for cron: what the exit code means, and who is told. Exits as the run did.
set -uo pipefail

config=${ATTACK_FACTOR_CONFIG:-/etc/attack-factor/attack-factor.toml}
reports=${ATTACK_FACTOR_REPORTS:-/var/lib/attack-factor-reports}
day=$(date -u +%F)

# Replace this by whatever wakes people up at your place: mail, a webhook, a ticket.
tell() { logger -t attack-factor -p "user.$1" -- "$2"; }

mkdir -p "$reports"
attack-factor run --config "$config" --strict --fail-on high --log-format json --format json \
    > "$reports/$day.json.new" 2> "$reports/$day.log"
code=$?
mv "$reports/$day.json.new" "$reports/$day.json"

case $code in
    0)  tell info 'done' ;;
    10) tell notice "done; somebody is attacked at level high or above: $reports/$day.json" ;;
    4)  tell err "a data gate failed or a tenant was left out: $reports/$day.json" ;;
    3)  tell err 'an input file is missing: look at the feed' ;;
    2)  tell err 'the configuration or a rule is wrong: attack-factor config check' ;;
    *)  tell err "failed with $code, nothing was published; the next run heals: $reports/$day.log" ;;
esac
exit "$code"
