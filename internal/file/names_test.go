package file

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// TestLocate: whatever ids an index holds, package file shows only what the root leads to
// and the folder holds, under the account that asks.
func TestLocate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		outer := w.mustFolder(ada, "", "outer")
		inner := w.mustFolder(ada, outer.ID, "inner")
		deep := w.mustUpload(ada, inner.ID, upFile{"deep", "", "x"})
		top := w.mustUpload(ada, "", upFile{"top", "", "x"})
		lost := w.mustFolder(ada, "", "lost")
		below := w.mustUpload(ada, lost.ID, upFile{"below", "", "x"})
		his := w.mustUpload(bob, "", upFile{"his", "", "x"})
		if err := w.Delete(t.Context(), ada, lost.ID); err != nil {
			t.Fatal(err)
		}
		all := []string{deep.ID, his.ID, below.ID, top.ID, "otters", outer.ID, "\x00"}
		for _, c := range []struct {
			who   account.ID
			under string
			want  []string
		}{
			{ada, "", []string{"outer/inner/deep", "top", "outer"}}, {ada, outer.ID, []string{"outer/inner/deep"}}, {ada, inner.ID, []string{"outer/inner/deep"}}, {bob, "", []string{"his"}},
		} {
			found, gone, err := w.Locate(t.Context(), c.who, c.under, all)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				path := ""
				for _, s := range f.Path {
					path += s.Name + "/"
				}
				got = append(got, path+f.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s below %q: %s", c.who, c.under, diff)
			}
			for _, f := range found {
				if slices.Contains(gone, f.ID) {
					t.Errorf("%s is found and gone", f.Name)
				}
			}
		}
		for _, c := range []struct {
			who   account.ID
			under string
		}{{ada, lost.ID}, {ada, his.ID}, {bob, outer.ID}, {ada, "otters"}, {ada, "\x00"}} {
			if found, _, err := w.Locate(t.Context(), c.who, c.under, all); err == nil || found != nil {
				t.Errorf("%s below %q: %v", c.who, c.under, found)
			}
		}
		// The counts leave nothing out, and name each entry once.
		count, err := w.Count(t.Context(), ada)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]int{}
		for at := range count {
			if err := w.Names(context.Background(), ada, at, at+1, func(n Named) error { names[n.Name]++; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"outer", "inner", "deep", "top", "below"} {
			if names[name] != 1 {
				t.Errorf("%s is read %d times", name, names[name])
			}
		}
		if names["his"] != 0 {
			t.Error("names of another are read")
		}
	})
}
