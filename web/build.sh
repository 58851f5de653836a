#!/usr/bin/env bash
# Builds web/dist from web/src. The same source and lock file give the same bytes; the
# server compresses them.
# Usage: build.sh [OUT [ESBUILD-FLAG…]]   OUT defaults to dist; --watch=forever goes on building.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-dist}
[ -d node_modules/preact ] || npm ci --ignore-scripts --no-audit --no-fund

mkdir -p "$out"
# What is bundled keeps its licence.
for module in preact @preact/signals @preact/signals-core @simplewebauthn/browser @noble/curves @noble/hashes qr tus-js-client js-base64 url-parse querystringify requires-port; do
	printf '== %s ==\n\n' "$module"
	cat "node_modules/$module"/LICENSE*
	printf '\n'
done >"$out/licenses.txt"

exec go tool esbuild app=src/main.tsx drop-worker=src/drop/worker.ts index=src/index.html favicon=src/favicon.svg --bundle --format=esm --target=es2022 --charset=utf8 \
	--jsx=automatic --jsx-import-source=preact --loader:.html=copy --loader:.svg=copy --log-level=warning --outdir="$out" "${@:2}"
