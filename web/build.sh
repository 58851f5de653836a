#!/usr/bin/env bash
# Builds web/dist from web/src. The same source and lock file give the same bytes.
# Usage: build.sh [OUT]   OUT defaults to web/dist
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-dist}
[ -d node_modules/preact ] || npm ci --ignore-scripts --no-audit --no-fund

mkdir -p "$out"
go tool esbuild src/main.tsx --bundle --minify --format=esm --target=es2022 --charset=utf8 \
	--jsx=automatic --jsx-import-source=preact --log-level=warning --outfile="$out/app.js"
go tool esbuild src/style/app.css --bundle --minify --charset=utf8 --log-level=warning --outfile="$out/app.css"
cp src/index.html src/favicon.svg "$out/"

# What is bundled keeps its licence.
for module in preact @preact/signals @preact/signals-core; do
	printf '== %s ==\n\n' "$module"
	cat "node_modules/$module/LICENSE"
	printf '\n'
done >"$out/licenses.txt"
