package keyring

import (
	"errors"
	"strings"
	"testing"

	"coffer/internal/db/dbtest"
)

// A cursor opens for the account and the list that it was made for, and shows nothing of its place.
func TestCursors(t *testing.T) {
	r := open(t, dbtest.SQLite(t), newClock())
	key := func(owner string) *DataKey {
		k, _, err := r.NewDataKey(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	ada, bob := key("ada"), key("bob")
	want := Mark{1_700_000_000_123, "canary"}
	cursor := ada.SealMark("pins", "all", want)
	if strings.Contains(cursor, "canary") || cursor == ada.SealMark("pins", "all", want) {
		t.Error("a cursor shows its place")
	}
	if got, err := ada.OpenMark("pins", "all", cursor); err != nil || *got != want {
		t.Error(got, err)
	}
	if got, err := ada.OpenMark("pins", "all", ""); err != nil || got != nil {
		t.Error(got, err)
	}
	for name, open := range map[string]func() (*Mark, error){
		"another account": func() (*Mark, error) { return bob.OpenMark("pins", "all", cursor) },
		"another table":   func() (*Mark, error) { return ada.OpenMark("shares", "all", cursor) },
		"another list":    func() (*Mark, error) { return ada.OpenMark("pins", "failed", cursor) },
		"altered": func() (*Mark, error) {
			return ada.OpenMark("pins", "all", cursor[:20]+strings.ToUpper(cursor[20:])+"A")
		},
		"no base64": func() (*Mark, error) { return ada.OpenMark("pins", "all", "!") },
		"garbage":   func() (*Mark, error) { return ada.OpenMark("pins", "all", "abc") },
		"no mark": func() (*Mark, error) {
			return ada.OpenMark("pins", "all", ada.SealCursor("pins", "all", []byte("seven..")))
		},
	} {
		if got, err := open(); !errors.Is(err, errCursor) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
