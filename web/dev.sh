#!/usr/bin/env bash
# Runs the server with the web app of web/dist, and builds that anew at each change of web/src:
# reload the page to see it.
set -euo pipefail
cd "$(dirname "$0")/.."
set -m # each job gets a process group, so that it ends with its children
web/build.sh dist --watch=forever &
builder=$!
go run ./cmd/coffer serve --web-dir=web/dist &
server=$!
trap 'exit 130' INT TERM
trap 'kill -INT -- "-$server" 2>/dev/null; kill -- "-$builder" 2>/dev/null; wait' EXIT
wait "$server"
