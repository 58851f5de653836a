package arch

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// sound is a small house without violations, following the real plan.
var sound = map[string]string{
	"go.mod":                               "module coffer\n\nrequire (\n\texample.org/wire v1.2.3\n\texample.org/wire/v2 v2.0.0 // indirect\n\texample.org/deep v0.1.0 // indirect\n)\n\ntool example.org/wire/cmd/x\n",
	"docs/design/0001-house.md":            soundPage(),
	"docs/dependencies.md":                 "example.org/wire because it wires.\n",
	"internal/fault/fault.go":              "// Package fault is the one error type a room may show the world: kind, code, detail, cause.\npackage fault\n",
	"internal/db/db.go":                    "// Package db opens and migrates SQLite or PostgreSQL; every statement is\n// written once.\npackage db\nimport (\n\t\"coffer/internal/fault\"\n\t\"example.org/wire/sub\"\n)\ntype two interface { A(); B() }\n",
	"internal/db/db_test.go":               "package db\nimport (\n\t\"testing\"\n\t\"coffer/internal/db/dbtest\"\n)\n",
	"internal/db/dbtest/dbtest.go":         "// Package dbtest gives tests fresh, migrated databases of every engine.\npackage dbtest\nimport (\n\t\"testing\"\n\t\"coffer/internal/db\"\n)\n",
	"internal/rest/rest.go":                "// Package rest is what every HTTP room shares: errors to problem documents, authentication state, decoding, operations to OpenAPI.\npackage rest\n",
	"internal/totp/totp.go":                "// Package totp is the layer of one-time codes from an authenticator app (RFC 6238).\npackage totp\nimport \"coffer/internal/db\"\n",
	"internal/totp/http.go":                "package totp\nimport (\n\t\"net/http\"\n\t\"coffer/internal/rest\"\n\t\"math/rand/v2\"\n)\n",
	"internal/totp/store.go":               "package totp\nimport \"coffer/internal/db\"\n",
	"internal/totp/store_test.go":          "package totp_test\nimport (\n\t\"net/http\"\n\t\"coffer/internal/rest\"\n\t\"coffer/internal/server\"\n)\n",
	"internal/file/file.go":                "// Package file is an account's tree of folders and files: upload, list, rename, move, delete, download.\npackage file\n",
	"internal/server/server.go":            "// Package server is all rooms as one handler and one set of jobs.\npackage server\nimport \"coffer/internal/rest\"\n",
	"cmd/coffer/main.go":                   "// Command coffer is the one binary.\npackage main\nimport \"coffer/internal/db\"\nfunc main() {}\n",
	"cmd/coffer/serve.go":                  "package main\nimport \"coffer/internal/totp\"\n",
	"client/client.go":                     "// Package client is the Go client.\npackage client\n",
	"internal/db/migrations/0001_db.sql":   "",
	"internal/db/migrations/0002_totp.sql": "CREATE TABLE totp (account TEXT);",
}

// soundPage is the table of the plan.
func soundPage() (text string) {
	for name, place := range plan {
		text += fmt.Sprintf("| %d | `%s` |\n", place.floor, name)
	}
	return text
}

