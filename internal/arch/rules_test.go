package arch

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	module       = "coffer/"
	internal     = module + "internal/"
	migrations   = "internal/db/migrations"
	dependencies = "docs/dependencies.md"
	housePage    = "docs/design/0001-house.md"
)

type rule struct {
	name string
	// check returns one sentence for each violation, beginning with its path and a colon.
	check func(*house) []string
}

var rules = []rule{
	{"floors", floors}, {"doors", doors}, {"neighbours", outside}, {"kits", kits}, {"package docs", docs}, {"names", names},
	{"budgets", budgets}, {"interfaces", interfaces}, {"init", inits}, {"random", random}, {"dependencies", direct}, {"migrations", migrated},
	{"callers", called}, {"tables", tables}, {"page", page},
}

// kit reports whether room is a package for tests.
func kit(room string) bool {
	return strings.HasSuffix(path.Base(room), "test") && strings.Contains(room, "/")
}

// floors: imports go down, and every package has a floor. An external test (package x_test)
// stands above its package and may import others with it.
func floors(h *house) (bad []string) {
	for _, f := range h.files {
		from := f.room()
		if from == "" {
			continue
		}
		here, ok := plan[from]
		if !ok {
			bad = append(bad, fmt.Sprintf("%s: internal/%s has no floor: give it a line in plan_test.go", f.path, from))
			continue
		}
		for _, p := range f.imports {
			to, ok := strings.CutPrefix(p, internal)
			if !ok || to == from {
				continue
			}
			// A kit has its package's floor and may import that package. The rule for kits
			// checks that only tests import it.
			own := kit(from) && to == path.Dir(from)
			above := f.test && strings.HasSuffix(f.syntax.Name.Name, "_test")
			if there, ok := plan[to]; ok && there.floor >= here.floor && !own && !above && !kit(to) {
				bad = append(bad, fmt.Sprintf("%s: floor %d imports %s on floor %d", f.path, here.floor, to, there.floor))
			}
		}
	}
	return bad
}

// door reports whether a file has that role in its room: http.go, rewrap_store.go.
func door(f *file, name string) bool {
	base := strings.TrimSuffix(path.Base(f.path), ".go")
	return !f.test && f.room() != "" && (base == name || strings.HasSuffix(base, "_"+name))
}

// doors: http.go imports no database and store.go no HTTP.
func doors(h *house) (bad []string) {
	closed := map[string][]string{
		"http":  {internal + "db", "database/sql"},
		"store": {internal + "rest", "net/http"},
	}
	for _, f := range h.files {
		for name, forbidden := range closed {
			if !door(f, name) {
				continue
			}
			for _, p := range f.imports {
				if slices.Contains(forbidden, p) {
					bad = append(bad, fmt.Sprintf("%s: imports %s: what it wants of it belongs into %s.go", f.path, p, path.Base(f.dir)))
				}
			}
		}
	}
	return bad
}

// outside: neighbours import only their lists, no package imports a command, and only
// serve.go wires rooms.
func outside(h *house) (bad []string) {
	rooms := map[string]bool{internal + "server": true}
	for _, f := range h.files {
		if door(f, "http") {
			rooms[module+f.dir] = true
		}
	}
	for _, f := range h.files {
		top, _, _ := strings.Cut(f.dir, "/")
		allowed, known := neighbours[top]
		for _, p := range f.imports {
			to, ours := strings.CutPrefix(p, module)
			if !ours || to == f.dir {
				continue
			}
			area, _, _ := strings.Cut(to, "/")
			switch {
			case area == "cmd":
				bad = append(bad, fmt.Sprintf("%s: imports the command %s", f.path, to))
			case top == "internal" && area != "internal" && !f.test:
				bad = append(bad, fmt.Sprintf("%s: imports %s from outside the house", f.path, to))
			case known && !slices.Contains(allowed, area) && !slices.Contains(allowed, to) && !(f.test && kit(to)):
				bad = append(bad, fmt.Sprintf("%s: %s may not import %s", f.path, top, to))
			case top == "cmd" && !f.test && rooms[p] && path.Base(f.path) != "serve.go":
				bad = append(bad, fmt.Sprintf("%s: imports the room %s: serve.go is the only wiring", f.path, to))
			}
		}
		if !known && top != "internal" {
			bad = append(bad, fmt.Sprintf("%s: nobody knows what stands in %s/: give it a line in plan_test.go", f.path, top))
		}
	}
	return bad
}

