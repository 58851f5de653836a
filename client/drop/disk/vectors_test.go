package disk

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestNameVectors compares the rules with those of the web end: both follow one file.
func TestNameVectors(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "vectors", "drop-names.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Parts []struct {
			Name    string  `json:"name"`
			Safe    *string `json:"safe"`
			Windows *string `json:"windows"` // as Safe where it is missing
		} `json:"parts"`
		Numbered []struct {
			Name     string `json:"name"`
			N        int    `json:"n"`
			Numbered string `json:"numbered"`
		} `json:"numbered"`
		Folders []struct {
			Files  []string `json:"files"`
			Dirs   []string `json:"dirs"`
			Placed []string `json:"placed"` // null where the folder is refused
		} `json:"folders"`
	}
	if err := json.Unmarshal(raw, &v); err != nil || len(v.Parts) == 0 || len(v.Numbered) == 0 || len(v.Folders) == 0 {
		t.Fatalf("drop-names.json lacks a part (%v)", err)
	}
	for _, p := range v.Parts {
		for _, windows := range []bool{false, true} {
			want := p.Safe
			if windows && p.Windows != nil {
				want = p.Windows
			}
			got, err := safeName(p.Name, windows)
			if (err != nil) != (want == nil) || want != nil && got != *want {
				t.Errorf("%q (Windows %v): got %q, %v", p.Name, windows, got, err)
			}
		}
	}
	for _, n := range v.Numbered {
		if got := Numbered(n.Name, n.N); got != n.Numbered {
			t.Errorf("%q: got %q, want %q", n.Name, got, n.Numbered)
		}
	}
	for _, f := range v.Folders {
		if got := placed(f.Files, f.Dirs); !slices.Equal(got, f.Placed) {
			t.Errorf("%q %q: got %q, want %q", f.Files, f.Dirs, got, f.Placed)
		}
	}
}

// placed are the places of files and folders, nil where one is refused.
func placed(files, dirs []string) []string {
	n := newNames(func(part string) (string, error) { return safeName(part, false) }, FoldKey)
	var all []string
	for i, path := range slices.Concat(files, dirs) {
		at, err := n.place(path, i >= len(files))
		if err != nil {
			return nil
		}
		all = append(all, at)
	}
	return all
}