// TestRulesNotice breaks the sound house once for every case of every rule.
func TestRulesNotice(t *testing.T) {
	long := strings.Repeat("\n", maxFileLines+1)
	body := strings.Repeat("\t_ = 1\n", maxFuncLines)
	tests := []struct {
		rule, name, file, text, want string
	}{
		{"floors", "up", "internal/db/up.go", "package db\nimport \"coffer/internal/totp\"\n", "imports totp on floor"},
		{"floors", "up from a test", "internal/db/up_test.go", "package db\nimport \"coffer/internal/totp\"\n", "imports totp on floor"},
		{"floors", "sideways", "internal/totp/side.go", "package totp\nimport \"coffer/internal/file\"\n", "imports file on floor"},
		{"floors", "ground sideways", "internal/rest/side.go", "package rest\nimport \"coffer/internal/db\"\n", "imports db on floor"},
		{"floors", "kit of another", "internal/db/dbtest/up.go", "package dbtest\nimport \"coffer/internal/rest\"\n", "imports rest on floor"},
		{"floors", "no floor", "internal/attic/attic.go", "package attic\n", "no floor"},

		{"callers", "nobody", "internal/totp/extra.go", "package totp\nfunc Extra() {}\n", "Extra has no caller"},
		{"tables", "of another room", "internal/file/up_store.go", "package file\nconst q = `SELECT 1 FROM totp WHERE TRUE`\n", "a table of totp"},
		{"doors", "database at the door", "internal/totp/http.go", "package totp\nimport \"coffer/internal/db\"\n", "imports coffer/internal/db"},
		{"doors", "SQL at the door", "internal/totp/admin_http.go", "package totp\nimport \"database/sql\"\n", "imports database/sql"},
		{"doors", "HTTP in the store", "internal/totp/store.go", "package totp\nimport \"net/http\"\n", "imports net/http"},
		{"doors", "rest in a store", "internal/totp/rewrap_store.go", "package totp\nimport \"coffer/internal/rest\"\n", "imports coffer/internal/rest"},

		{"neighbours", "client looks in", "client/in.go", "package client\nimport \"coffer/internal/fault\"\n", "client may not import"},
		{"neighbours", "client's tests look in", "client/in_test.go", "package client\nimport \"coffer/internal/db\"\n", "client may not import"},
		{"neighbours", "bench looks in", "bench/main.go", "package main\nimport \"coffer/internal/db\"\n", "bench may not import"},
		{"neighbours", "second wiring", "cmd/coffer/keys.go", "package main\nimport \"coffer/internal/totp\"\n", "the only wiring"},
		{"neighbours", "server elsewhere", "cmd/coffer/keys.go", "package main\nimport \"coffer/internal/server\"\n", "the only wiring"},
		{"neighbours", "a command for a library", "internal/file/x.go", "package file\nimport \"coffer/cmd/coffer\"\n", "imports the command"},
		{"neighbours", "out of the house", "internal/file/x.go", "package file\nimport \"coffer/client\"\n", "from outside the house"},
		{"neighbours", "new folder", "attic/attic.go", "package attic\n", "nobody knows"},

		{"kits", "kit", "internal/totp/x.go", "package totp\nimport \"coffer/internal/db/dbtest\"\n", "for tests"},
		{"kits", "testing", "internal/totp/x.go", "package totp\nimport \"testing\"\n", "for tests"},
		{"kits", "fstest", "internal/totp/x.go", "package totp\nimport \"testing/fstest\"\n", "for tests"},
		{"kits", "go-cmp", "cmd/coffer/x.go", "package main\nimport \"github.com/google/go-cmp/cmp\"\n", "for tests"},

		{"package docs", "none", "internal/fault/fault.go", "package fault\n", "0 package docs"},
		{"package docs", "two", "internal/fault/more.go", "// Package fault is more.\npackage fault\n", "2 package docs"},
		{"package docs", "two, one in a test", "internal/fault/x_test.go", "// Tests of fault.\npackage fault_test\n", "2 package docs"},
		{"package docs", "other charter", "internal/fault/fault.go", "// Package fault is errors and more.\npackage fault\n", "does not say its charter"},
		{"package docs", "other name", "internal/fault/fault.go", "// Package faults is the one error type a room may show the world: kind, code, detail, cause.\npackage fault\n", "does not begin"},
		{"package docs", "command", "cmd/coffer/main.go", "// The one binary.\npackage main\n", "does not begin"},

		{"names", "package", "internal/util/x.go", "package util\n", "says nothing"},
		{"names", "file", "internal/db/helpers.go", "package db\n", "says nothing"},
		{"names", "part of a file", "internal/db/common_test.go", "package db\n", "says nothing"},
		{"names", "folder", "internal/db/misc/x.go", "package x\n", "says nothing"},

		{"budgets", "file", "internal/db/long.go", "package db\n" + long, "lines, at most"},
		{"budgets", "function", "internal/db/long.go", "package db\nfunc long() {\n" + body + "}\n", "long has"},
		{"budgets", "method of a test", "internal/db/long_test.go", "package db\nfunc (x y) long() {\n" + body + "}\n", "long has"},

		{"interfaces", "six", "internal/db/x.go", "package db\ntype x interface { A(); B(); C(); D(); E(); F() }\n", "6 methods"},
		{"interfaces", "embedded", "internal/db/x.go", "package db\ntype x interface { two; C(); D(); E(); F() }\n", "6 methods"},
		{"interfaces", "nameless", "internal/db/x.go", "package db\nvar x interface { A(); B(); C(); D(); E(); F() }\n", "6 methods"},
		{"interfaces", "of others", "internal/db/x.go", "package db\ntype x interface { io.Reader; B(); C(); D(); E(); F() }\n", "6 methods"},

		{"init", "init", "internal/db/x.go", "package db\nfunc init() {}\n", "unasked"},

		{"random", "v1", "internal/db/x.go", "package db\nimport \"math/rand\"\n", "math/rand"},
		{"random", "v1 in a test", "internal/db/x_test.go", "package db\nimport r \"math/rand\"\n", "math/rand"},
		{"dependencies", "without a reason", "internal/db/x.go", "package db\nimport \"example.org/deep/x\"\n", "why example.org/deep "},
		{"dependencies", "longest name decides", "internal/db/x.go", "package db\nimport \"example.org/wire/v2/x\"\n", "why example.org/wire/v2 "},
		{"dependencies", "no reasons", "docs/dependencies.md", "", "why example.org/wire "},
		{"dependencies", "a tool", "go.mod", strings.Replace(sound["go.mod"], "tool example.org/wire/cmd/x", "tool (\n\texample.org/deep/cmd\n)", 1), "why example.org/deep "},
		{"page", "a package too many", housePage, soundPage() + "| 6 | `attic` |\n", "names attic"},
		{"page", "other floor", housePage, soundPage() + "| 9 | `db` |\n", "puts db on floor 9"},
		{"page", "a package missing", housePage, strings.ReplaceAll(soundPage(), "`kv`", "kv"), "does not name kv"},
		{"migrations", "no room", "internal/db/migrations/0003_attic.sql", "", "no room attic"},
		{"migrations", "taken number", "internal/db/migrations/0002_file.sql", "", "has the number of"},
		{"migrations", "no number", "internal/db/migrations/file.sql", "", "NNNN_room"},
		{"migrations", "more than a room", "internal/db/migrations/0003_file_more.sql", "", "NNNN_room"},
	}
	broken := map[string]bool{}
	for _, test := range tests {
		broken[test.rule] = true
		t.Run(test.rule+"/"+test.name, func(t *testing.T) {
			texts := maps.Clone(sound)
			texts[test.file] = test.text
			got := check(t, texts)[test.rule]
			if len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), test.want) {
				t.Errorf("the rule says %q, want %q", got, test.want)
			}
		})
	}
	for _, r := range rules {
		if !broken[r.name] {
			t.Errorf("nothing breaks the rule for %s", r.name)
		}
	}
}

func TestManyDependenciesAreNoticed(t *testing.T) {
	texts := maps.Clone(sound)
	many, uses := "module coffer\n\nrequire (\n", "package db\nimport (\n"
	for i := range maxDependencies + 1 {
		m := "example.org/m" + strings.Repeat("x", i)
		many += "\t" + m + " v1.0.0\n"
		uses += "\t_ \"" + m + "\"\n"
	}
	texts["go.mod"], texts["internal/db/x.go"] = many+")\n", uses+")\n"
	if got := strings.Join(check(t, texts)["dependencies"], "\n"); !strings.Contains(got, fmt.Sprintf("at most %d", maxDependencies)) {
		t.Errorf("the rule says %q", got)
	}
}

func TestSoundHouse(t *testing.T) {
	for rule, complaints := range check(t, sound) {
		for _, c := range complaints {
			t.Errorf("%s: %s", rule, c)
		}
	}
}

func check(t *testing.T, texts map[string]string) map[string][]string {
	t.Helper()
	h, err := build(texts)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, r := range rules {
		got[r.name] = r.check(h)
	}
	return got
}
