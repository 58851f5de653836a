package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/server"
	"coffer/web"
)

// TestDocs compares the committed generated files with the output of the code. With
// COFFER_WRITE_DOCS=1, as in `make docs`, it writes the files instead.
func TestDocs(t *testing.T) {
	root, write := "../..", os.Getenv("COFFER_WRITE_DOCS") == "1"
	check := func(path string, want []byte) { compare(t, path, want, write) }
	operations := filepath.Join(root, "docs/operations.md")
	now, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	var c cli
	k, err := newParser(t.Context(), &c, dotenv{})
	if err != nil {
		t.Fatal(err)
	}
	var settings bytes.Buffer
	writeSettings(&settings, serveNode(t, k))
	settings.WriteString("\n")
	page := replaceBetween(t, now, "<!-- settings: generated -->\n", "<!-- end of settings -->\n", settings.Bytes())
	page = replaceBetween(t, page, "<!-- retention: generated -->\n", "<!-- end of retention -->\n", retention(t))
	var limits bytes.Buffer
	writeLimits(t, &limits)
	page = replaceBetween(t, page, "<!-- limits: generated -->\n", "<!-- end of limits -->\n", limits.Bytes())
	check(operations, page)

	check(filepath.Join(root, "docs/errors.md"), errorsDocument(declaredCodes(t), scanFields(t, filepath.Join(root, "internal"))))

	document, err := openAPI(t.Context(), defaultSettings(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(root, "api/openapi.json"), document)
}

// replaceBetween replaces what a page has between two marks.
func replaceBetween(t *testing.T, page []byte, begin, end string, text []byte) []byte {
	t.Helper()
	before, after, ok1 := bytes.Cut(page, []byte(begin))
	_, after, ok2 := bytes.Cut(after, []byte(end))
	if !ok1 || !ok2 {
		t.Fatalf("the page has no %q … %q", begin, end)
	}
	return slices.Concat(before, []byte(begin), text, []byte(end), after)
}

// retention is the table of what periodic work removes.
func retention(t *testing.T) []byte {
	t.Helper()
	s := defaultSettings(t)
	s.moveTo(t.TempDir())
	a, err := openApp(t.Context(), &s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	var b bytes.Buffer
	b.WriteString("\n| table | its rows stay | removed by | every |\n| --- | --- | --- | --- |\n")
	for _, r := range a.jobs.Removals() {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", r.Table, keptFor(r.Age), r.By, limit.Short(r.Every))
	}
	b.WriteString("\n")
	return b.Bytes()
}

// declaredCodes are the codes of the rooms' operations and of the server itself.
func declaredCodes(t *testing.T) []rest.CodeInfo {
	t.Helper()
	s := defaultSettings(t)
	s.moveTo(t.TempDir())
	log := slog.New(slog.DiscardHandler)
	a, err := openApp(t.Context(), &s, log)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if _, err := server.New(server.Config{API: a.api, Web: web.Dist, Log: log}); err != nil {
		t.Fatal(err)
	}
	return a.api.Codes()
}

// defaultSettings are the settings of a start in an empty environment.
func defaultSettings(t *testing.T) Settings {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "COFFER_") {
			t.Setenv(name, "") // restored after the test
			os.Unsetenv(name)
		}
	}
	var c cli
	k, err := newParser(t.Context(), &c, dotenv{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse([]string{"serve"}); err != nil {
		t.Fatal(err)
	}
	return c.Serve.Settings
}

// serveNode is the command whose flags include every setting.
func serveNode(t *testing.T, k *kong.Kong) *kong.Node {
	t.Helper()
	for _, n := range k.Model.Children {
		if n.Name == "serve" {
			return n
		}
	}
	t.Fatal("there is no command serve")
	return nil
}

func compare(t *testing.T, path string, want []byte, write bool) {
	t.Helper()
	if write {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		lines := strings.Split(diff, "\n")
		t.Errorf("%s is not what the code makes: run make docs (-code +committed)\n%s", path, strings.Join(lines[:min(len(lines), 40)], "\n"))
	}
}

// fields are the details of refused values: code → sentences.
type fields map[string]map[string]bool

// scanFields reads every fault.InvalidField(…) and fault.Field{…} below dir with a literal
// code.
func scanFields(t *testing.T, dir string) fields {
	t.Helper()
	found := fields{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if name := selector(n.Fun); strings.HasSuffix(name, ".InvalidField") || name == "InvalidField" {
					found.add(text(n.Args[1]), text(n.Args[2]))
				}
			case *ast.CompositeLit:
				values := map[string]ast.Expr{}
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok {
						values[fmt.Sprint(kv.Key)] = kv.Value
					}
				}
				if name := selector(n.Type); name == "fault.Field" || name == "Field" {
					found.add(text(values["Code"]), text(values["Detail"]))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (f fields) add(code, detail string) {
	if code == "" {
		return
	}
	if f[code] == nil {
		f[code] = map[string]bool{}
	}
	if detail != "" {
		f[code][detail] = true
	}
}

func selector(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return selector(e.X) + "." + e.Sel.Name
	}
	return ""
}

// text returns a string literal, or the format of a Sprintf.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return s
		}
	case *ast.CallExpr:
		if selector(e.Fun) == "fmt.Sprintf" {
			return strings.NewReplacer("%d", "…", "%s", "…").Replace(text(e.Args[0]))
		}
	}
	return ""
}

