package account

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/lang"
)

// exportOf asks for an account's archive over HTTP and opens it.
func (w *world) exportOf(id ID) map[string]string {
	w.t.Helper()
	got := send(w.serve(), "GET", "/account/export", string(id), "")
	if got.Status != 200 || got.Header.Get("Content-Type") != "application/zip" || got.Header.Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(got.Header.Get("Content-Disposition"), `attachment; filename="coffer-`) {
		w.t.Fatalf("%d %v", got.Status, got.Header)
	}
	z, err := zip.NewReader(strings.NewReader(got.Body), int64(len(got.Body)))
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		body, err := f.Open()
		if err != nil {
			w.t.Fatal(err)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			w.t.Fatal(err)
		}
		all[f.Name] = string(b)
	}
	return all
}

func TestExport(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	in := person1("ada")
	in.FirstName = "<script>ada"
	id := w.join(in)
	w.Keep("none", Keeper{Export: func(_ context.Context, got ID, to *Archive) error {
		if got != id {
			t.Errorf("asked for %s", got)
		}
		return to.PutAll("none.json", func(func(any, error) bool) {})
	}})
	w.Keep("some", Keeper{Export: func(_ context.Context, _ ID, to *Archive) error {
		return to.PutAll("some.json", func(yield func(any, error) bool) {
			_ = yield(map[string]int{"a": 1}, nil) && yield("<b>", nil)
		})
	}})
	w.Protect("lock", func(context.Context, db.Querier, ID) (Protection, error) {
		return Protection{Enabled: true, Hint: "a…b"}, nil
	})
	w.address(id, "second", "ada@second.example", false)
	for _, l := range lang.All() {
		if _, err := w.Change(t.Context(), id, Changes{Lang: &l}); err != nil {
			t.Fatal(err)
		}
		all := w.exportOf(id)
		var got exported
		if err := json.Unmarshal([]byte(all["account.json"]), &got); err != nil {
			t.Fatal(err)
		}
		if got.ID != id || got.Email != in.Email || got.Username != in.Username || got.FirstName != in.FirstName || got.Role != User ||
			got.Status != Active || got.Language != l || !got.Security["lock"].Enabled || got.Security["lock"].Hint != "a…b" || got.ExportedAt.IsZero() {
			t.Errorf("account.json: %+v", got)
		}
		if len(got.Addresses) != 2 || got.Addresses[0].Email != in.Email || got.Addresses[0].VerifiedAt == nil ||
			got.Addresses[1].Email != "ada@second.example" || got.Addresses[1].VerifiedAt != nil {
			t.Errorf("addresses: %+v", got.Addresses)
		}
		var none, some []any
		if json.Unmarshal([]byte(all["none.json"]), &none) != nil || json.Unmarshal([]byte(all["some.json"]), &some) != nil || len(none) != 0 || len(some) != 2 {
			t.Errorf("none.json %q, some.json %q", all["none.json"], all["some.json"])
		}
		page := all["index.html"]
		for _, want := range []string{`lang="` + l + `"`, `href="account.json"`, `href="some.json"`, "&lt;script&gt;ada"} {
			if !strings.Contains(page, want) {
				t.Errorf("index.html in %s lacks %s:\n%s", l, want, page)
			}
		}
		if strings.Contains(page, "<script") {
			t.Error("a name becomes markup")
		}
		if strings.Contains(strings.Join([]string{all["account.json"], page}, ""), "argon2") {
			t.Error("a hash is exported")
		}
	}
}

// TestExportFails: a refusal comes before the first byte, and a part that fails leaves the
// zip without an end.
func TestExportFails(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	nobody := send(w.serve(), "GET", "/account/export", "01900000-0000-7000-8000-000000000000", "")
	if nobody.Status != 404 || nobody.Code != "not_found" {
		t.Errorf("an account that does not exist: %+v", nobody)
	}
	id := w.join(person1("ada"))
	down := errors.New("down")
	var fails func(to *Archive) error
	w.Keep("fails", Keeper{Export: func(_ context.Context, _ ID, to *Archive) error { return fails(to) }})
	for name, f := range map[string]func(to *Archive) error{
		"at once": func(*Archive) error { return down },
		"in a list": func(to *Archive) error {
			return to.PutAll("x.json", iter.Seq2[any, error](func(y func(any, error) bool) { _ = y(1, nil) && y(nil, down) }))
		},
		"name taken": func(to *Archive) error { return errors.Join(to.Put("account.json", 1), down) },
	} {
		fails = f
		var b bytes.Buffer
		if err := w.Export(t.Context(), id, &b); !errors.Is(err, down) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
			t.Errorf("%s: the zip opens", name)
		}
	}
	fails = func(to *Archive) error { return to.Put("account.json", 1) }
	if err := w.Export(t.Context(), id, io.Discard); err == nil {
		t.Error("two parts have one name")
	}
}
