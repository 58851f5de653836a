package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDashboard compares the dashboard and the table of alerts with the names that the code
// counts under.
func TestDashboard(t *testing.T) {
	counted := map[string]bool{}
	name := regexp.MustCompile(`\b(coffer|go|process)_[a-z_]+[a-z]\b`)
	err := filepath.WalkDir("../../internal", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`"((?:coffer|go|process)_[a-z_]+)"`).FindAllSubmatch(text, -1) {
			counted[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(counted) < 30 {
		t.Fatalf("%d names, %v", len(counted), err)
	}
	dashboard, err := os.ReadFile("../../deploy/grafana/coffer.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID          int
			Title, Type string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(dashboard, &board); err != nil {
		t.Fatal(err)
	}
	shown, ids := map[string]bool{}, map[int]bool{}
	used := func(where, expr string) {
		for _, n := range name.FindAllString(expr, -1) {
			n = strings.TrimSuffix(n, "_bucket")
			shown[n] = true
			if !counted[n] {
				t.Errorf("%s: nothing is counted as %s", where, n)
			}
		}
	}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s: an id that another panel has, or nothing to show", p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			used(p.Title, target.Expr)
		}
	}
	if len(shown) < 20 {
		t.Errorf("the dashboard shows only %v", shown)
	}
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, alerts, ok := strings.Cut(string(page), "## Metrics and alerts")
	alerts, _, ok2 := strings.Cut(alerts, "\n## ")
	if !ok || !ok2 {
		t.Fatal("operations.md has no section on metrics")
	}
	used("operations.md", alerts)
}