// kits: only tests and other kits import packages for tests.
func kits(h *house) (bad []string) {
	made := []string{"testing", "net/http/httptest", "github.com/google/go-cmp", "pgregory.net/rapid", "go.uber.org/goleak", "github.com/rogpeppe/go-internal/testscript"}
	for _, f := range h.files {
		if f.test || kit(f.room()) {
			continue
		}
		for _, p := range f.imports {
			ours := strings.HasPrefix(p, internal) && kit(strings.TrimPrefix(p, internal))
			if ours || slices.ContainsFunc(made, func(m string) bool { return p == m || strings.HasPrefix(p, m+"/") }) {
				bad = append(bad, fmt.Sprintf("%s: imports %s, which is for tests", f.path, p))
			}
		}
	}
	return bad
}

// docs: each package has one package doc, and in internal/ it begins with the plan's
// charter.
func docs(h *house) (bad []string) {
	said := map[string][]string{} // by folder
	texts := map[string]string{}
	packages := map[string]string{}
	for _, f := range h.files {
		if name := f.syntax.Name.Name; !strings.HasSuffix(name, "_test") || packages[f.dir] == "" {
			packages[f.dir] = name
		}
		if text := f.syntax.Doc.Text(); text != "" {
			said[f.dir] = append(said[f.dir], path.Base(f.path))
			texts[f.dir] = text
		}
	}
	for dir, name := range packages {
		if n := len(said[dir]); n != 1 {
			bad = append(bad, fmt.Sprintf("%s: has %d package docs %v, want one", dir, n, said[dir]))
			continue
		}
		start := "Package " + name + " "
		if name == "main" && !strings.HasPrefix(texts[dir], start) {
			start = "Command " + path.Base(dir) + " "
		}
		text, ok := strings.CutPrefix(strings.ReplaceAll(texts[dir], "\n", " "), start)
		if !ok {
			bad = append(bad, fmt.Sprintf("%s: the package doc does not begin with %q", dir, start))
			continue
		}
		room, ok := strings.CutPrefix(dir, "internal/")
		if place, planned := plan[room]; ok && planned {
			_, second, _ := strings.Cut(text, " ") // after a verb: "is", "keeps"
			if !strings.HasPrefix(text, place.charter) && !strings.HasPrefix(second, place.charter) {
				bad = append(bad, fmt.Sprintf("%s: the package doc does not say its charter: %q", dir, place.charter))
			}
		}
	}
	return bad
}

// names: a name says what the thing is for.
func names(h *house) (bad []string) {
	empty := regexp.MustCompile(`^(utils?|common|helpers?|misc)$`)
	for _, f := range h.files {
		words := append(strings.Split(f.dir, "/"), strings.Split(strings.TrimSuffix(path.Base(f.path), ".go"), "_")...)
		for _, w := range append(words, f.syntax.Name.Name) {
			if empty.MatchString(w) {
				bad = append(bad, fmt.Sprintf("%s: %q says nothing", f.path, w))
				break
			}
		}
	}
	return bad
}

// budgets: the length of files and functions is bounded.
func budgets(h *house) (bad []string) {
	for _, f := range h.files {
		if ast.IsGenerated(f.syntax) {
			continue
		}
		if f.lines > maxFileLines {
			bad = append(bad, fmt.Sprintf("%s: %d lines, at most %d", f.path, f.lines, maxFileLines))
		}
		for _, d := range f.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1; n > maxFuncLines {
				bad = append(bad, fmt.Sprintf("%s: %s has %d lines, at most %d", f.path, fn.Name.Name, n, maxFuncLines))
			}
		}
	}
	return bad
}

