#!/bin/sh
# backup.sh DATA TARGET: copies a data folder of a gateway that goes on working. The order matters: a message may move on
# meanwhile, so each stage is copied before the one after it; what is copied twice is done once. Restore: `restore.sh TARGET DATA`,
# and start. Mail that was delivered after the copy is delivered again, with the same Message-ID.
set -eu
refuse() {
  echo "backup.sh: $1" >&2
  exit 2
}
[ $# -eq 2 ] || refuse 'DATA and TARGET are needed'
data=$1
target=$2
stores='keys policy spool outbox requests inner delivered journal'
found=
for store in $stores; do [ ! -d "$data/$store" ] || found=yes; done
[ -n "$found" ] || refuse "$data is no data folder of a gateway: none of $stores is in it"
mkdir -p "$target"
[ -z "$(ls -A "$target")" ] || refuse "$target is not empty: a backup mixed with another is none"
chmod 700 "$target"
: >"$target/.unfinished" # until all of it is there: restore.sh takes nothing that has it
said=$target/.said
failed=$target/.failed
rm -f "$said" "$failed"
for store in $stores; do
  [ -d "$data/$store" ] || continue
  # 1: a file changed or vanished while it was read, which is no fault; unfinished files and locks are none of a backup's.
  # What could not be read at all is one, and a copy that lacks it no backup.
  {
    tar -C "$data" --exclude="$store/tmp/*" --exclude='.lock' --exclude='.under-way' -cf - "$store" 2>"$said" ||
      [ $? -eq 1 ] || echo "$store" >"$failed"
  } | tar -C "$target" -xpf - || exit 1
  if [ -e "$failed" ]; then
    cat "$said" >&2
    echo "backup.sh: $store could not be read as a whole: this is no backup" >&2
    rm -f "$said" "$failed"
    exit 1
  fi
  rm -f "$said"
done
# Databases by their own means: a copy of the file of one that is open may be torn. The list of messages is made anew.
if [ -f "$data/portal/accounts.sqlite" ]; then
  mkdir -p "$target/portal"
  node -e 'const { DatabaseSync } = require("node:sqlite"); new DatabaseSync(process.argv[1], { readOnly: true }).exec(`VACUUM INTO \x27${process.argv[2]}\x27`);' \
    "$data/portal/accounts.sqlite" "$target/portal/accounts.sqlite"
fi
sync -f "$target"
rm "$target/.unfinished"
sync -f "$target"
