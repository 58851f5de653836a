package file

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// crashWorld opens the room on a folder that another process uses too.
func crashWorld(t *testing.T, root string) *world {
	t.Helper()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(root, "coffer.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	store, err := blob.OpenDir(filepath.Join(root, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return newWorldOn(t, d, store)
}

// A process is killed at random moments of uploads and renames. Afterwards
// everything it acknowledged stands, no request is half there, every file that is visible
// opens, and a sweep leaves only objects that an entry names.
func TestSurvivesKills(t *testing.T) {
	root := t.TempDir()
	crashWorld(t, root)         // migrated, so that a round is work and not start-up
	done := map[string]string{} // the last thing acknowledged about each pair
	rounds := dbtest.Kill(t, "TestWorkUntilKilled", root, func(what, pair string) {
		if what != "arrived" {
			done[pair] = what
		}
	})
	w := crashWorld(t, root)
	seen := map[string][]string{}
	for _, name := range w.names(ada, "", "name") {
		pair, _, _ := strings.Cut(name, ".")
		seen[pair] = append(seen[pair], name)
	}
	for pair, names := range seen {
		if len(names) != 2 {
			t.Errorf("half a request is visible: %v", names)
		}
		if done[pair] == "renamed" && !strings.HasSuffix(names[0], ".renamed") {
			t.Errorf("a rename is lost: %v", names)
		}
	}
	for pair := range done {
		if len(seen[pair]) == 0 {
			t.Errorf("an upload is lost: %s", pair)
		}
	}
	w.checkContents(t)
	reserved := func() (reserved, held int64) {
		err := w.DB.QueryRow(t.Context(), `SELECT (SELECT SUM(reserved) FROM content_usage), (SELECT COALESCE(SUM(size), 0) FROM blobs WHERE state = 'pending')`).Scan(&reserved, &held)
		if err != nil || reserved != held {
			t.Errorf("%d bytes are reserved, pending objects hold %d: %v", reserved, held, err)
		}
		return reserved, held
	}
	left, _ := reserved()
	t.Logf("%d requests; %d blobs were left half-made, with %d bytes reserved", len(done), w.rows("blobs")-w.rows("files"), left)
	w.below.Advance(time.Hour)
	if err := w.Contents.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, blobs, objects := w.rows("files"), w.rows("blobs"), len(w.objects()); files != blobs || int(files) != objects {
		t.Errorf("after the sweep: %d files, %d blobs, %d objects", files, blobs, objects)
	}
	if left, _ := reserved(); left != 0 {
		t.Errorf("%d bytes are reserved after the sweep", left)
	}
	var counted, stored int64
	err := w.DB.QueryRow(t.Context(), `SELECT (SELECT SUM(bytes) FROM content_usage), (SELECT SUM(size) FROM files)`).Scan(&counted, &stored)
	if err != nil || counted != stored {
		t.Errorf("%d bytes are counted, %d stored: %v", counted, stored, err)
	}
	if len(done) < rounds {
		t.Errorf("only %d requests in %d rounds: the killed process did not get to work", len(done), rounds)
	}
}

// checkContents reads every file of the root; its name begins with half of its hash.
func (w *world) checkContents(t *testing.T) {
	t.Helper()
	entries, _, err := w.List(t.Context(), ada, "", "created", "", 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		o, _, err := w.Content(t.Context(), ada, e.ID)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		r, err := o.Open(t.Context(), 0, e.Size)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		h := sha256.New()
		_, err = io.Copy(h, r)
		if sum := hex.EncodeToString(h.Sum(nil)); err != nil || sum != e.SHA256 || !strings.HasPrefix(e.Name, sum[:32]) {
			t.Errorf("%s: %v, %s", e.Name, err, sum)
		}
		r.Close()
	}
}

// TestWorkUntilKilled is the process that [TestSurvivesKills] kills; on its own it does nothing.
func TestWorkUntilKilled(t *testing.T) {
	root := dbtest.WorkIn()
	if root == "" {
		return
	}
	w := crashWorld(t, root)
	ctx := t.Context()
	for i := 0; ; i++ {
		var seed [32]byte
		for j := range seed {
			seed[j] = byte(rand.IntN(256))
		}
		p := make([]byte, rand.IntN([]int{64 << 10, 500_000}[i%2])) // into SQL, and into the store
		usage, err := w.Contents.Usage(ctx, w.DB, ada)
		if err != nil {
			t.Fatal(err)
		}
		w.Contents.Quota = usage.Bytes + usage.Reserved + 4<<20 // what goes into the store is reserved
		rand.NewChaCha8(seed).Read(p)
		sum := sha256.Sum256(p)
		pair := hex.EncodeToString(sum[:16])
		u := w.NewUpload(ada)
		for _, name := range []string{".first", ".second"} {
			if err := u.Add(ctx, pair+name, content.UnknownType, strings.NewReader(string(p))); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Println("arrived", pair) // so that it is often killed before what it reserved is stored
		entries, err := u.Publish(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("uploaded", pair)
		renamed := pair + ".renamed"
		if i%2 == 0 {
			if _, err := w.Update(ctx, ada, entries[0].ID, Change{Name: &renamed}); err != nil {
				t.Fatal(err)
			}
			fmt.Println("renamed", pair)
		}
	}
}