// interfaces: at most five methods, including embedded ones of the same package.
func interfaces(h *house) (bad []string) {
	types := map[string]*ast.InterfaceType{} // by folder and name
	for _, f := range h.files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if i, ok := spec.Type.(*ast.InterfaceType); ok {
					types[f.dir+"."+spec.Name.Name] = i
				}
			}
			return true
		})
	}
	var count func(dir string, i *ast.InterfaceType) int
	count = func(dir string, i *ast.InterfaceType) (n int) {
		for _, m := range i.Methods.List {
			if len(m.Names) > 0 {
				n += len(m.Names)
				continue
			}
			switch t := m.Type.(type) {
			case *ast.Ident:
				if inner := types[dir+"."+t.Name]; inner != nil {
					n += count(dir, inner)
				}
			case *ast.SelectorExpr:
				n++ // another package's interface counts as one
			}
		}
		return n
	}
	for _, f := range h.files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok {
				if m := count(f.dir, i); m > maxMethods {
					bad = append(bad, fmt.Sprintf("%s: an interface of %d methods, at most %d", f.path, m, maxMethods))
				}
			}
			return true
		})
	}
	return bad
}

// inits: an import must not run code.
func inits(h *house) (bad []string) {
	for _, f := range h.files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				bad = append(bad, f.path+": init runs unasked: let serve.go call it")
			}
		}
	}
	return bad
}

// random: math/rand has an implicit seed; use v2 or crypto/rand.
func random(h *house) (bad []string) {
	for _, f := range h.files {
		if slices.Contains(f.imports, "math/rand") {
			bad = append(bad, f.path+": imports math/rand; use crypto/rand for secrets and math/rand/v2 for the rest")
		}
	}
	return bad
}

