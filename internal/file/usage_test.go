package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// usage returns what the server says of an account.
func (w *world) usage(who account.ID) (u Usage) {
	w.t.Helper()
	a := w.call(who, "GET", "/files/usage", nil)
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("usage: %d %s", a.StatusCode, a.body)
	}
	a.json(w.t, &u)
	return u
}

// TestUsage: the usage names everything that counts, once, and the largest files with their
// place. What is in the trash counts there and is not among the largest.
func TestUsage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		if u := w.usage(ada); u.Bytes != 0 || u.Files != 0 || u.QuotaBytes != nil || u.QuotaFiles != nil || len(u.Largest) != 0 {
			t.Errorf("of an account without files: %+v", u)
		}
		for i := range largestPage + 10 { // each in a folder of its own
			f := w.mustFolder(ada, "", fmt.Sprint("old ", i))
			w.mustUpload(ada, f.ID, upFile{"old", "", pattern(71_000)})
			w.trash(f)
		}
		a := w.mustFolder(ada, "", "a")
		b := w.mustFolder(ada, a.ID, "b")
		deep := w.mustUpload(ada, b.ID, upFile{"deep", "", pattern(500)})
		w.mustUpload(ada, "", upFile{"top", "", pattern(70_000)})
		for i := range 11 {
			w.mustUpload(ada, a.ID, upFile{"small", "", pattern(i)})
		}
		gone := w.mustFolder(ada, "", "gone")
		in := w.mustFolder(ada, gone.ID, "in")
		w.mustUpload(ada, gone.ID, upFile{"1", "", pattern(1_000)})
		w.mustUpload(ada, in.ID, upFile{"2", "", pattern(80_000)})
		w.mustUpload(bob, "", upFile{"bob's", "", pattern(90_000)})
		if err := w.Trash(t.Context(), ada, gone.ID); err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			bytes, files := int64(1<<30), int64(100)
			return w.Contents.SetQuota(t.Context(), tx, ada, &bytes, &files)
		}); err != nil {
			t.Fatal(err)
		}
		u := w.usage(ada)
		if u.Bytes != 500+70_000+55+81_000+60*71_000 || u.Files != 15+60 || u.Reserved != 0 || *u.QuotaBytes != 1<<30 || *u.QuotaFiles != 100 {
			t.Errorf("usage %+v", u)
		}
		if u.Trash != (Amount{81_000 + 60*71_000, 2 + 60}) || u.Versions != (Amount{}) {
			t.Errorf("trash %+v, versions %+v", u.Trash, u.Versions)
		}
		if len(u.Largest) != 10 || u.Largest[0].Name != "top" || len(u.Largest[0].Path) != 0 || u.Largest[1].ID != deep.ID || u.Largest[2].Size != 10 || u.Largest[9].Size != 3 {
			t.Fatalf("largest %+v", u.Largest)
		}
		if p := u.Largest[1].Path; len(p) != 2 || p[0] != (Step{a.ID, "a"}) || p[1] != (Step{b.ID, "b"}) {
			t.Errorf("the way is %+v", p)
		}
	})
}

// TestQuotaBeforeTheBody: a request that cannot fit is refused before its body is read. One
// whose length is not known is refused as it comes in.
func TestQuotaBeforeTheBody(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	limit := func(bytes, files int64) {
		t.Helper()
		if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Contents.SetQuota(t.Context(), tx, ada, &bytes, &files) }); err != nil {
			t.Fatal(err)
		}
	}
	limit(1_000, 1)
	patient := &http.Transport{ExpectContinueTimeout: time.Minute} // sends no body before it is asked
	t.Cleanup(patient.CloseIdleConnections)
	post := func(length int64, body io.Reader) int {
		t.Helper()
		r, err := http.NewRequestWithContext(context.Background(), "POST", w.http.URL+"/v1/files", body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		r.Header.Set("Authorization", string(ada))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		r.Header.Set("Expect", "100-continue")
		resp, err := (&http.Client{Transport: patient}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(answer), `"quota_exceeded"`) {
			t.Errorf("%d %s %v", resp.StatusCode, answer, err)
		}
		return resp.StatusCode
	}
	unread := func() io.Reader {
		return readFunc(func([]byte) (int, error) {
			t.Error("the body was read")
			return 0, errors.New("read")
		})
	}
	if status := post(2<<20, unread()); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", status)
	}
	form := "--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n" + pattern(1_001) + "\r\n--b--\r\n"
	if status := post(-1, strings.NewReader(form)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("of unknown length: %d", status)
	}
	w.nothing("after the refusals")
	w.mustUpload(ada, "", upFile{"f", "", ""})
	if status := post(10, unread()); status != http.StatusRequestEntityTooLarge {
		t.Errorf("no more files: %d", status)
	}
}
