package search

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/file"
)

func TestSearch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		papers := w.folder(w.ada, "", "Päpers")
		deep := w.folder(w.ada, papers, "tax 2023")
		w.upload(w.ada, deep, "Straße nach Łódź.txt", "IMG_0012.jpg", "DSC07770.jpg")
		w.upload(w.ada, papers, "holiday photos.zip", "résumé final.pdf")
		moved := w.upload(w.ada, "", "ﬁnal report ２０２３.pdf", "日本語の本.txt", "naïve naïve.md", "🎉 party")
		w.upload(w.bob, "", "holiday of bob")
		for _, limit := range []int{1, 3, 50} {
			for _, c := range []struct {
				q    string
				want []string
			}{
				{"holiday", []string{"Päpers/holiday photos.zip"}},
				{"PHOTO  hol", []string{"Päpers/holiday photos.zip"}},
				{"oliday", nil},
				{"strasse lodz", []string{"Päpers/tax 2023/Straße nach Łódź.txt"}},
				{"STRAẞE", []string{"Päpers/tax 2023/Straße nach Łódź.txt"}},
				{"resume", []string{"Päpers/résumé final.pdf"}},
				{"re\u0301sume\u0301 fin", []string{"Päpers/résumé final.pdf"}},
				{"2023", []string{"ﬁnal report ２０２３.pdf", "Päpers/tax 2023"}},
				{"img 0012", []string{"Päpers/tax 2023/IMG_0012.jpg"}},
				{"0777", []string{"Päpers/tax 2023/DSC07770.jpg"}},
				{"dsc0777", []string{"Päpers/tax 2023/DSC07770.jpg"}},
				{"0777dsc", nil},
				{"12", nil},
				{"本", []string{"日本語の本.txt"}},
				{"🎉", []string{"🎉 party"}},
				{"naive", []string{"naïve naïve.md"}},
				{"pdf final", []string{"ﬁnal report ２０２３.pdf", "Päpers/résumé final.pdf"}},
				{"papers", []string{"Päpers"}},
				{"bob", nil},
			} {
				got := w.names(w.ada, c.q, "", limit)
				if diff := cmp.Diff(sorted(c.want), sorted(got)); diff != "" {
					t.Errorf("%q, pages of %d: %s", c.q, limit, diff)
				}
			}
		}
		// Below a folder, and not the folder itself.
		if got := w.names(w.ada, "2023", papers, 50); !cmp.Equal(got, []string{"Päpers/tax 2023"}) {
			t.Errorf("below: %q", got)
		}
		if got := w.names(w.ada, "tax", deep, 50); got != nil {
			t.Errorf("below itself: %q", got)
		}
		// Each change is found by the next search: moved, renamed, deleted, with its folder too.
		if _, err := w.Files.Update(t.Context(), w.ada, moved[0], file.Change{Parent: &deep, Name: new("Umzug 2023.pdf")}); err != nil {
			t.Fatal(err)
		}
		if got := w.names(w.ada, "2023", deep, 50); !cmp.Equal(got, []string{"Päpers/tax 2023/Umzug 2023.pdf"}) {
			t.Errorf("moved: %q", got)
		}
		if got := w.names(w.ada, "final report", "", 50); got != nil {
			t.Errorf("old name: %q", got)
		}
		if _, err := w.Files.Update(t.Context(), w.ada, deep, file.Change{Parent: new("")}); err != nil {
			t.Fatal(err)
		}
		if got := w.names(w.ada, "umzug", "", 50); !cmp.Equal(got, []string{"tax 2023/Umzug 2023.pdf"}) {
			t.Errorf("folder moved: %q", got)
		}
		if got := w.names(w.ada, "umzug", papers, 50); got != nil {
			t.Errorf("folder moved away: %q", got)
		}
		if err := w.Files.Delete(t.Context(), w.ada, moved[1]); err != nil {
			t.Fatal(err)
		}
		if err := w.Files.Delete(t.Context(), w.ada, deep); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"本", "umzug", "img", "tax"} {
			if got := w.names(w.ada, q, "", 50); got != nil {
				t.Errorf("%q after its deletion: %q", q, got)
			}
		}
	})
}

