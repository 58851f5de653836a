package db_test

import (
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

func TestPing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
