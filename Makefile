# Everything a developer of Coffer runs. `make test` needs nothing installed but Go.
.PHONY: run dev test check cover e2e bench fuzz web docs

# The server, with its data in ./data.
run:
	go run ./cmd/coffer serve

# The same with the web app from web/dist, built anew at each change of web/src.
dev:
	web/dev.sh

# Every test with every service; installs what is missing where it may.
test:
	test/run

# What must hold before a commit, in about a minute: Go, generated documents, the types of
# the API, web/dist. It compiles as the program does, so both share what is compiled.
check: export CGO_ENABLED = 0
check:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go test -count=1 ./internal/arch
	go test -count=1 ./cmd/coffer -run '^TestDocs$$'
	go test -count=1 ./internal/habit -run '^TestFigures$$|^TestCampaigns$$'
	@if command -v npm >/dev/null; then web/check.sh; \
	elif [ "$$COFFER_TEST_REQUIRE" = 1 ]; then echo "npm is missing, so the web app cannot be checked"; exit 1; \
	else echo "npm is missing: the web app is not checked"; fi

# Coverage by package: how much of a package its own tests reach.
cover:
	go test -cover ./internal/... ./client/... ./cmd/...

# The stories that are told to the built program; with services where COFFER_TEST_* names them.
e2e:
	go test -count=1 ./test/e2e

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

# web/dist, from web/src.
web:
	web/build.sh

# What is generated from the code: the OpenAPI document, its types, the lists of settings and errors.
docs:
	COFFER_WRITE_DOCS=1 go test ./cmd/coffer -run TestDocs -count=1
	web/types.sh
