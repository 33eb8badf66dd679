#!/bin/sh
# Brings what the tests need from the system (system-packages.txt). Installs when it may; otherwise says what is missing.
set -eu
here=$(dirname "$0")
missing=""
for package in $(cat "$here/system-packages.txt"); do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
# Hundreds of gateways and children are started: what Node makes of our code is kept once.
node "$here/../../src/mugai.js" prepare >/dev/null
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing for the tests:$missing"
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # A service that starts by itself would hold ports: refuse every start during the installation.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  # shellcheck disable=SC2086
  if apt-get update >"$log" 2>&1 && apt-get install -y --no-install-recommends $missing >>"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -n 20 "$log"
fi
echo "the tests need these packages of the system; install them with: apt-get install --no-install-recommends$missing" >&2
exit 1
