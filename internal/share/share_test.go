package share

import (
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// TestShare is a link from its making to its end, as owner and guest see it.
func TestShare(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "Holiday")
		w.upload(folder, "a.txt", "hello")
		sh := w.share(folder, Read, `,"note":"See you","max_downloads":3`)
		t.Log(sh)
		a := w.guest(sh.Token, "GET", "", "")
		t.Log(string(a.body), a.Header)
		a = w.guest(sh.Token, "GET", "/content?path=a.txt", "")
		t.Log(string(a.body), a.Header)
		a = w.guest(sh.Token, "GET", "/archive", "")
		t.Log(a.StatusCode, len(a.body), a.Header)
		r := w.share(folder, Request, `,"max_files":3`)
		a = w.handIn(r.Token, map[string]string{"from": "Eve"}, "b.txt", "x")
		t.Log(a.StatusCode, string(a.body))
		a = w.call(w.ada, "GET", "/shares", "")
		t.Log(a.StatusCode, string(a.body))
		a = w.call(w.ada, "GET", "/shares/"+r.ID+"/uses", "")
		t.Log(a.StatusCode, string(a.body))
		a = w.call(w.ada, "PATCH", "/shares/"+r.ID, `{"note":null,"password":"hunter22","accept":[".pdf"]}`)
		t.Log(a.StatusCode, string(a.body))
		a = w.guest(r.Token, "GET", "", "")
		t.Log(a.StatusCode, string(a.body))
		a = w.guest(r.Token, "POST", "/unlock", `{"password":"hunter22"}`)
		t.Log(a.StatusCode, string(a.body), a.Header)
	})
}
