package pin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/ipfs"
	"coffer/internal/pinning/pinningtest"
)

// TestFile pins a file encrypted and plain at both providers, and opens what came about.
func TestFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		plain := pattern(3_500_000)
		id := w.upload(w.ada, "", "holiday.txt", plain)
		p := w.pin(id, "")
		if p.State != Queued || p.CID != nil || !p.Encrypt || p.Size != int64(len(plain)) || p.Name != "holiday.txt" || *p.FileID != id || p.Link != "" {
			t.Errorf("%+v", p)
		}
		w.run()
		p = w.get(p.ID)
		if p.State != Verified || len(p.Targets) != 2 || p.VerifiedAt == nil || p.Link == "" || len(p.Ledger) != 1 {
			t.Fatalf("%+v", p)
		}
		if at := w.at(p, "pinata"); at.GatewayURL != w.pinata.URL+"/ipfs/"+*p.CID {
			t.Errorf("%+v", at)
		}
		for _, s := range []*pinningtest.Server{w.pinata, w.kubo} {
			if got := s.Roots(); !slices.Equal(got, []string{*p.CID}) {
				t.Errorf("it holds %v", got)
			}
		}
		opened, err := w.open(p.Link)
		if err != nil {
			t.Fatal(err)
		}
		if opened.Name != "holiday.txt" || len(opened.Folders) != 0 {
			t.Errorf("%+v", opened.Manifest)
		}
		if diff := cmp.Diff(map[string]string{"holiday.txt": string(plain)}, contents(t, opened)); diff != "" {
			t.Error("another content")
		}

		// The plain one has the identifier of its bytes, by the profile alone.
		want, err := ipfs.File(bytes.NewReader(plain), ipfs.Sink{})
		if err != nil {
			t.Fatal(err)
		}
		public := w.verified(id, `"encrypt":false`)
		if *public.CID != want.CID.String() || public.Link != "" || *public.CID == *p.CID {
			t.Errorf("%+v, want %s", public, want.CID)
		}
		again := w.verified(id, "")
		if *again.CID == *p.CID || again.Link == p.Link {
			t.Error("two encrypted pins of one content are alike")
		}
		if got := w.kinds(); !slices.Equal(got, []string{"pin", "pin", "pin"}) {
			t.Errorf("the ledger says %v", got)
		}
		w.noPlaintext(d, "holiday.txt")
	})
}

// noPlaintext looks for a name in the rows of the room.
func (w *world) noPlaintext(d *db.DB, name string) {
	w.t.Helper()
	for _, q := range []string{`SELECT details FROM pins`, `SELECT details FROM pin_files`} {
		rows, err := d.Query(w.t.Context(), q)
		if err != nil {
			w.t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var b []byte
			if err := rows.Scan(&b); err != nil {
				w.t.Fatal(err)
			}
			if bytes.Contains(b, []byte(name)) {
				w.t.Errorf("%s shows the name", q)
			}
		}
	}
}

// tree makes a folder with what folders may have.
func (w *world) tree() (id string, want map[string]string) {
	w.t.Helper()
	id = w.folder("", "trip")
	sub := w.folder(id, "photos")
	w.folder(sub, "empty")
	want = map[string]string{"a.txt": "alpha", "none": "", "photos/big": string(pattern(2_200_000)), "photos/same": "alpha"}
	for _, f := range [][3]string{{id, "a.txt"}, {id, "none"}, {sub, "big", "photos/"}, {sub, "same", "photos/"}} {
		w.upload(w.ada, f[0], f[1], []byte(want[f[2]+f[1]]))
	}
	return id, want
}

// TestFolder pins a folder encrypted, and plain.
func TestFolder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id, want := w.tree()
		p := w.verified(id, atKubo)
		opened, err := w.open(p.Link)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, contents(t, opened)); diff != "" {
			t.Errorf("%.400s", diff)
		}
		if opened.Name != "trip" || !slices.Equal(opened.Folders, []string{"photos", "photos/empty"}) {
			t.Errorf("%+v", opened.Manifest)
		}
		public := w.verified(id, `"encrypt":false,`+atKubo)
		for path, content := range map[string]string{"/a.txt": "alpha", "/photos/same": "alpha", "/none": ""} {
			a := w.do("", "GET", "/ipfs/"+*public.CID+path+"?format=raw", "")
			if a.StatusCode != http.StatusOK || string(a.body) != content {
				t.Errorf("%s: %d %q", path, a.StatusCode, a.body)
			}
		}
		// A later change of the folder changes nothing of the pins.
		w.upload(w.ada, id, "later.txt", []byte("later"))
		if w.is(w.do("", "GET", "/ipfs/"+*public.CID+"/later.txt?format=raw", ""), http.StatusNotFound, "not_found"); w.get(public.ID).State != Verified {
			t.Error("a pin follows its folder")
		}
	})
}

