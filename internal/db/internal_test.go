package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestForPostgres(t *testing.T) {
	for text, want := range map[string]string{
		"a BLOB NOT NULL, b BLOB, c\tBLOB)":       "a BYTEA NOT NULL, b BYTEA, c\tBYTEA)",
		"ALTER TABLE a ADD COLUMN b BLOB;":        "ALTER TABLE a ADD COLUMN b BYTEA;",
		"CHECK (kind IN ('BLOB', 'a BLOB b'))":    "CHECK (kind IN ('BLOB', 'a BLOB b'))",
		`"BLOB" TEXT, BLOBS TEXT, my_BLOB BLOB`:   `"BLOB" TEXT, BLOBS TEXT, my_BLOB BYTEA`,
		"-- a BLOB isn't BYTEA\na BLOB -- BLOB\n": "-- a BLOB isn't BYTEA\na BYTEA -- BLOB\n",
		"DEFAULT 'it''s' , a BLOB":                "DEFAULT 'it''s' , a BYTEA",
		"\n) WITHOUT ROWID; -- is WITHOUT ROWID":  "\n); -- is WITHOUT ROWID",
		"-- postgres: LOCK TABLE a;\na BLOB":      "LOCK TABLE a;\na BYTEA",
		"DEFAULT ' WITHOUT ROWID'":                "DEFAULT ' WITHOUT ROWID'",
	} {
		if got := forPostgres(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestUnnamed: a parameter loses its name only where its place says the same.
func TestUnnamed(t *testing.T) {
	many, marks := "VALUES ($1", "VALUES (?"
	for n := 2; n <= 120; n++ {
		many, marks = many+fmt.Sprintf(", $%d", n), marks+", ?"
	}
	for text, want := range map[string]string{
		"SELECT 1":                            "SELECT 1",
		"a = $1 AND b = $2":                   "a = ? AND b = ?",
		"a = $1 OR b = $1":                    "a = $1 OR b = $1",
		"a = $2 AND b = $1":                   "a = $2 AND b = $1",
		"a = $1 AND b = $3":                   "a = $1 AND b = $3",
		"a = $12":                             "a = $12",
		"a = '$1' AND b = $1 AND c = 'it''s'": "a = '$1' AND b = ? AND c = 'it''s'",
		many:                                  marks,
	} {
		if got := unnamed(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// Both engines get the same files, and every file has a number and one room's name.
func TestMigrationSet(t *testing.T) {
	lite, err := migrationSet(SQLite)
	if err != nil {
		t.Fatal(err)
	}
	pg, err := migrationSet(PostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(pg, "*")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(pg, name)
		if err != nil {
			t.Fatal(err)
		}
		original, err := fs.ReadFile(lite, name)
		if err != nil {
			t.Fatal(err)
		}
		if forPostgres(string(original)) != string(text) {
			t.Errorf("%s differs in more than the words for SQLite", name)
		}
		for part, why := range map[string]string{
			"-- +goose Down": "migrations go forward",
			"NO TRANSACTION": "each migration is a transaction",
			"DEFERRABLE":     "a commit is shared: what one breaks would fail for all",
		} {
			if strings.Contains(string(text), part) {
				t.Errorf("%s has %q: %s", name, part, why)
			}
		}
	}
}

func TestJudgePostgres(t *testing.T) {
	state := func(code string) error { return fmt.Errorf("store: %w", &pgconn.PgError{Code: code}) }
	for want, errs := range map[verdict][]error{
		final:     {nil, errors.New("x"), context.Canceled, context.DeadlineExceeded, ErrNoRows, state("23505"), state("42P01"), state("0A000"), state("25P02")},
		brokenOff: {state("40001"), state("40P01"), &pgconn.PgError{Code: "0A000", Routine: "RevalidateCachedQuery"}},
		gone:      {io.EOF, io.ErrUnexpectedEOF, ErrUnavailable, state("57P01"), state("57P03"), state("08006"), state("53300"), state("53100"), state("25P03")},
	} {
		for _, err := range errs {
			if got := judgePostgres(err); got != want {
				t.Errorf("%v: %d, want %d", err, got, want)
			}
		}
	}
}
