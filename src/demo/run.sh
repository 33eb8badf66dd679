#!/bin/sh
# `npm run demo` on a fresh machine: installs the packages when they are missing or outdated, then runs the demo.
set -eu
cd "$(dirname "$0")/../.."

if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo 'Installing the packages (once; a minute or two) ...'
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

# The packages bring their own Node 26.
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 26 ]; then
  echo "Node 26 is needed and this is $(node --version): the packages bring one for Linux on x64 and arm64; install it yourself elsewhere." >&2
  exit 1
fi
# The children of the gateway start in a third of the time then; what cannot be kept here is no fault.
[ -e node_modules/.cache/mugai-children/made-of ] || node src/mugai.js prepare >/dev/null 2>&1 || true
exec node src/demo/main.ts "$@"