// TestRefusals asks for what cannot be pinned.
func TestRefusals(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.upload(w.ada, "", "a", []byte("a"))
	post := func(who, id, body string) reply { return w.do(w.ada, "POST", "/v1/files/"+id+"/pins", body) }
	w.is(post("", "01890000-0000-7000-8000-000000000000", `{}`), http.StatusNotFound, "not_found")
	w.is(post("", id, `{"targets":["nowhere"]}`), http.StatusUnprocessableEntity, "validation_failed")
	w.is(post("", id, `{"targets":[]}`), http.StatusUnprocessableEntity, "validation_failed")
	w.is(w.do(w.bob, "POST", "/v1/files/"+id+"/pins", `{}`), http.StatusNotFound, "not_found")
	w.pin(id, `"encrypt":false`)
	w.is(post("", id, `{"encrypt":false}`), http.StatusConflict, "already_pinned")
	p := w.pin(id, "")
	w.run()
	w.pin(id, `"encrypt":false`) // the first one is done
	for _, path := range []string{"", "/verify", "/retry"} {
		method := "POST"
		if path == "" {
			method = "DELETE"
		}
		w.is(w.do(w.bob, method, "/v1/pins/"+p.ID+path, ""), http.StatusNotFound, "not_found")
	}
	w.is(w.do(w.bob, "GET", "/v1/pins/"+p.ID, ""), http.StatusNotFound, "not_found")
	w.is(w.do(w.ada, "GET", "/v1/pins/x", ""), http.StatusNotFound, "not_found")
	w.is(w.do(w.ada, "POST", "/v1/pins/"+p.ID+"/retry", ""), http.StatusConflict, "not_failed")
	if a := w.do(w.bob, "GET", "/v1/pins", ""); !strings.Contains(string(a.body), `"items":[]`) {
		t.Errorf("bob sees %s", a.body)
	}
	w.PinMax = 0
	w.is(post("", id, `{}`), http.StatusConflict, "pin_too_large")
	w.targets, w.Targets = nil, nil
	w.is(post("", id, `{}`), http.StatusConflict, "no_pin_target")
}

// TestLongPaths: what is kept of a pin has a bound, which a small tree of long names reaches.
func TestLongPaths(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	top := w.folder("", "top")
	parent, length := top, 0
	for range 60 {
		parent = w.folder(parent, strings.Repeat("x", 250))
		length += 251
	}
	for i := range maxPathSize / length {
		w.folder(parent, strconv.Itoa(i))
	}
	w.is(w.do(w.ada, "POST", "/v1/files/"+top+"/pins", `{}`), http.StatusConflict, "pin_too_large")
}

// TestNoBody: a call that says nothing publishes encrypted, everywhere.
func TestNoBody(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.upload(w.ada, "", "a", []byte("a"))
	if p := w.call(w.ada, "POST", "/files/"+id+"/pins", "", http.StatusAccepted); !p.Encrypt || len(p.Targets) != 2 {
		t.Errorf("%+v", p)
	}
	w.is(w.do(w.ada, "POST", "/v1/files/"+id+"/pins", "[]"), http.StatusUnprocessableEntity, "validation_failed")
}

