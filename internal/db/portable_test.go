package db_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	statement = regexp.MustCompile(`(?i)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|LISTEN|NOTIFY|PRAGMA|VACUUM|ANALYZE|LOCK|SET)\b`)
	// engineOnly matches syntax that one engine lacks or interprets differently.
	engineOnly = regexp.MustCompile(`(?i)\b(BEGIN IMMEDIATE|LISTEN|NOTIFY|PRAGMA|VACUUM|pg_\w+|sqlite_\w+|pragma_\w+|information_schema|rowid|ILIKE|GLOB|REGEXP|FOR UPDATE|SKIP LOCKED|OR REPLACE|OR IGNORE|AUTOINCREMENT|SERIAL|JSONB?|ARRAY|LATERAL|DISTINCT ON|MERGE|TABLESAMPLE|interval)\b` +
		`|\b(ANY|now|extract|strftime|unixepoch|julianday|date_trunc|to_timestamp|gen_random_uuid|randomblob|string_agg|group_concat|ifnull|greatest|least)\s*\(` +
		`|::\w|\?\d*(\s|,|\)|$)`)
)

// engineOnlyBudget bounds the statements for one engine. In each of them the engines can
// differ.
const engineOnlyBudget = 5

func TestStatementsRunOnBothEngines(t *testing.T) {
	var found []string
	all := 0
	for _, root := range []string{"..", "../../cmd"} {
		if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || strings.HasSuffix(d.Name(), "test")) {
				return filepath.SkipDir // the kits prepare each server with its own statements
			}
			if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			for _, s := range literals(t, path) {
				if !statement.MatchString(s) {
					continue
				}
				all++
				if engineOnly.MatchString(s) {
					found = append(found, path+": "+strings.TrimSpace(s))
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if all < 20 {
		t.Fatalf("only %d statements were found: this test looks in the wrong place", all)
	}
	if len(found) > engineOnlyBudget {
		t.Errorf("%d of %d statements are for one engine only; the budget is %d:\n%s", len(found), all, engineOnlyBudget, strings.Join(found, "\n"))
	}
	t.Logf("%d statements, for one engine only:\n%s", all, strings.Join(found, "\n"))
}

// literals returns the string literals of a file.
func literals(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				all = append(all, s)
			}
		}
		return true
	})
	return all
}

// The test above detects such statements.
func TestEngineOnlyIsRecognised(t *testing.T) {
	for q, want := range map[string]bool{
		`SELECT 1 FROM a WHERE b = ?`:                             true,
		`SELECT n::text FROM a`:                                   true,
		`SELECT 1 FROM a WHERE b = ANY ($1)`:                      true,
		`INSERT OR IGNORE INTO a VALUES ($1)`:                     true,
		`SELECT * FROM jobs FOR UPDATE SKIP LOCKED`:               true,
		`PRAGMA user_version`:                                     true,
		`INSERT INTO a (b) VALUES ($1) ON CONFLICT DO NOTHING`:    false,
		`UPDATE a SET b = $1 WHERE (c, d) > ($2, $3) RETURNING b`: false,
	} {
		if got := statement.MatchString(q) && engineOnly.MatchString(q); got != want {
			t.Errorf("%s: %t, want %t", q, got, want)
		}
	}
}
