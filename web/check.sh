#!/usr/bin/env bash
# Checks the types, and that web/dist is exactly what web/src builds.
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules/preact ] || npm ci --ignore-scripts --no-audit --no-fund
npx --no-install tsc --noEmit

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
./build.sh "$fresh/dist"
diff -r "$fresh/dist" dist || { echo "web/dist is not what web/src builds: run make web" >&2; exit 1; }

if [ -f ../api/openapi.json ]; then
	npx --no-install openapi-typescript ../api/openapi.json -o "$fresh/api.d.ts" >/dev/null
	diff "$fresh/api.d.ts" src/api.d.ts || { echo "web/src/api.d.ts is not what api/openapi.json says: run make web" >&2; exit 1; }
fi