// TestRemove takes pins away. The objects stay for as long as something needs them.
func TestRemove(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.upload(w.ada, "", "a", pattern(1_200_000))
		before, _ := w.Contents.Usage(t.Context(), d, w.ada)
		p := w.verified(id, "")
		if use, _ := w.Contents.Usage(t.Context(), d, w.ada); use.Files != before.Files+1 || use.Bytes != before.Bytes {
			t.Errorf("%+v, before %+v", use, before)
		}
		// The file goes for good: the pin stays, and says so.
		if err := w.Files.Delete(t.Context(), w.ada, id); err != nil {
			t.Fatal(err)
		}
		w.run()
		if p = w.get(p.ID); p.FileID != nil || p.State != Verified || p.Name != "a" {
			t.Errorf("%+v", p)
		}
		w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusTooManyRequests, RetryAfter: "600"})
		if got := w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted); got.State != Removing {
			t.Errorf("%+v", got)
		}
		w.is(w.do("", "GET", "/ipfs/"+*p.CID+"?format=raw", ""), http.StatusNotFound, "not_found")
		w.run()
		if got := w.get(p.ID); got.State != Removing || len(got.Targets) != 1 || got.Targets[0].Name != "kubo" || len(w.pinata.Roots()) != 0 {
			t.Errorf("%+v; %v", got, w.pinata.Roots())
		}
		calls := w.kubo.Calls("POST /api/v0/pin/rm")
		w.later(5 * time.Minute)
		if w.kubo.Calls("POST /api/v0/pin/rm") != calls {
			t.Error("the provider is asked before the time that it named")
		}
		w.kubo.Misbehave(pinningtest.Faults{})
		w.later(6 * time.Minute)
		w.is(w.do(w.ada, "GET", "/v1/pins/"+p.ID, ""), http.StatusNotFound, "not_found")
		if got := w.kinds(); !slices.Equal(got, []string{"pin", "unpin"}) || len(w.kubo.Roots()) != 0 {
			t.Errorf("the ledger says %v; %v", got, w.kubo.Roots())
		}
		if use, _ := w.Contents.Usage(t.Context(), d, w.ada); use.Files != 0 || use.Bytes != 0 {
			t.Errorf("%+v is left", use)
		}
		for _, table := range []string{"pins", "pin_targets", "pin_files", "pin_blocks", "pin_copies"} {
			if n := w.rows(table); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
	})
}

// TestUnpinNamesTheFile takes a public file from IPFS, and the account of another. Both entries
// have the file's hash, as those of the pins have. The hash of an encrypted one is in none.
func TestUnpinNamesTheFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		content := pattern(5_000)
		id := w.upload(w.ada, "", "a", content)
		p := w.verified(id, `"encrypt":false,`+atKubo)
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		w.run()
		w.verified(id, `"encrypt":false,`+atKubo)
		w.verified(id, atKubo)
		if err := w.Accounts.Forget(t.Context(), w.ada); err != nil {
			t.Fatal(err)
		}
		w.run()
		sum, none := sha256.Sum256(content), [32]byte{}
		public := *p.CID
		rows, err := d.Query(t.Context(), `SELECT kind, cid, digest FROM ledger_entries ORDER BY n`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		seen := map[string]int{}
		for rows.Next() {
			var kind, cid string
			var digest []byte
			if err := rows.Scan(&kind, &cid, &digest); err != nil {
				t.Fatal(err)
			}
			want := none
			if cid == public {
				want = sum
				seen[kind]++
			}
			if !bytes.Equal(digest, want[:]) {
				t.Errorf("%s %s: digest %x, want %x", kind, cid, digest, want)
			}
		}
		if err := rows.Err(); err != nil || seen["pin"] != 2 || seen["unpin"] != 2 {
			t.Errorf("%v, %v", seen, err)
		}
	})
}

// TestSharedCopy pins one plain content by two accounts. It stays until both are done.
func TestSharedCopy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		same := pattern(50_000)
		p := w.verified(w.upload(w.ada, "", "a", same), `"encrypt":false`)
		q, err := w.Create(t.Context(), w.bob, w.upload(w.bob, "", "b", same), false, nil)
		if err != nil {
			t.Fatal(err)
		}
		puts := w.kubo.Calls("POST /api/v0/dag/import")
		w.run()
		if q, err = w.Get(t.Context(), w.bob, q.ID); err != nil || q.State != Verified || *q.CID != *p.CID {
			t.Fatalf("%+v, %v", q, err)
		}
		if w.kubo.Calls("POST /api/v0/dag/import") != puts {
			t.Error("what is there was sent again")
		}
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		w.run()
		if got := w.kubo.Roots(); !slices.Equal(got, []string{*p.CID}) || len(w.pinata.Roots()) != 1 {
			t.Errorf("the other pin lost its copy: %v", got)
		}
		if a := w.do("", "GET", "/ipfs/"+*p.CID+"?format=raw", ""); a.StatusCode != http.StatusOK || !bytes.Equal(a.body, same) {
			t.Errorf("the gateway: %d", a.StatusCode)
		}
		if _, err := w.Remove(t.Context(), w.bob, q.ID); err != nil {
			t.Fatal(err)
		}
		w.run()
		if len(w.kubo.Roots())+len(w.pinata.Roots()) != 0 || w.rows("pin_copies") != 0 {
			t.Errorf("%v, %v", w.kubo.Roots(), w.pinata.Roots())
		}
	})
}

