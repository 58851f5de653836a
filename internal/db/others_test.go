package db_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"coffer/internal/db"
)

// The server's memory keeps nothing that a command beside it changes.
func TestOtherProcessChangesWhatIsKept(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "coffer.db")
	open := func() *db.DB {
		d, err := db.Open(t.Context(), url, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	server, command := open(), open()
	if err := server.Own(); err != nil {
		t.Fatal(err)
	}
	kept := db.Keep[int](server, "topic", 10)
	reads := 0
	get := func() int {
		n, err := kept.Get(t.Context(), "key", func(context.Context) (int, error) { reads++; return reads, nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if first, second := get(), get(); first != 1 || second != 1 {
		t.Fatal("the value is not kept")
	}
	if err := command.Tx(t.Context(), func(tx *db.Tx) error { tx.Changed("topic", "key"); return nil }); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); get() == 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the owner keeps a value that another process changed")
		}
	}
}
