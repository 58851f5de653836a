#!/usr/bin/env bash
# Writes the types of the API from api/openapi.json.
# Usage: types.sh [OUT]   OUT defaults to src/api.d.ts
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules/preact ] || npm ci --ignore-scripts --no-audit --no-fund
# A field with a default may be left out of a request.
npx --no-install openapi-typescript ../api/openapi.json --default-non-nullable=false -o "${1:-src/api.d.ts}" >/dev/null
