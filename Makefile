# Everything a developer of Coffer runs. `make test` needs nothing installed but Go.
.PHONY: run test check bench fuzz web docs

# The server, with its data in ./data.
run:
	go run ./cmd/coffer serve

# Every test with every service; installs what is missing where it may.
test:
	test/run

# What must hold before a commit, in under a minute.
check:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...

# The figures of bench/RESULTS.md, each beside its limit in the same run.
bench:
	bench/run

# Each fuzz target for FUZZTIME (default 30s).
FUZZTIME ?= 30s
fuzz:
	@go list -f '{{.ImportPath}}' ./... | while read -r pkg; do \
		for target in $$(go test -list '^Fuzz' "$$pkg" | grep '^Fuzz'); do \
			echo "== $$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$pkg" || exit 1; \
		done; \
	done

# The web app: types, then web/dist.
web:
	web/build.sh

# What is generated from the code: the OpenAPI document, its types, the lists of settings and errors.
docs:
	COFFER_WRITE_DOCS=1 go test ./cmd/coffer -run TestDocs -count=1
	@# Again: the document holds the list of codes that the first run wrote.
	COFFER_WRITE_DOCS=1 go test ./cmd/coffer -run TestDocs -count=1
	cd web && { [ -d node_modules/preact ] || npm ci --ignore-scripts --no-audit --no-fund; } && npx --no-install openapi-typescript ../api/openapi.json -o src/api.d.ts
