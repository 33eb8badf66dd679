#!/bin/sh
# upgrade.sh NEW BACKUP: puts another version of Mugai (a checkout or an unpacked bundle in which `npm ci --omit=dev` was run) in the place
# of the one at work on this machine, however full its queues are: stops the units that run, copies every data folder into BACKUP, puts NEW
# in place, and starts the same units. What was accepted lies in spool and outbox and goes on; who sends meanwhile finds no door and comes
# again. Where there is no backup, or a unit of the new version does not answer, the version before is started again. It stays at
# /opt/mugai.before. MUGAI_HOME, MUGAI_DATA, MUGAI_SETTINGS: other places than /opt/mugai, /var/lib/mugai, /etc/mugai.
set -eu
home=${MUGAI_HOME:-/opt/mugai}
lib=${MUGAI_DATA:-/var/lib/mugai}
settings=${MUGAI_SETTINGS:-/etc/mugai}
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
[ -d "$home" ] || refuse "$home is not there; if an upgrade was broken off: mv $before $home"
to=$(runs_in "$new") || refuse "$new is no version that runs here: is \`npm ci --omit=dev\` done in it?"
from=$(runs_in "$home") || refuse "$home is no version that runs here"
[ ! -e "$backup" ] || [ -z "$(ls -A "$backup")" ] || refuse "$backup is not empty: a backup mixed with another is none"
[ ! -e "$before" ] || [ -f "$before/src/mugai.js" ] || refuse "$before is no version of Mugai, and in the way"
units=$(systemctl list-units 'mugai-*@*.service' --state=active --plain --no-legend | sed 's/ .*//')
[ -n "$units" ] || refuse 'no unit mugai-<role>@<name> runs here'
# Beside its place first: the change itself is two renames.
rm -rf "$coming"
cp -a "$new" "$coming"
sync -f "$coming"

# backup.sh needs a node; it may be that of the packages only.
PATH=$home/node_modules/.bin:$PATH
back_up() {
  for data in "$lib"/*/middle "$lib"/*/inside; do
    [ -d "$data" ] || continue
    mkdir -p "$backup/$(basename "$(dirname "$data")")" || return 1
    sh "$here/backup.sh" "$data" "$backup/$(basename "$(dirname "$data")")/$(basename "$data")" || return 1
  done
}
answers() {
  role=${1#mugai-}
  role=${role%%@*}
  name=${1#*@}
  listen=$(sed -n 's/^MUGAI_OPS_LISTEN=//p' "$settings/${name%.service}-$role.env" | tail -n 1)
  node -e 'fetch(`http://${process.argv[1]}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' \
    "${listen:-127.0.0.1:9464}"
}
all_answer() {
  end=$(($(date +%s) + seconds))
  for unit in $units; do
    until answers "$unit"; do
      [ "$(date +%s)" -lt "$end" ] || { say "$unit gives no answer"; return 1; }
      sleep 1
    done
  done
}
take_back() {
  # shellcheck disable=SC2086 # units are words
  systemctl stop $units || true
  rm -rf "$coming"
  mv "$home" "$coming" && mv "$before" "$home"
}

say "from $from to $to: $(echo "$units" | tr '\n' ' ')"
# shellcheck disable=SC2086
systemctl stop $units
if ! back_up; then
  # shellcheck disable=SC2086
  systemctl start $units
  say "there is no backup, so nothing was changed; $from goes on"
  exit 1
fi
rm -rf "$before"
mv "$home" "$before"
mv "$coming" "$home"
sync -f "$home"
(cd "$home" && node_modules/.bin/node src/mugai.js prepare) || say 'the compiled code is not kept: programs start slower'
# shellcheck disable=SC2086
if systemctl start $units && all_answer; then
  say "$to is at work; $from stays at $before, the data as they were in $backup"
  exit 0
fi
take_back
# shellcheck disable=SC2086
systemctl start $units
say "$to did not start and lies at $coming (journalctl tells why); $from is at work again"
exit 1
