package share

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/file"
	"coffer/internal/rest"
)

// TestHandIn: what comes in by a link that requests files.
func TestHandIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "Inbox")
		w.upload(folder, "a.txt", "mine")
		sh := w.share(folder, Request, `,"max_files":5,"max_file_bytes":1000,"accept":[".txt",".PDF"],"note":"Please"`)
		v := good[Visit](w, w.guest(sh.Token, "GET", "", ""), 200)
		if v.Kind != Request || v.Name != "Inbox" || v.Note != "Please" || *v.FilesLeft != 5 || *v.MaxFileBytes != 1000 || len(v.Accept) != 2 || len(v.Items) != 0 || v.Entry != nil {
			t.Errorf("%+v", v)
		}
		// A name that is taken is numbered, and the sender does not learn it.
		got := good[handedAnswer](w, w.handIn(sh.Token, map[string]string{"from": " Eve\u202e\n "}, "a.txt", "hers", "b.PdF", strings.Repeat("x", 1000)), 201)
		if diff := cmp.Diff(handedAnswer{[]file.Handed{{Name: "a.txt", Size: 4}, {Name: "b.PdF", Size: 1000}}}, got); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"a (1).txt", "a.txt", "b.PdF"}, w.names(folder)); diff != "" {
			t.Error(diff)
		}
		for what, r := range map[string]struct {
			fields map[string]string
			files  []string
			want   string
		}{
			"an ending":       {nil, []string{"ok.txt", "x", "evil.exe", "x"}, `"pointer":"/files/1/name"`},
			"an ending twice": {nil, []string{"evil.txt.exe", "x"}, `"pointer":"/files/0/name"`},
			"a size":          {nil, []string{"ok.txt", "x", "big.txt", strings.Repeat("x", 1001)}, `"pointer":"/files/1/size"`},
			"a number":        {nil, []string{"1.txt", "", "2.txt", "", "3.txt", "", "4.txt", ""}, `"pointer":"/files"`},
			"a name":          {nil, []string{"...", "x"}, `"pointer":"/files/0/name"`},
			"a parent":        {map[string]string{"parent": ""}, []string{"a.txt", "x"}, "unknown_field"},
			"a replacement":   {map[string]string{"replace": "true"}, []string{"a.txt", "x"}, "unknown_field"},
			"a long sender":   {map[string]string{"from": strings.Repeat("é", 101)}, []string{"a.txt", "x"}, `"pointer":"/from"`},
			"nothing":         {nil, nil, `"pointer":"/files"`},
		} {
			if a := w.handIn(sh.Token, r.fields, r.files...); a.StatusCode != 422 || !strings.Contains(string(a.body), r.want) {
				t.Errorf("%s: %d %s", what, a.StatusCode, a.body)
			}
		}
		if s := good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200); s.Files != 2 || s.State != "open" || len(w.names(folder)) != 3 {
			t.Errorf("after refusals: %+v", s)
		}
		// A path in a name is none; a form in the query is none.
		got = good[handedAnswer](w, w.handIn(sh.Token, nil, "../../up.txt", "x", `C:\down.txt`, "x"), 201)
		if got.Items[0].Name != "up.txt" || got.Items[1].Name != "down.txt" {
			t.Errorf("%+v", got)
		}
		good[handedAnswer](w, w.handIn(sh.Token, nil, "last.txt", ""), 201)
		w.is(w.handIn(sh.Token, nil, "more.txt", ""), 404, "share_not_found")
		w.is(w.guest(sh.Token, "GET", "", ""), 404, "share_not_found")

		uses := good[rest.Page[Use]](w, w.call(w.ada, "GET", "/shares/"+sh.ID+"/uses", ""), 200).Items
		var lines []string
		for _, u := range uses {
			lines = append(lines, u.Action+"|"+u.From+"|"+u.Path)
		}
		if len(lines) != 3 || !strings.Contains(strings.Join(lines, ";"), "upload|Eve|a.txt\nb.PdF") {
			t.Errorf("%q", lines)
		}
	})
}

// TestOwnerIsTold of files that came in: by mail once an hour and link.
func TestOwnerIsTold(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	sh, other := w.share(w.folder("", "d"), Request, ""), w.share(w.folder("", "e"), Request, "")
	mails := func() (n int64) {
		if err := w.DB.QueryRow(t.Context(), `SELECT COUNT(*) FROM jobs WHERE kind = 'mail'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := mails()
	for i, want := range []int64{1, 1, 2} {
		if i == 2 {
			w.below.Advance(tellEvery)
		}
		good[handedAnswer](w, w.handIn(sh.Token, nil, "a.txt", "x"), 201)
		if got := mails() - before; got != want {
			t.Errorf("after upload %d: %d mails, want %d", i+1, got, want)
		}
	}
	good[handedAnswer](w, w.handIn(other.Token, nil, "a.txt", "x"), 201)
	if got := mails() - before; got != 3 {
		t.Errorf("another link: %d mails", got)
	}
}

// TestHandInRace: of uploads at once on two nodes as many pass as the link takes files.
func TestHandInRace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "d")
		sh := w.share(folder, Request, `,"max_files":7`)
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				body, contentType := form(nil, fmt.Sprint(i, "a"), "x", fmt.Sprint(i, "b"), "x")
				a, err := w.do(i%2, "", "POST", "/public/shares/"+sh.Token+"/files", body, "Content-Type", contentType)
				switch {
				case err != nil:
					t.Error(err)
				case a.StatusCode == 201:
					passed.Add(1)
				case a.StatusCode != 422 && a.StatusCode != 404:
					t.Errorf("%d %s", a.StatusCode, a.body)
				}
			})
		}
		all.Wait()
		s := good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200)
		if passed.Load() != 3 || s.Files != 6 || len(w.names(folder)) != 6 {
			t.Errorf("%d pairs passed, %d files are counted, %d are there", passed.Load(), s.Files, len(w.names(folder)))
		}
		good[handedAnswer](w, w.handIn(sh.Token, nil, "last", ""), 201)
	})
}

// TestHandInQuota: files that come in count against the owner's quota.
func TestHandInQuota(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder := w.folder("", "d")
	sh := w.share(folder, Request, "")
	most := int64(1000)
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Contents.SetQuota(t.Context(), tx, w.ada, &most, nil) }); err != nil {
		t.Fatal(err)
	}
	w.is(w.handIn(sh.Token, nil, "a", strings.Repeat("x", 1001)), 413, "quota_exceeded")
	good[handedAnswer](w, w.handIn(sh.Token, nil, "a", strings.Repeat("x", 1000)), 201)
	if s := good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200); s.Files != 1 || len(w.names(folder)) != 1 {
		t.Errorf("%+v", s)
	}
}
