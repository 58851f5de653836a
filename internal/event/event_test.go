package event

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/lang"
	"coffer/internal/mail"
)

// words are the words of a kind in these languages.
func words(kind string, languages ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for _, l := range languages {
		all["words/"+kind+"."+l+".txt"] = &fstest.MapFile{Data: []byte(`{{define "subject"}}s{{end}}{{define "lead"}}l{{end}}{{define "rest"}}r{{end}}`)}
	}
	return all
}

func newLog() (*Log, *mail.Mailer) {
	m := mail.New(nil, "Coffer", "https://coffer.test")
	return New(m, func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.FixedZone("", 3600)) }), m
}

func TestDeclare(t *testing.T) {
	l, m := newLog()
	l.Declare(mail.Kind{Name: "moved", Header: "notice"}, words("moved", lang.All()...))
	if r, err := m.Render(mail.Message{Kind: "moved", To: "ada@example.org"}); err != nil || r.Kind != "notice" {
		t.Errorf("the mail of a kind: %+v, %v", r, err)
	}
	for name, declare := range map[string]func(){
		"twice":              func() { l.Declare(mail.Kind{Name: "moved"}, words("moved", lang.All()...)) },
		"without a language": func() { l.Declare(mail.Kind{Name: "lost"}, words("lost", lang.All()[1:]...)) },
		"without words":      func() { l.Declare(mail.Kind{Name: "mute"}, fstest.MapFS{}) },
	} {
		if !panics(declare) {
			t.Errorf("%s: declared", name)
		}
	}
	for _, kind := range []string{"lost", "mute"} {
		if _, declared := l.kinds[kind]; declared {
			t.Errorf("%s panicked and is declared", kind)
		}
	}
	l.DeclareQuiet("seen")
	for _, kind := range []string{"seen", "moved"} {
		if !panics(func() { l.DeclareQuiet(kind) }) {
			t.Errorf("%s is declared twice, the second time as quiet", kind)
		}
	}
	if _, err := m.Render(mail.Message{Kind: "seen", To: "ada@example.org"}); err == nil {
		t.Error("a quiet kind has a mail")
	}
}

func panics(fn func()) (did bool) {
	defer func() { did = recover() != nil }()
	fn()
	return
}

// Every listener receives an event in order, in the transaction, and its error rolls the
// event back.
func TestRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if _, err := d.Exec(ctx, `CREATE TABLE heard (line TEXT NOT NULL)`); err != nil {
			t.Fatal(err)
		}
		l, _ := newLog()
		l.Declare(mail.Kind{Name: "moved"}, words("moved", lang.All()...))
		l.DeclareQuiet("seen")
		var heard []string
		var refusal error
		for _, name := range []string{"first", "second"} {
			l.Listen(func(ctx context.Context, tx *db.Tx, e Event) error {
				heard = append(heard, fmt.Sprintf("%s %s %s %s %s %t", name, e.Kind, e.Account, e.At.Format(time.RFC3339), e.Data["device"], e.Quiet))
				if _, err := tx.Exec(ctx, `INSERT INTO heard (line) VALUES ($1)`, name); err != nil || name == "first" {
					return err
				}
				return refusal
			})
		}
		record := func(kind string) error {
			heard = nil
			return d.Tx(ctx, func(tx *db.Tx) error {
				return l.Record(ctx, tx, Event{Kind: kind, Account: "ada", Data: map[string]string{"device": "Firefox"}})
			})
		}
		rows := func() (n int) {
			t.Helper()
			if err := d.QueryRow(ctx, `SELECT COUNT(*) FROM heard`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if err := record("moved"); err != nil {
			t.Fatal(err)
		}
		want := []string{"first moved ada 2026-11-20T08:00:00Z Firefox false", "second moved ada 2026-11-20T08:00:00Z Firefox false"}
		if !slices.Equal(heard, want) || rows() != 2 {
			t.Errorf("heard %q and %d rows, want %q", heard, rows(), want)
		}
		if err := record("seen"); err != nil || len(heard) != 2 || !strings.HasSuffix(heard[0], " true") || rows() != 4 {
			t.Errorf("a quiet kind: %v, heard %q, %d rows", err, heard, rows())
		}
		refusal = errors.New("no")
		if err := record("moved"); !errors.Is(err, refusal) || len(heard) != 2 || rows() != 4 {
			t.Errorf("a listener that refuses: %v, %q, %d rows", err, heard, rows())
		}
		if err := record("unknown"); err == nil || !strings.Contains(err.Error(), "not declared") || len(heard) != 0 {
			t.Errorf("a kind that nobody declared: %v, heard %q", err, heard)
		}
	})
}
