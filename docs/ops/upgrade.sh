#!/bin/sh
# upgrade.sh NEW BACKUP: puts another version of Mugai (a checkout or an unpacked bundle in which `npm ci --omit=dev` was run) in the place
# of the one at work on this machine, however full its queues are: stops the units that run, copies every data folder into BACKUP, puts NEW
# in place, and starts the same units. What was accepted lies in spool and outbox and goes on; who sends meanwhile finds no door and comes
# again. Where there is no backup, a unit of the new version does not answer, or anything else ends it (Ctrl-C, a lost terminal), the version
# before is started again. It stays at /opt/mugai.before. MUGAI_HOME, MUGAI_DATA, MUGAI_SETTINGS, MUGAI_UNITS: other places than /opt/mugai,
# /var/lib/mugai, /etc/mugai, /etc/systemd/system.
set -eu
home=${MUGAI_HOME:-/opt/mugai}
lib=${MUGAI_DATA:-/var/lib/mugai}
settings=${MUGAI_SETTINGS:-/etc/mugai}
placed=${MUGAI_UNITS:-/etc/systemd/system}
seconds=${MUGAI_ANSWER_SECONDS:-120} # until every unit must have answered
here=$(cd "$(dirname "$0")" && pwd)
before=$home.before
coming=$home.coming
say() {
  echo "upgrade.sh: $1" >&2
}
refuse() {
  say "$1"
  exit 2
}
[ $# -eq 2 ] || refuse 'NEW and BACKUP are needed'
new=${1%/}
backup=$2
runs_in() {
  [ -x "$1/node_modules/.bin/node" ] && (cd "$1" && node_modules/.bin/node src/mugai.js --version)
}
same() {
  [ -d "$1" ] && [ -d "$2" ] && [ "$(cd "$1" && pwd -P)" = "$(cd "$2" && pwd -P)" ]
}
units_that_are() {
  systemctl list-units 'mugai-*@*.service' --state="$1" --plain --no-legend | sed 's/ .*//'
}
[ -d "$home" ] || refuse "$home is not there; if an upgrade was broken off: mv $before $home"
for taken in "$home" "$coming"; do
  ! same "$new" "$taken" || refuse "$new is a place that an upgrade needs itself: move or copy the new version to another one"
done
to=$(runs_in "$new") || refuse "$new is no version that runs here: is \`npm ci --omit=dev\` done in it?"
from=$(runs_in "$home") || refuse "$home is no version that runs here"
[ ! -e "$backup" ] || [ -z "$(ls -A "$backup")" ] || refuse "$backup is not empty: a backup mixed with another is none"
[ ! -e "$before" ] || [ -f "$before/src/mugai.js" ] || refuse "$before is no version of Mugai, and in the way"
running=$(units_that_are active)
units=$(units_that_are active,activating,reloading) # with those that systemd is about to start again
[ -n "$units" ] || refuse 'no unit mugai-<role>@<name> runs here'

# backup.sh needs a node; it may be that of the packages only.
PATH=$home/node_modules/.bin:$PATH
back_up() {
  for data in "$lib"/*/middle "$lib"/*/inside; do
    [ -d "$data" ] || continue
    mkdir -p "$backup/$(basename "$(dirname "$data")")" || return 1
    sh "$here/backup.sh" "$data" "$backup/$(basename "$(dirname "$data")")/$(basename "$data")" || return 1
  done
}
has_room() {
  at=$backup
  until [ -e "$at" ]; do at=$(dirname "$at"); done
  needed=$(du -sck "$lib"/*/middle "$lib"/*/inside 2>/dev/null | tail -n 1 | cut -f 1)
  free=$(df -k --output=avail "$at" | tail -n 1)
  [ $((needed + needed / 10)) -lt $((free)) ]
}
answers() {
  role=${1#mugai-}
  role=${role%%@*}
  name=${1#*@}
  listen=$(sed -n 's/^[[:space:]]*MUGAI_OPS_LISTEN=//p' "$settings/${name%.service}-$role.env" | tail -n 1 | tr -d "\"' \t\r")
  node -e 'fetch(`http://${process.argv[1]}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' \
    "${listen:-127.0.0.1:9464}"
}
all_answer() {
  end=$(($(date +%s) + seconds))
  for unit in $1; do
    until answers "$unit"; do
      [ "$(date +%s)" -lt "$end" ] || { say "$unit gives no answer"; return 1; }
      sleep 1
    done
  done
}
all_answer "$running" ||
  refuse "nothing was changed: the new version will be asked where MUGAI_OPS_LISTEN in $settings says, and the one at work says nothing there (a unit that is stopped first is left out)"
# Beside its place first: the change itself is two renames.
rm -rf "$coming"
cp -a "$new" "$coming"
sync -f "$coming"
has_room || refuse "nothing was changed: the data are $needed KB, and there are $((free)) KB free for $backup"

why='it was broken off, so nothing was changed'
copied=
changed=
put_back() {
  [ -n "$changed" ] && [ -d "$before" ] || return 0
  if [ -d "$home" ]; then
    rm -rf "$coming"
    mv "$home" "$coming" || return 1
  fi
  mv "$before" "$home" || return 1
}
# However it ends: no unit stays stopped, and half a backup does not keep the disk full.
# shellcheck disable=SC2086 # units are words
go_on() {
  code=$?
  trap - EXIT
  trap '' HUP INT TERM PIPE QUIT
  set +e
  [ -z "$changed" ] || systemctl stop $units
  [ -n "$copied" ] || rm -rf "$backup"
  put_back || say "the version before is not back in its place: mv $before $home"
  if systemctl start $units; then
    say "$why; $from ${changed:-goes on}"
  else
    say "$why; systemctl start $(echo $units) failed: see to it"
  fi
  exit "$code"
}
say "from $from to $to: $(echo "$units" | tr '\n' ' ')"
trap go_on EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE
trap 'exit 131' QUIT
# shellcheck disable=SC2086
systemctl stop $units
if ! back_up; then
  why='there is no backup, so nothing was changed'
  exit 1
fi
copied=yes
rm -rf "$before"
changed='is at work again'
why="$to could not be put in place"
mv "$home" "$before"
mv "$coming" "$home"
sync -f "$home"
why="it was broken off, and $to lies at $coming"
(cd "$home" && node_modules/.bin/node src/mugai.js prepare) || say 'the compiled code is not kept: programs start slower'
# shellcheck disable=SC2086
if ! { systemctl start $units && all_answer "$units"; }; then
  why="$to did not start and lies at $coming (journalctl tells why)"
  exit 1
fi
trap - EXIT HUP INT TERM PIPE QUIT
say "$to is at work; $from stays at $before, the data as they were in $backup"
for unit in "$home"/docs/ops/systemd/*.service; do
  other=$placed/$(basename "$unit")
  [ ! -f "$other" ] || cmp -s "$unit" "$other" || say "$other is another than $unit: compare them, then systemctl daemon-reload and a restart"
done
