#!/bin/sh
# make-secrets.sh FOLDER: passwords of the queue's Redis for docker-compose.yml, made once: `redis-users.acl` for Redis,
# `queue-of-door` and `queue-of-worker` (MUGAI_QUEUE_URL_FILE) for the two who may sign in. The folder is its owner's only; these
# files, and the public keys in `inner`, can be read by the users of the containers, who see nothing but the ones that are theirs.
# The private keys in `middle` become the property of the image's user, and nobody else reads them. MUGAI_CONTAINER_UID: that user
# as the host knows him, where it is not 1000 (an engine without root maps users: `podman unshare` runs this with such a map).
set -eu
folder=$1
here=$(dirname "$0")
owner=${MUGAI_CONTAINER_UID:-1000}
secret() {
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}
if [ -e "$folder/redis-users.acl" ]; then
  echo "$folder/redis-users.acl is there already: nothing was changed" >&2
  exit 1
fi
for key in "$folder"/middle/*.pem; do
  [ -e "$key" ] || continue
  if [ "$(stat -c %u "$key")" -ne "$owner" ] && ! chown "$owner:$owner" "$key"; then
    echo "make-secrets.sh: $key must be the property of user $owner, whom the containers run as: run this as root" >&2
    exit 1
  fi
  chmod 400 "$key"
done
umask 077
mkdir -p "$folder"
chmod 700 "$folder"
door=$(secret)
worker=$(secret)
# Redis reads no comments in such a file.
sed -e '/^#/d' -e "s/CHANGE-ME-DOOR/$door/" -e "s/CHANGE-ME-WORKER/$worker/" "$here/redis-users.acl" >"$folder/redis-users.acl"
printf 'redis://mugai-door:%s@redis:6379\n' "$door" >"$folder/queue-of-door"
printf 'redis://mugai-worker:%s@redis:6379\n' "$worker" >"$folder/queue-of-worker"
for file in redis-users.acl queue-of-door queue-of-worker; do
  chmod 444 "$folder/$file"
done
for zone in middle inner; do
  [ -d "$folder/$zone" ] || continue
  chmod 755 "$folder/$zone"
done
for key in "$folder"/inner/*.pem; do
  [ ! -e "$key" ] || chmod 444 "$key"
done
