#!/bin/sh
# restore.sh BACKUP DATA: puts what backup.sh copied into a data folder that is not there yet, or empty. Owner and modes are those of the
# backup; whoever restores for another user runs this as root. The folder appears whole or not at all.
set -eu
refuse() {
  echo "restore.sh: $1" >&2
  exit 2
}
[ $# -eq 2 ] || refuse 'BACKUP and DATA are needed'
backup=$1
data=${2%/}
[ -n "$data" ] || refuse "$2 is no place for a data folder"
[ -d "$backup/spool" ] || [ -d "$backup/outbox" ] || [ -d "$backup/inner" ] || refuse "$backup is no backup of a gateway"
[ ! -e "$backup/.unfinished" ] || refuse "$backup was not copied to its end"
[ ! -e "$data" ] || [ -z "$(ls -A "$data")" ] || refuse "$data is not empty: a running gateway's data is not written over"
coming=$data.restoring
rm -rf "$coming"
cp -a "$backup" "$coming"
sync -f "$coming"
[ ! -e "$data" ] || rmdir "$data"
mv "$coming" "$data"
sync -f "$data"
