package arch

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	fenced  = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
)

// anchors returns the link names of a Markdown text's headings.
func anchors(text string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		unique := name
		for n := 1; slices.Contains(all, unique); n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		all = append(all, unique)
	}
	return all
}

// linked: every relative link in a Markdown file leads to a file, and its anchor to a
// heading.
func linked(root fs.FS) (bad []string, err error) {
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := path.Base(name); d.IsDir() && name != "." && (base == "node_modules" || base[0] == '.' && base != ".github") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".md" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			to := name
			if file != "" {
				to = path.Join(path.Dir(name), file)
			}
			if _, err := fs.Stat(root, to); err != nil {
				bad = append(bad, fmt.Sprintf("%s: links to %s, which is not there", name, m[1]))
				continue
			}
			if anchor == "" {
				continue
			}
			target, err := fs.ReadFile(root, to)
			if err != nil || !slices.Contains(anchors(string(target)), anchor) {
				bad = append(bad, fmt.Sprintf("%s: links to %s, which has no such heading", name, m[1]))
			}
		}
		return nil
	})
	return bad, err
}

func TestLinks(t *testing.T) {
	bad, err := linked(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bad {
		t.Error(b)
	}
}

func TestLinksNotice(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"README.md":      "[a](docs/a.md) [b](docs/a.md#two-words-1) [c](docs) [d](#here) [e](https://example.org/x#y)\n# Here\n```\n# no heading\n[f](nowhere.md)\n```\n",
		"docs/a.md":      "# Two words!\n## `Two` words\n[up](../README.md#here)\n",
		"docs/broken.md": "[a](b.md) [b](a.md#three) [c](../README.md#no-heading) [d](/docs/a.md)\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	bad, err := linked(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"docs/broken.md: links to b.md, which is not there",
		"docs/broken.md: links to a.md#three, which has no such heading",
		"docs/broken.md: links to ../README.md#no-heading, which has no such heading",
		"docs/broken.md: links to /docs/a.md, which is not there",
	}
	if !slices.Equal(bad, want) {
		t.Errorf("%q, want %q", bad, want)
	}
}
