#!/bin/sh
# pin-images.sh: asks the registries for the digests of the images that docker-compose.yml and Dockerfile name, and prints the
# lines of ./.env that pin them: `sh docs/ops/pin-images.sh >> .env`. Needs docker with buildx, and the registries.
set -eu
root=$(dirname "$0")/../..
images=$(sed -n -e 's/^ *NODE_IMAGE: *//p' -e 's/^ *image: *//p' "$root/docker-compose.yml" | grep 'DIGEST:-}')
for image in $images; do
  name=${image%%\$\{*}
  key=${image#*\$\{}
  digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$name")
  case $digest in
    sha256:*) echo "${key%%:*}=@$digest" ;;
    *) echo "no digest of $name: $digest" >&2; exit 1 ;;
  esac
done
