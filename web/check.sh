#!/usr/bin/env bash
# Checks that the types of the API are those of api/openapi.json, that the source keeps
# them, and that web/dist is exactly what web/src builds.
set -euo pipefail
cd "$(dirname "$0")"
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
./types.sh "$fresh/api.d.ts"
diff "$fresh/api.d.ts" src/api.d.ts || { echo "web/src/api.d.ts is not what api/openapi.json says: run make docs" >&2; exit 1; }
npx --no-install tsc --noEmit
./build.sh "$fresh/dist"
diff -r "$fresh/dist" dist || { echo "web/dist is not what web/src builds: run make web" >&2; exit 1; }
