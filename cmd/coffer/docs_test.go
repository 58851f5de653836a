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
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/fault"
	"coffer/internal/rest"
)

// TestDocs compares what is generated and committed with what the code makes now. With
// COFFER_WRITE_DOCS=1, as in `make docs`, it writes the files instead.
func TestDocs(t *testing.T) {
	root, write := "../..", os.Getenv("COFFER_WRITE_DOCS") == "1"
	check := func(path string, want []byte) { compare(t, path, want, write) }
	found := scanFaults(t, filepath.Join(root, "internal"))
	codes, err := json.MarshalIndent(found.codes(), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(root, "internal/rest/codes.json"), append(codes, '\n'))
	check(filepath.Join(root, "docs/errors.md"), found.document())

	operations := filepath.Join(root, "docs/operations.md")
	now, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- settings: generated -->\n", "<!-- end of settings -->\n"
	before, after, ok1 := bytes.Cut(now, []byte(begin))
	_, after, ok2 := bytes.Cut(after, []byte(end))
	if !ok1 || !ok2 {
		t.Fatalf("%s has no %q … %q", operations, begin, end)
	}
	var c cli
	k, err := newParser(t.Context(), &c)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(begin)
	writeSettings(&b, k.Model)
	b.WriteString("\n" + end)
	b.Write(after)
	check(operations, b.Bytes())

	document, err := openAPI(t.Context(), defaultSettings(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(root, "api/openapi.json"), document)
}

// defaultSettings are those of a start in an empty environment.
func defaultSettings(t *testing.T) settings {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "COFFER_") {
			t.Setenv(name, "") // restores it after the test
			os.Unsetenv(name)
		}
	}
	var c cli
	k, err := newParser(t.Context(), &c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse([]string{"version"}); err != nil {
		t.Fatal(err)
	}
	if err := c.complete(); err != nil {
		t.Fatal(err)
	}
	return c.settings
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

// faults are the refusals that stand in the code.
type faults struct {
	refusals map[string]*rest.CodeInfo
	fields   map[string]map[string]bool // code of a field → what is said of it
}

var kinds = map[string]fault.Kind{
	"Internal": fault.Internal, "Malformed": fault.Malformed, "Invalid": fault.Invalid, "Unauthenticated": fault.Unauthenticated,
	"Forbidden": fault.Forbidden, "NotFound": fault.NotFound, "MethodNotAllowed": fault.MethodNotAllowed, "Conflict": fault.Conflict,
	"Gone": fault.Gone, "Precondition": fault.Precondition, "TooLarge": fault.TooLarge, "UnsupportedMedia": fault.UnsupportedMedia,
	"BadRange": fault.BadRange, "Limited": fault.Limited, "Unavailable": fault.Unavailable,
}

// scanFaults reads every fault.New, fault.Error{…}, fault.InvalidField and fault.Field{…}
// below dir whose code is written out.
func scanFaults(t *testing.T, dir string) faults {
	t.Helper()
	found := faults{map[string]*rest.CodeInfo{}, map[string]map[string]bool{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		room := filepath.Base(filepath.Dir(path))
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch name := selector(n.Fun); {
				case strings.HasSuffix(name, ".InvalidField") || name == "InvalidField":
					found.field(text(n.Args[1]), text(n.Args[2]))
				case (name == "fault.New" || name == "New" && room == "fault") && len(n.Args) == 3:
					found.refusal(room, selector(n.Args[0]), text(n.Args[1]), text(n.Args[2]))
				}
			case *ast.CompositeLit:
				values := map[string]ast.Expr{}
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok {
						values[fmt.Sprint(kv.Key)] = kv.Value
					}
				}
				switch selector(n.Type) {
				case "fault.Error", "Error":
					found.refusal(room, selector(values["Kind"]), text(values["Code"]), text(values["Detail"]))
				case "fault.Field", "Field":
					found.field(text(values["Code"]), text(values["Detail"]))
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

func (f faults) refusal(room, kind, code, detail string) {
	k, ok := kinds[strings.TrimPrefix(kind, "fault.")]
	if !ok || code == "" {
		return
	}
	c := f.refusals[code]
	if c == nil {
		c = &rest.CodeInfo{Code: code, Status: rest.Status(k)}
		f.refusals[code] = c
	}
	if detail != "" && !slices.Contains(c.Meaning, detail) {
		c.Meaning = append(c.Meaning, detail)
	}
	if !slices.Contains(c.Rooms, room) {
		c.Rooms = append(c.Rooms, room)
	}
}

func (f faults) field(code, detail string) {
	if code == "" {
		return
	}
	if f.fields[code] == nil {
		f.fields[code] = map[string]bool{}
	}
	if detail != "" {
		f.fields[code][detail] = true
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

// text is a string literal, or the format of a Sprintf.
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

func (f faults) codes() []rest.CodeInfo {
	var list []rest.CodeInfo
	for _, code := range slices.Sorted(maps.Keys(f.refusals)) {
		list = append(list, *f.refusals[code])
	}
	return list
}

func (f faults) document() []byte {
	var b bytes.Buffer
	b.WriteString(`# Errors

Every refusal is a problem document (RFC 9457, ` + "`application/problem+json`" + `): ` + "`type`, `title`, `status`, `detail`, `code`, `request_id`" + `, and
` + "`errors[]`" + ` (` + "`pointer`, `code`, `detail`" + `) where values of the request are refused. ` + "`code`" + ` is stable; ` + "`detail`" + ` is for people and may change.
` + "`request_id`" + ` names the request in the server's log, also in the header ` + "`X-Request-Id`" + `. This page is made from the code by ` + "`make docs`" + `.

## Codes

| code | status | what it says | from |
| --- | --- | --- | --- |
`)
	for _, c := range f.codes() {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", c.Code, c.Status, strings.Join(c.Meaning, "<br>"), strings.Join(c.Rooms, ", "))
	}
	b.WriteString("\n## Codes of fields\n\nIn `errors[]` of `validation_failed` and `invalid_json`.\n\n| code | what it says |\n| --- | --- |\n")
	for _, code := range slices.Sorted(maps.Keys(f.fields)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", code, strings.Join(slices.Sorted(maps.Keys(f.fields[code])), "<br>"))
	}
	return b.Bytes()
}