// TestSearchAndTrash: the trash is not searched, nor what is below a folder there; what comes
// back is.
func TestSearchAndTrash(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		box := w.folder(w.ada, "", "box")
		w.upload(w.ada, box, "walrus in the box")
		loose := w.upload(w.ada, "", "walrus")[0]
		for _, id := range []string{box, loose} {
			if got := w.names(w.ada, "walrus", "", 50); len(got) == 0 {
				t.Errorf("before the trash: %q", got)
			}
			if err := w.Files.Trash(t.Context(), w.ada, id); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.names(w.ada, "walrus", "", 50); got != nil {
			t.Errorf("in the trash: %q", got)
		}
		if status, _ := w.get(w.ada, "q=walrus&under="+box); status != http.StatusNotFound {
			t.Errorf("below a folder in the trash: %d", status)
		}
		if _, err := w.Files.Restore(t.Context(), w.ada, box); err != nil {
			t.Fatal(err)
		}
		if got := w.names(w.ada, "walrus", "", 50); !cmp.Equal(got, []string{"box/walrus in the box"}) {
			t.Errorf("restored: %q", got)
		}
	})
}

func sorted(all []string) []string {
	all = append([]string{}, all...)
	for i := range all {
		for j := range all[:i] {
			if all[i] < all[j] {
				all[i], all[j] = all[j], all[i]
			}
		}
	}
	return all
}

// TestSearchRefuses: what is no query, and what is not the caller's.
func TestSearchRefuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		mine := w.folder(w.ada, "", "mine")
		gone := w.folder(w.ada, "", "gone")
		w.upload(w.ada, mine, "otters 1", "otters 2", "100% _off_", `a"b'c;--`)
		text := w.upload(w.ada, "", "plain")[0]
		if err := w.Files.Delete(t.Context(), w.ada, gone); err != nil {
			t.Fatal(err)
		}
		_, body := w.get(w.ada, "q=otters&limit=1")
		var first page
		if err := json.Unmarshal(body, &first); err != nil || first.NextCursor == "" {
			t.Fatalf("%s %v", body, err)
		}
		cursor := url.QueryEscape(first.NextCursor)
		for _, c := range []struct{ who, query, want string }{
			{"ada", "", "query.q:required"},
			{"ada", "q=", "query.q:required"},
			{"ada", "q=%20.-%2F", "query.q:required"},
			{"ada", "q=" + strings.Repeat("a", 201), "query.q:too_long"},
			{"ada", "q=%ff%fe", "query.q:invalid_utf8"},
			{"ada", "q=a&limit=0", "query.limit:too_small"},
			{"ada", "q=a&limit=201", "query.limit:too_big"},
			{"ada", "q=otters&cursor=x", "query.cursor:invalid_cursor"},
			{"ada", "q=otter&cursor=" + cursor, "query.cursor:invalid_cursor"},
			{"ada", "q=otters&under=" + mine + "&cursor=" + cursor, "query.cursor:invalid_cursor"},
			{"bob", "q=otters&cursor=" + cursor, "query.cursor:invalid_cursor"},
			{"ada", "q=otters&under=" + text, "query.under:not_a_folder"},
			{"ada", "q=otters&under=" + gone, "not_found"},
			{"ada", "q=otters&under=00000000-0000-0000-0000-000000000000", "not_found"},
			{"ada", "q=otters&under=../../etc", "not_found"},
			{"ada", "q=otters&under=%00", "query.under:invalid_characters"},
			{"bob", "q=otters&under=" + mine, "not_found"},
			{"bob", "q=otters", ""},
			{"ada", "q=%25", "query.q:required"},
			{"ada", "q=%27%3B--%20DROP%20TABLE%20files", ""},
			{"ada", "q=" + url.QueryEscape(strings.Repeat("x ", 100)), ""},
			{"ada", "q=" + url.QueryEscape(strings.Repeat("\u0301", 200)), "query.q:required"},
			{"ada", "q=" + url.QueryEscape(strings.Repeat("ﷺ", 200)), ""},
			{"ada", "q=%00", "query.q:invalid_characters"},
		} {
			who := w.ada
			if c.who == "bob" {
				who = w.bob
			}
			status, body := w.get(who, c.query)
			var got struct {
				Code   string
				Items  []any
				Errors []struct{ Pointer, Code string }
			}
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatalf("%s: %s: %v", c.query, body, err)
			}
			said := got.Code
			if len(got.Errors) > 0 {
				said = got.Errors[0].Pointer + ":" + got.Errors[0].Code
			}
			if said != c.want || (status == http.StatusOK) != (c.want == "") || len(got.Items) > 0 {
				t.Errorf("%s of %s: %d %s, want %s", c.query, c.who, status, body, c.want)
			}
		}
	})
}
