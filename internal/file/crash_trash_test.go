package file

import (
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"coffer/internal/content"
	"coffer/internal/db/dbtest"
)

// textOf is a content of a file in the story of kills: SQL takes every other one.
func textOf(name string, n int) string {
	return fmt.Sprintf("%s %02d ", name, n) + strings.Repeat("otters", 20_000*(n%2))
}

// TestTrashSurvivesKills kills a process at random moments of deletions, restores and
// replacements. Each file then stands once, in its folder or in the trash, with every content
// that was acknowledged, and the counts are right.
func TestTrashSurvivesKills(t *testing.T) {
	root := t.TempDir()
	crashWorld(t, root) // migrated
	done := map[string][]string{}
	dbtest.Kill(t, "TestTrashUntilKilled", root, func(what, name string) { done[name] = append(done[name], what) })
	w := crashWorld(t, root)
	placed, trashed := map[string]Entry{}, map[string]Entry{}
	entries, _, err := w.List(t.Context(), ada, "", "created", "", 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		placed[e.Name] = e
	}
	trash, _, err := w.ListTrash(t.Context(), ada, "", 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range trash {
		trashed[e.Name] = e.Entry
	}
	if len(placed) != len(entries) || len(trashed) != len(trash) {
		t.Errorf("%d names of %d files, %d of %d in the trash", len(placed), len(entries), len(trashed), len(trash))
	}
	for name, steps := range done {
		e, here := placed[name]
		_, there := trashed[name]
		if here == there {
			t.Errorf("after %s a file is in its folder: %v, in the trash: %v", steps, here, there)
			continue
		}
		if steps[len(steps)-1] == "restored" && there {
			t.Errorf("after %s a file is in the trash", steps)
		}
		if there {
			if e, err = w.Restore(t.Context(), ada, trashed[name].ID); err != nil {
				t.Error(err)
				continue
			}
		}
		stored := slices.DeleteFunc(steps, func(step string) bool { return step != "stored" })
		w.hasContents(e, len(stored))
	}
	w.counted()
}

// hasContents checks that a file and its versions hold what was stored, at least so much.
func (w *world) hasContents(e Entry, least int) {
	w.t.Helper()
	read := func(o *content.Object, _ content.Description, err error) string {
		w.t.Helper()
		if err != nil {
			w.t.Error(err)
			return ""
		}
		r, err := o.Open(w.t.Context(), 0, o.Size())
		if err != nil {
			w.t.Error(err)
			return ""
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			w.t.Error(err)
		}
		return string(b)
	}
	held := map[string]bool{read(w.Content(w.t.Context(), ada, e.ID)): true}
	versions, _, err := w.Versions(w.t.Context(), ada, e.ID, "", 100)
	if err != nil {
		w.t.Error(err)
	}
	for _, v := range versions {
		held[read(w.VersionContent(w.t.Context(), ada, e.ID, v.ID))] = true
	}
	for n := range least {
		if !held[textOf(e.Name, n)] {
			w.t.Errorf("content %d of %d is lost", n, least)
		}
	}
	if len(held) != 1+len(versions) || len(held) > least+1 {
		w.t.Errorf("%d contents in a file and %d versions, %d were stored", len(held), len(versions), least)
	}
}

// TestTrashUntilKilled is the process that [TestTrashSurvivesKills] kills; on its own it does
// nothing.
func TestTrashUntilKilled(t *testing.T) {
	root := dbtest.WorkIn()
	if root == "" {
		return
	}
	w := crashWorld(t, root)
	ctx := t.Context()
	for {
		name, stored := fmt.Sprintf("%s%016x", hex.EncodeToString([]byte("killed..")), rand.Uint64()), 0
		var e Entry
		for range 4 {
			u := w.NewUpload(ada)
			u.Replace = true
			if err := u.Add(ctx, name, content.UnknownType, strings.NewReader(textOf(name, stored))); err != nil {
				t.Fatal(err)
			}
			entries, err := u.Publish(ctx, "")
			if err != nil {
				t.Fatal(err)
			}
			e = entries[0]
			stored++
			fmt.Println("stored", name)
			if err := w.Trash(ctx, ada, e.ID); err != nil {
				t.Fatal(err)
			}
			fmt.Println("trashed", name)
			if _, err := w.Restore(ctx, ada, e.ID); err != nil {
				t.Fatal(err)
			}
			fmt.Println("restored", name)
			versions, _, err := w.Versions(ctx, ada, e.ID, "", 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(versions) > 0 {
				if _, err := w.RestoreVersion(ctx, ada, e.ID, versions[0].ID); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
