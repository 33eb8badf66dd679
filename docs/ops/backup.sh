#!/bin/sh
# backup.sh DATA TARGET: copies a data folder of a gateway that goes on working. The order matters: a message may move on
# meanwhile, so each stage is copied before the one after it; what is copied twice is done once. Restore: put TARGET in the
# place of DATA and start. Mail that was delivered after the copy is delivered again, with the same Message-ID.
set -eu
data=$1
target=$2
mkdir -p "$target"
chmod 700 "$target"
for store in keys policy spool outbox requests inner delivered journal; do
  [ -d "$data/$store" ] || continue
  # 1: a file changed or vanished while it was read; unfinished files and locks are none of a backup's.
  tar -C "$data" --exclude="$store/tmp/*" --exclude='.lock' --exclude='.under-way' -cf - "$store" 2>/dev/null | tar -C "$target" -xpf - || exit 1
done
# Databases by their own means: a copy of the file of one that is open may be torn. The list of messages is made anew.
if [ -f "$data/portal/accounts.sqlite" ]; then
  mkdir -p "$target/portal"
  node -e 'const { DatabaseSync } = require("node:sqlite"); new DatabaseSync(process.argv[1], { readOnly: true }).exec(`VACUUM INTO \x27${process.argv[2]}\x27`);' \
    "$data/portal/accounts.sqlite" "$target/portal/accounts.sqlite"
fi
sync -f "$target"
