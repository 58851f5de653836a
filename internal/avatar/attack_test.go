package avatar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// A picture that comes slowly gives its place to another one, after twenty seconds. One that is
// all here keeps it.
func TestSlowGivesWay(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	ada := w.below.Join("ada")
	slow := w.http.URL + "/v1/account/avatar"
	answers := make(chan int, maxAtOnce)
	var keepOpen []*io.PipeWriter
	send := func(who account.ID) {
		r, more := io.Pipe()
		keepOpen = append(keepOpen, more)
		req, err := http.NewRequestWithContext(t.Context(), "PUT", slow, r)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", string(who))
		go func() {
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				answers <- 0
				return
			}
			res.Body.Close()
			answers <- res.StatusCode
		}()
		if _, err := more.Write([]byte("half")); err != nil {
			t.Fatal(err)
		}
	}
	coming := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.running)
	}
	whole, err := w.begin(t.Context(), "early", nil)
	if err != nil {
		t.Fatal(err)
	}
	whole.whole = true
	for n := range maxAtOnce - 1 {
		send(w.below.Join(fmt.Sprint("slow-", n)))
		for coming() < n+2 {
			time.Sleep(time.Millisecond)
		}
		w.below.Advance(time.Millisecond)
	}
	good := plain(t, 8, 8, red)
	w.below.Advance(enoughTime - time.Second)
	if _, err := w.Set(t.Context(), ada, bytes.NewReader(good), Square{}); fault.Of(err).Code != "busy" {
		t.Errorf("before their time is over: %v", err)
	}
	w.below.Advance(time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := w.Set(ctx, ada, bytes.NewReader(good), Square{}); err != nil {
		t.Fatal(err)
	}
	if got := <-answers; got != http.StatusServiceUnavailable {
		t.Errorf("the slow one: %d", got)
	}
	n := coming()
	w.mu.Lock()
	kept := w.running[whole]
	w.mu.Unlock()
	if len(answers) != 0 || n != maxAtOnce-1 || !kept {
		t.Errorf("%d answers, %d are on their way", len(answers), n)
	}
	for _, more := range keepOpen {
		more.CloseWithError(errors.New("over"))
	}
}

// A row that was written by hand, moved or dated anew is a picture of no account and is served
// to nobody. Its account can have another one.
func TestPlantedRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, change := range []string{
			`UPDATE avatars SET account = $1 WHERE account = $2`,
			`UPDATE avatars SET created_at = created_at + 1 WHERE $1 <> account AND account = $2`,
			`UPDATE avatars SET proof = NULL WHERE $1 <> account AND account = $2`,
		} {
			w := newWorld(t, d, nil)
			name := fmt.Sprint(len(change))
			ada, bob := w.below.Join("ada-"+name), w.below.Join("bob-"+name)
			p := w.set(bob, plain(t, 8, 8, red))
			if _, err := d.Exec(t.Context(), change, string(ada), string(bob)); err != nil {
				t.Fatal(err)
			}
			for _, who := range []account.ID{ada, bob} {
				var got account.Profile
				err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
					key, err := w.Accounts.DataKey(t.Context(), tx, who)
					if err != nil {
						return err
					}
					got.Avatar, err = w.read(t.Context(), tx, key, who)
					return err
				})
				if err != nil || got.Avatar != nil {
					t.Errorf("%s: %+v, %v", change, got.Avatar, err)
				}
			}
			if _, err := w.Read(t.Context(), p.ID, 64); fault.Of(err).Code != "not_found" {
				t.Errorf("%s: it is served: %v", change, err)
			}
			for _, who := range []account.ID{ada, bob} {
				if next := w.set(who, plain(t, 8, 8, blue)); w.profile(who) == nil || w.profile(who).ID != next.ID {
					t.Errorf("%s: the next picture is not shown", change)
				}
			}
		}
	})
}
