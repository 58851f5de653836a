package file

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db/dbtest"
)

// TestPlaces: copies of folders of one account run one at a time, and leave those of others their places.
// A file needs none. An account that has several waiting is refused.
func TestPlaces(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder, other := w.mustFolder(ada, "", "folder"), w.mustFolder(bob, "", "folder")
	file := w.mustUpload(ada, "", upFile{"file", "", "content"})
	copied := func(owner account.ID, id string, within time.Duration) error {
		ctx, end := context.WithTimeout(t.Context(), within)
		defer end()
		_, err := w.Copy(ctx, owner, id, Place{})
		return err
	}
	const minute, soon = time.Minute, 50 * time.Millisecond
	leave, err := w.copies.Take(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	if err := copied(ada, folder.ID, soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside one that runs: %v", err)
	}
	if err := errors.Join(copied(ada, file.ID, minute), copied(bob, other.ID, minute)); err != nil {
		t.Error(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var waiting sync.WaitGroup
	for range placeWaiters {
		l := w.copies.enter(ada) // as Take does
		waiting.Go(func() {
			<-ctx.Done()
			w.copies.mu.Lock()
			defer w.copies.mu.Unlock()
			l.calls--
		})
	}
	if a := w.call(ada, "POST", "/files/"+folder.ID+"/copy", "{}"); a.problem(t) != "Service Unavailable busy" || a.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %d %s", a.StatusCode, a.body)
	}
	end()
	waiting.Wait()
	leave()
	if a := w.call(ada, "POST", "/files/"+folder.ID+"/copy", "{}"); a.StatusCode != http.StatusCreated {
		t.Errorf("then: %d %s", a.StatusCode, a.body)
	}
	if len(w.copies.lines) != 0 || len(w.copies.free) != 0 {
		t.Errorf("%d accounts and %d places are kept", len(w.copies.lines), len(w.copies.free))
	}
}
