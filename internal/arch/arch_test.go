package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// house is a source tree: parsed Go files, and other texts for the rules.
type house struct {
	files []*file
	texts map[string]string // by path
}

type file struct {
	path    string // from the root of the module, with slashes
	dir     string
	test    bool
	lines   int
	imports []string
	syntax  *ast.File
	set     *token.FileSet
}

// room is the package of internal/ that f belongs to, such as "db/dbtest"; "" elsewhere.
func (f *file) room() string {
	room, _ := strings.CutPrefix(f.dir, "internal/")
	if room == f.dir {
		return ""
	}
	return room
}

func build(texts map[string]string) (*house, error) {
	h := &house{texts: map[string]string{}}
	for name, text := range texts {
		if !strings.HasSuffix(name, ".go") {
			h.texts[name] = text
			continue
		}
		f := &file{path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), set: token.NewFileSet()}
		f.lines = strings.Count(text, "\n")
		var err error
		if f.syntax, err = parser.ParseFile(f.set, name, text, parser.ParseComments); err != nil {
			return nil, err
		}
		for _, i := range f.syntax.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return nil, err
			}
			f.imports = append(f.imports, p)
		}
		h.files = append(h.files, f)
	}
	slices.SortFunc(h.files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	return h, nil
}

// read returns the files of the checkout that the rules read.
func read(root string) (map[string]string, error) {
	texts := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		switch {
		case strings.HasSuffix(name, ".go"), path.Dir(name) == migrations, name == "go.mod", name == dependencies, name == housePage:
			text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
			if err != nil {
				return err
			}
			texts[name] = string(text)
		}
		return nil
	})
	return texts, err
}

func TestHouse(t *testing.T) {
	texts, err := read("../..")
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(texts)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.files) < 50 || texts["go.mod"] == "" {
		t.Fatalf("read %d Go files and go.mod of %d bytes: this is not the checkout", len(h.files), len(texts["go.mod"]))
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			needed := map[string]bool{}
			for _, complaint := range r.check(h) {
				file, _, _ := strings.Cut(complaint, ":")
				needed[file] = true
				if !slices.ContainsFunc(excused, func(e excuse) bool { return e.rule == r.name && e.file == file }) {
					t.Error(complaint)
				}
			}
			for _, e := range excused {
				if e.rule == r.name && !needed[e.file] {
					t.Errorf("%s: is excused in plan_test.go and need not be: take the line out", e.file)
				}
			}
		})
	}
}