// direct: few dependencies, each with its reason in docs/dependencies.md.
func direct(h *house) (bad []string) {
	var required, used []string
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:require\s+)?(\S+\.\S+/\S+|\S+\.\S+) v\S+`).FindAllStringSubmatch(h.texts["go.mod"], -1) {
		required = append(required, m[1])
	}
	var wanted []string
	for _, m := range regexp.MustCompile(`(?m)^\s+([^\s/]+\.[^\s/]+/\S+)$`).FindAllStringSubmatch(h.texts["go.mod"], -1) {
		wanted = append(wanted, m[1]) // a tool
	}
	for _, f := range h.files {
		wanted = append(wanted, f.imports...)
	}
	for _, p := range wanted {
		best := ""
		for _, m := range required {
			if (p == m || strings.HasPrefix(p, m+"/")) && len(m) > len(best) {
				best = m
			}
		}
		if best != "" && !slices.Contains(used, best) {
			used = append(used, best)
		}
	}
	slices.Sort(used)
	if len(used) > maxDependencies {
		bad = append(bad, fmt.Sprintf("go.mod: %d direct dependencies, at most %d: %v", len(used), maxDependencies, used))
	}
	for _, m := range used {
		if !strings.Contains(h.texts[dependencies], m) {
			bad = append(bad, dependencies+": does not say why "+m+" is needed")
		}
	}
	return bad
}

// migrated: a migration has its room's name and a unique number.
func migrated(h *house) (bad []string) {
	form := regexp.MustCompile(`^(\d{4})_([a-z]+)\.sql$`)
	taken := map[string]string{}
	for name := range h.texts {
		if path.Dir(name) != migrations {
			continue
		}
		base := path.Base(name)
		m := form.FindStringSubmatch(base)
		if m == nil {
			bad = append(bad, name+": is not called NNNN_room.sql")
			continue
		}
		if _, ok := plan[m[2]]; !ok {
			bad = append(bad, fmt.Sprintf("%s: there is no room %s", name, m[2]))
		}
		if other, ok := taken[m[1]]; ok {
			bad = append(bad, fmt.Sprintf("%s: has the number of %s", name, other))
		}
		taken[m[1]] = base
	}
	return bad
}

// calledByOthers are methods called by the runtime, an encoder or another library.
var calledByOthers = []string{
	"AppendHeader", "BodyReader", "BodyWriter", "EachHeader", "GetMultipartForm", "GetStatus", "SetHeader", "SetStatus", // huma
	"WithAttrs", "WithGroup", // log/slog
	"GetUpload", "GetInfo", "GetReader", "WriteChunk", "FinishUpload", "DeclareLength", "Terminate", "AsTerminatableUpload", "AsLengthDeclarableUpload", // tusd
	"FlushError", "Unwrap", "UnmarshalText", "UnmarshalJSON", "MarshalJSON", "Resolve",
}

// called: an exported name of internal/ has a caller outside tests. The rule compares names
// only. So a name used for one package hides the same unused name in another, and no used
// name is reported.
func called(h *house) (bad []string) {
	type name struct{ file, name string }
	var exported []name
	uses, inTests, declared := map[string]int{}, map[string]int{}, map[string]int{}
	for _, f := range h.files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				inTests[id.Name]++
				if !f.test {
					uses[id.Name]++
				}
			}
			return true
		})
		if f.test {
			continue
		}
		note := func(id *ast.Ident) {
			declared[id.Name]++
			if f.room() != "" && id.IsExported() && !slices.Contains(calledByOthers, id.Name) {
				exported = append(exported, name{f.path, id.Name})
			}
		}
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				note(d.Name)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						note(s.Name)
					case *ast.ValueSpec:
						for _, id := range s.Names {
							note(id)
						}
					}
				}
			}
		}
	}
	for _, e := range exported {
		n := uses[e.name]
		if kit(path.Dir(strings.TrimPrefix(e.file, "internal/"))) {
			n = inTests[e.name]
		}
		if n <= declared[e.name] {
			bad = append(bad, fmt.Sprintf("%s: %s has no caller outside tests", e.file, e.name))
		}
	}
	return bad
}

// tables: SQL names only tables of the room's own migration.
func tables(h *house) (bad []string) {
	owners := map[string]string{}
	made := regexp.MustCompile(`(?i)CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	for name, text := range h.texts {
		if path.Dir(name) != migrations {
			continue
		}
		_, room, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".sql"), "_")
		for _, m := range made.FindAllStringSubmatch(text, -1) {
			owners[m[1]] = room
		}
	}
	named := regexp.MustCompile(`\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+(\w+)`)
	for _, f := range h.files {
		room, _, _ := strings.Cut(f.room(), "/")
		if room == "" || f.test || kit(f.room()) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok {
				return true
			}
			for _, m := range named.FindAllStringSubmatch(literal.Value, -1) {
				if owner := owners[m[1]]; owner != "" && owner != room {
					bad = append(bad, fmt.Sprintf("%s: its SQL names %s, a table of %s", f.path, m[1], owner))
				}
			}
			return true
		})
	}
	return bad
}

// page: the table of docs/design/0001-house.md lists every package of the plan on its
// floor. Every package name there and in a charter exists.
func page(h *house) (bad []string) {
	word := regexp.MustCompile("`([a-z]+(?:/[a-z]+)*)`")
	shown := map[string]string{} // package → floor
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.*) \|$`).FindAllStringSubmatch(h.texts[housePage], -1) {
		for _, m := range word.FindAllStringSubmatch(row[2], -1) {
			shown[m[1]] = row[1]
		}
	}
	for name, floor := range shown {
		if place, ok := plan[name]; !ok {
			bad = append(bad, fmt.Sprintf("%s: names %s, and there is no such package", housePage, name))
		} else if fmt.Sprint(place.floor) != floor {
			bad = append(bad, fmt.Sprintf("%s: puts %s on floor %s, the plan on %d", housePage, name, floor, place.floor))
		}
	}
	for name, place := range plan {
		if shown[name] == "" && !strings.Contains(name, "/") && name != "arch" {
			bad = append(bad, fmt.Sprintf("%s: does not name %s", housePage, name))
		}
		for _, m := range word.FindAllStringSubmatch(place.charter, -1) {
			if _, ok := plan[m[1]]; !ok {
				bad = append(bad, fmt.Sprintf("internal/%s: its charter names %s, and there is no such package", name, m[1]))
			}
		}
	}
	slices.Sort(bad)
	return bad
}
