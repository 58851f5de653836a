package session_test

import (
	"archive/zip"
	"io"
	"strings"
	"testing"

	"coffer/internal/db/dbtest"
)

// An export shows no remembered device that a writer of the database made or altered.
func TestExportLeavesOutAlteredDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	b := w.browser()
	b.signIn("ada", fields{"remember_device": true})
	devices := func() string {
		t.Helper()
		raw := w.is(b.as("GET", "/account/export", nil), 200, "").Raw
		z, err := zip.NewReader(strings.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		f, err := z.Open("devices.json")
		if err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if got := devices(); strings.Count(got, `"expires_at"`) != 1 {
		t.Fatalf("devices.json: %s", got)
	}
	if _, err := w.DB.Exec(t.Context(), `UPDATE devices SET layers = 'totp'`); err != nil {
		t.Fatal(err)
	}
	if got := devices(); got != "[]\n" || !strings.Contains(w.log.String(), "altered in the database") {
		t.Errorf("devices.json: %s", got)
	}
}
