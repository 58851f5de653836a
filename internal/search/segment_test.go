package search

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"coffer/internal/file"
)

// TestIndexAgainstModel: an index that took changes in any order finds what a look at every
// name finds, in the same order.
func TestIndexAgainstModel(t *testing.T) {
	words := []string{"a", "ab", "abc", "b", "ba", "Über", "straße", "12", "7", "a7", "b12a"}
	rapid.Check(t, func(t *rapid.T) {
		x := newNames()
		model := map[string]file.Named{}
		ids := make([]string, 30)
		for i := range ids {
			ids[i] = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i)).String()
		}
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			var fresh []*segment
			r := reader{tree: &x.tree, full: func(g *segment) error { fresh = append(fresh, g); return nil }}
			changed := rapid.SliceOfNDistinct(rapid.IntRange(0, len(ids)-1), 1, 8, rapid.ID[int]).Draw(t, "changed")
			for _, i := range changed {
				n := file.Named{ID: ids[i], Kind: file.File, ModifiedAt: rapid.Int64Range(0, 5).Draw(t, "modified")}
				if i < 8 {
					n.Kind = file.Folder
				}
				if up := rapid.IntRange(-1, 8).Draw(t, "parent"); up >= 0 && up != i {
					n.Parent = ids[up] // 8 is no folder
				}
				n.Name = strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 4).Draw(t, "name"), "_")
				model[n.ID] = n
				r.add(n)
			}
			if err := r.end(); err != nil {
				t.Fatal(err)
			}
			x.take(int64(step+1), fresh)
			if lost := rapid.IntRange(0, 3*len(ids)).Draw(t, "lost"); lost < len(ids) {
				delete(model, ids[lost])
				x.lose(ids[lost : lost+1])
			}
		}
		asked := query(strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 3).Draw(t, "query"), " "))
		under := ""
		if u := rapid.IntRange(-1, 7).Draw(t, "under"); u >= 0 {
			under = ids[u]
		}
		var want []entry
		for id, n := range model {
			in, up := false, n
			for range 70 {
				in = in || up.Parent == under
				if up.Parent == under || up.Parent == "" {
					break
				}
				above, ok := model[up.Parent]
				if !ok || above.Kind != file.Folder {
					break
				}
				up = above
			}
			if in && matches(asked, n.Name) {
				want = append(want, entry{id: uuid.MustParse(id), modified: n.ModifiedAt})
			}
		}
		slices.SortFunc(want, entry.compare)
		top := uuid.UUID{}
		if under != "" {
			top = uuid.MustParse(under)
		}
		var got []entry
		for after := (*entry)(nil); ; after = &got[len(got)-1] {
			page := x.find(asked, top, after, 3)
			for _, e := range page {
				got = append(got, entry{id: e.id, modified: e.modified})
			}
			if len(page) < 3 {
				break
			}
		}
		if len(got) != len(want) || !slices.Equal(got, want) {
			t.Fatalf("%q below %q: got %v, want %v", asked, under, got, want)
		}
	})
}

// TestFold: names that people take for the same, or not.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"", nil}, {" -_.", nil}, {"IMG_0012.JPG", []string{"img", "0012", "jpg"}}, {"Straße", []string{"strasse"}}, {"STRASSE", []string{"strasse"}},
		{"é", []string{"e"}}, {"e\u0301", []string{"e"}}, {"İstanbul ısı", []string{"istanbul", "isi"}}, {"ﬃ", []string{"ffi"}}, {"Ⅷ", []string{"viii"}},
		{"１２", []string{"12"}}, {"Łódź Ørsted Æon", []string{"lodz", "orsted", "aeon"}}, {"ΣΊΣΥΦΟΣ σίσυφος", []string{"σισυφοσ", "σισυφοσ"}},
		{"日本語", []string{"日", "本", "語"}}, {"IMG2023", []string{"img2023", "2023"}}, {"ab日cd", []string{"ab", "日", "cd"}}, {"🎉x🎉", []string{"🎉", "x", "🎉"}}, {"v2beta", []string{"v2beta", "2beta", "beta"}},
		{"\xff\xfe", nil}, {"שָׁלוֹם", []string{"שלום"}},
	} {
		var got []string
		words(c.name, func(w []byte) { got = append(got, string(w)) })
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.name, diff)
		}
	}
	if got := query("ab a abc x ab y2z"); !cmp.Equal(got, []string{"abc", "x", "y2z"}) {
		t.Errorf("%q", got)
	}
}

// FuzzFold: whatever a name holds, each of its words finds it, and the whole name too.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"IMG_0012.jpg", "Straße", "ﷺ", "a\u0301\u0301", "\xff", "日本", "ǰ ΐ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		var all []string
		words(name, func(w []byte) { all = append(all, string(w)) })
		for _, w := range all {
			if w == "" || !matches(query(w), name) {
				t.Fatalf("%q does not find %q", w, name)
			}
		}
		if !matches(query(name), name) {
			t.Fatalf("%q does not find itself", name)
		}
	})
}

// TestLongNames: names that are made of as many and as long words as possible do not take
// memory beyond what a segment may.
func TestLongNames(t *testing.T) {
	x := newNames()
	var built []*segment
	r := &reader{tree: &x.tree, full: func(g *segment) error { built = append(built, g); return nil }}
	forms := []string{strings.Repeat("a1", 100), strings.Repeat("\ufdfa", 80), strings.Repeat("\ufdfa1", 60), strings.Repeat("\u3316", 80), strings.Repeat("a ", 120)}
	for i := range 12_000 {
		name := fmt.Sprintf("%08d%s", i, forms[i%len(forms)])
		before := len(r.built.text)
		r.add(file.Named{ID: uuid.Must(uuid.NewV7()).String(), Kind: file.File, Name: name[:min(len(name), 255)]})
		if grown := len(r.built.text) - before; grown > maxNameText || len(r.built.text) > maxText {
			t.Fatalf("%q: %d bytes of words more, %d in all", name, grown, len(r.built.text))
		}
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if len(built) < 2 {
		t.Fatalf("%d segments", len(built))
	}
	for i, g := range built {
		x.take(int64(i), []*segment{g})
	}
	for _, g := range x.segments {
		if g.text > maxText {
			t.Errorf("a segment of %d bytes of words", g.text)
		}
	}
}