// TestForget deletes an account. Its copies go at the providers; the ledger keeps its entries
// and no tie.
func TestForget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		shared := pattern(40_000)
		w.verified(w.upload(w.ada, "", "a", pattern(30_000)), "")
		mine := w.verified(w.upload(w.ada, "", "b", shared), `"encrypt":false`)
		w.pin(w.upload(w.ada, "", "c", []byte("c")), "") // not begun
		if _, err := w.Create(t.Context(), w.bob, w.upload(w.bob, "", "b", shared), false, nil); err != nil {
			t.Fatal(err)
		}
		w.run()
		if err := w.Accounts.Forget(t.Context(), w.ada); err != nil {
			t.Fatal(err)
		}
		w.run()
		if got := w.kubo.Roots(); !slices.Equal(got, []string{*mine.CID}) {
			t.Errorf("the node holds %v", got)
		}
		if w.rows("pins") != 1 || w.rows("pin_copies") != 2 || w.rows("pin_targets") != 2 || w.rows("pin_files") != 1 {
			t.Errorf("%d pins, %d copies, %d targets", w.rows("pins"), w.rows("pin_copies"), w.rows("pin_targets"))
		}
		var ties int
		if err := d.QueryRow(context.Background(), `SELECT COUNT(*) FROM ledger_owners WHERE account = $1`, string(w.ada)).Scan(&ties); err != nil || ties != 0 {
			t.Errorf("%d ties, %v", ties, err)
		}
		if got := w.kinds(); !slices.Equal(got, []string{"pin", "pin", "pin", "pin", "unpin", "unpin", "unpin"}) {
			t.Errorf("the ledger says %v", got)
		}
	})
}

// TestLists pages through pins.
func TestLists(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.upload(w.ada, "", "a", []byte("a"))
	other := w.upload(w.ada, "", "b", []byte("b"))
	var want []string
	for range 5 {
		want = append(want, w.pin(id, atKubo).ID)
		w.below.Advance(time.Second)
	}
	w.pin(other, atKubo)
	slices.Reverse(want)
	var got []string
	for cursor := ""; ; {
		pins, next, err := w.List(t.Context(), w.ada, string(Queued), id, cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pins {
			got = append(got, p.ID)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if a := w.do(w.ada, "GET", "/v1/pins?state=failed", ""); !strings.Contains(string(a.body), `"items":[]`) {
		t.Errorf("%s", a.body)
	}
	w.is(w.do(w.ada, "GET", "/v1/pins?cursor=AAAA", ""), http.StatusUnprocessableEntity, "validation_failed")
	if a := w.do(w.ada, "GET", "/v1/pins/targets", ""); !strings.Contains(string(a.body), `"name":"pinata"`) || !strings.Contains(string(a.body), `"kind":"kubo"`) {
		t.Errorf("%s", a.body)
	}
}

// TestCopy brings every pin to one more target.
func TestCopy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.verified(w.upload(w.ada, "", "a", pattern(1_500_000)), atKubo)
		waiting := w.pin(w.upload(w.ada, "", "b", []byte("b")), atKubo)
		if n, err := w.CopyAll(t.Context(), "pinata"); err != nil || n != 2 {
			t.Fatalf("%d, %v", n, err)
		}
		if n, err := w.CopyAll(t.Context(), "pinata"); err != nil || n != 0 {
			t.Errorf("again: %d, %v", n, err)
		}
		if _, err := w.CopyAll(t.Context(), "nowhere"); err == nil {
			t.Error("there is no such target")
		}
		w.run()
		for _, id := range []string{p.ID, waiting.ID} {
			w.holds(id, "pinata", Verified, "")
			w.holds(id, "kubo", Verified, "")
		}
		if got := w.pinata.Roots(); len(got) != 2 {
			t.Errorf("%v", got)
		}
		if n, err := w.VerifyAll(t.Context(), p.ID); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := w.VerifyAll(t.Context(), "x"); err != ErrNoPin {
			t.Error(err)
		}
	})
}