func errorsDocument(codes []rest.CodeInfo, found fields) []byte {
	var b bytes.Buffer
	b.WriteString(`# Errors

Every refusal is a problem document (RFC 9457, ` + "`application/problem+json`" + `): ` + "`type`, `title`, `status`, `detail`, `code`, `request_id`" + `, and
` + "`errors[]`" + ` (` + "`pointer`, `code`, `detail`" + `) where values of the request are refused. ` + "`code`" + ` is stable; ` + "`detail`" + ` is for people and may change.
` + "`request_id`" + ` names the request in the server's log, also in the header ` + "`X-Request-Id`" + `. This page is made from the code by ` + "`make docs`" + `.

## Codes

| code | status | what it says |
| --- | --- | --- |
`)
	for _, c := range codes {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", c.Code, c.Status, strings.Join(c.Meaning, "<br>"))
	}
	b.WriteString("\n## Codes of fields\n\nIn `errors[]` of `validation_failed` and `invalid_json`.\n\n| code | what it says |\n| --- | --- |\n")
	for _, code := range slices.Sorted(maps.Keys(found)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", code, strings.Join(slices.Sorted(maps.Keys(found[code])), "<br>"))
	}
	return b.Bytes()
}

// TestDropsPage compares docs/drops.md with the flags of send and receive.
func TestDropsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/drops.md")
	if err != nil {
		t.Fatal(err)
	}
	var c cli
	k, err := newParser(t.Context(), &c, dotenv{})
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]bool{"no-qr": true} // the other form of --qr
	for _, n := range k.Model.Children {
		if n.Name != "send" && n.Name != "receive" {
			continue
		}
		for _, f := range n.Flags {
			flags[f.Name] = true
			if f.Name != "qr" && !bytes.Contains(page, []byte("`--"+f.Name)) {
				t.Errorf("the page does not have --%s of %s", f.Name, n.Name)
			}
		}
	}
	for _, m := range regexp.MustCompile("`--([a-z-]+)").FindAllSubmatch(page, -1) {
		if !flags[string(m[1])] {
			t.Errorf("the page has --%s, and no command does", m[1])
		}
	}
	for _, status := range []int{exitCode, exitInterrupt} {
		if !bytes.Contains(page, fmt.Appendf(nil, "\n| %d | ", status)) {
			t.Errorf("the page does not have status %d", status)
		}
	}
}

// TestAdminPage compares docs/admin.md with the fields by which an admin changes an account.
func TestAdminPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/admin.md")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := openAPI(t.Context(), defaultSettings(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Enum []any `json:"enum"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	fields := document.Components.Schemas["AdminUpdateAccountPatchAccountInputBody"].Properties
	if len(fields) < 5 {
		t.Fatalf("the document has the fields %v", fields)
	}
	for name, field := range fields {
		row := regexp.MustCompile("(?m)^\\| `" + name + "` \\| (.*) \\|$").FindSubmatch(page)
		if row == nil {
			t.Errorf("the page does not have %s", name)
			continue
		}
		for _, value := range field.Enum {
			if !bytes.Contains(row[1], fmt.Appendf(nil, "`%v`", value)) {
				t.Errorf("the page does not have %v of %s", value, name)
			}
		}
	}
}
