package arch

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	coveragePage = "docs/coverage.md"
	unproved     = "not yet" // in place of tests
	numbered     = 47        // rows of the table whose first column is a number
)

var (
	quoted   = regexp.MustCompile("`([^`]+)`")
	goTest   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	story    = regexp.MustCompile(`"([^"\n]+)"`)
	browser  = regexp.MustCompile("(?m)^\\s*(?:test|stage\\.test|site\\.test)\\((['`])(.+?)['`],")
	goName   = regexp.MustCompile(`^(?:Test|Fuzz)\w+$`)
	tableRow = regexp.MustCompile(`(?m)^\| (.+?) \|$`)
)

// tests are the names under which tests can be found.
type tests struct {
	functions, stories, titles map[string]bool
	paths                      map[string]bool // of test files and of their folders
}

func readTests(root fs.FS) (tests, error) {
	all := tests{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := path.Base(name); d.IsDir() && name != "." && (base == "node_modules" || base[0] == '.') {
			return fs.SkipDir
		}
		inGo, inBrowser := strings.HasSuffix(name, "_test.go"), strings.HasSuffix(name, ".mjs")
		if d.IsDir() || !inGo && !inBrowser {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, ".mjs"), ".story"), ".test")
		all.paths[file], all.paths[path.Dir(name)] = true, true
		if inBrowser {
			for _, m := range browser.FindAllStringSubmatch(string(text), -1) {
				title, _, _ := strings.Cut(m[2], "${")
				all.titles[strings.TrimRight(title, " :,")] = true
			}
			return nil
		}
		for _, m := range goTest.FindAllStringSubmatch(string(text), -1) {
			all.functions[m[1]] = true
		}
		if path.Dir(name) == "test/e2e" {
			for _, m := range story.FindAllStringSubmatch(string(text), -1) {
				all.stories[m[1]] = true
			}
		}
		return nil
	})
	return all, err
}

// covered checks the page that says which test proves what: each row names tests that exist,
// or says that there is none yet, and the numbered table has every number once, in order.
func covered(root fs.FS) (bad []string, err error) {
	page, err := fs.ReadFile(root, coveragePage)
	if err != nil {
		return nil, err
	}
	all, err := readTests(root)
	if err != nil {
		return nil, err
	}
	next := 1
	for _, m := range tableRow.FindAllStringSubmatch(string(page), -1) {
		cells := strings.Split(m[1], " | ")
		first, last := cells[0], cells[len(cells)-1]
		if strings.HasPrefix(first, "---") || !strings.ContainsAny(last, "`") && !strings.Contains(last, unproved) {
			continue // the head of a table
		}
		if n, err := strconv.Atoi(first); err == nil {
			if n != next {
				bad = append(bad, fmt.Sprintf("the row %d stands where %d belongs", n, next))
			}
			next++
		}
		for _, name := range quoted.FindAllStringSubmatch(last, -1) {
			if !all.has(name[1]) {
				bad = append(bad, fmt.Sprintf("%s: there is no test %s", first, name[1]))
			}
		}
	}
	if next != numbered+1 {
		bad = append(bad, fmt.Sprintf("%d numbered rows, want %d", next-1, numbered))
	}
	return bad, nil
}

func (all tests) has(name string) bool {
	switch {
	case goName.MatchString(name):
		return all.functions[name]
	case strings.HasPrefix(name, "internal/"), strings.HasPrefix(name, "web/"), strings.HasPrefix(name, "cmd/"), strings.HasPrefix(name, "client/"):
		return all.paths[strings.TrimSuffix(name, "/")]
	}
	return all.stories[name] || all.titles[name]
}

func TestCoverage(t *testing.T) {
	bad, err := covered(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bad {
		t.Error(coveragePage + ": " + b)
	}
}

func TestCoverageNotices(t *testing.T) {
	row := func(n int, tests string) string { return fmt.Sprintf("| %d | something | %s |\n", n, tests) }
	page := func(change func(n int) string) fs.FS {
		text := "# Coverage\n\n| n | what | tests |\n| --- | --- | --- |\n"
		for n := 1; n <= numbered; n++ {
			text += change(n)
		}
		file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
		return fstest.MapFS{
			coveragePage: file(text), "internal/a/a_test.go": file("package a\n\nfunc TestGood(t *testing.T) {}\n"),
			"test/e2e/a_test.go":  file("package e2e\n\nvar _ = []story{{\"a good story\", nil}}\n"),
			"web/src/a.story.mjs": file("test('a good page', async () => {});\ntest(`a page on ${name}`, async () => {});\n"),
		}
	}
	good := "`TestGood`, `a good story`; `a good page`, `a page on`, `internal/a`, `web/src/a`"
	if bad, err := covered(page(func(n int) string { return row(n, good) })); err != nil || len(bad) > 0 {
		t.Fatalf("a good page: %v, %v", bad, err)
	}
	for what, change := range map[string]func(n int) string{
		"a function that is not there": func(n int) string { return row(n, "`TestBad`") },
		"a story that is not there":    func(n int) string { return row(n, "`a bad story`") },
		"a folder without tests":       func(n int) string { return row(n, "`internal/b`") },
		"a missing row": func(n int) string {
			if n == 7 {
				return ""
			}
			return row(n, unproved)
		},
		"a row twice": func(n int) string { return row(min(n, 46), unproved) },
	} {
		if bad, err := covered(page(change)); err != nil || len(bad) == 0 {
			t.Errorf("%s is not noticed (%v)", what, err)
		}
	}
}
