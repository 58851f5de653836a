package treelog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func ledgerOf(n int64) []Entry {
	all := make([]Entry, n)
	for i := range all {
		all[i] = entry(int64(i))
	}
	return all
}

// anchorsOf returns true checkpoints of a list.
func anchorsOf(from string, all []Entry, sizes ...int) (anchors []Anchor) {
	var f Frontier
	for i := 0; i <= len(all); i++ {
		if slices.Contains(sizes, i) {
			anchors = append(anchors, Anchor{Checkpoint{origin, int64(i), f.Root()}, from})
		}
		if i < len(all) {
			f.Add(all[i].Leaf())
		}
	}
	return anchors
}

// renumbered gives the entries the numbers of their places.
func renumbered(all []Entry) []Entry {
	all = slices.Clone(all)
	for i := range all {
		all[i].N = int64(i)
	}
	return all
}

func swapped(all []Entry, i, j int) []Entry {
	all = slices.Clone(all)
	all[i], all[j] = all[j], all[i]
	return renumbered(all)
}

func edited(all []Entry, i int) []Entry {
	all = slices.Clone(all)
	all[i].Size++
	return all
}

// short writes findings as "kind from-to".
func short(all []Finding) string {
	var words []string
	for _, f := range all {
		words = append(words, fmt.Sprintf("%s %d-%d", f.Kind, f.From, f.To))
	}
	return strings.Join(words, ", ")
}

// Each attack on a list of 40 entries with checkpoints at 10, 20, 30 and 40: what is found
// with the checkpoints alone, and what with an earlier copy.
func TestAudit(t *testing.T) {
	all := ledgerOf(40)
	stranger := entry(99)
	stranger.Time = all[14].Time
	early := stranger
	early.Time = all[0].Time
	insert := func(at int, e Entry) []Entry { return renumbered(slices.Insert(slices.Clone(all), at, e)) }
	remove := func(at int) []Entry { return slices.Delete(slices.Clone(all), at, at+1) }
	for _, test := range []struct {
		attack    string
		list      []Entry
		anchors   []Anchor
		alone, by string // with checkpoints, with a copy
	}{
		{"nothing", all, nil, "", ""},
		{"newer entries", ledgerOf(45), nil, "", ""},
		{"an edited entry", edited(all, 14), nil, "edited 10-20", "edited 14-15"},
		{"the first entry edited", edited(all, 0), nil, "edited 0-10", "edited 0-1"},
		{"a form that is none", func() []Entry { l := slices.Clone(all); l[14].Kind = "gone"; return l }(), nil, "edited 14-15", "edited 14-15"},
		{"a removed entry", remove(14), nil, "missing 14-15", "missing 14-15"},
		{"the first entry removed", remove(0), nil, "missing 0-1", "missing 0-1"},
		{"removed and renumbered", renumbered(remove(14)), nil, "missing 10-20", "missing 14-15"},
		{"the end removed", all[:37], nil, "missing 37-40", "missing 37-38, missing 38-39, missing 39-40"},
		{"everything removed", nil, nil, "missing 0-40", ""},
		{"an inserted entry", insert(14, stranger), nil, "inserted 14-15", "inserted 14-15"},
		{"an inserted entry at the front", insert(0, early), nil, "inserted 0-1", "inserted 0-1"},
		{"an entry twice", slices.Insert(slices.Clone(all), 15, all[14]), nil, "inserted 14-15", "inserted 14-15"},
		{"two swapped", swapped(all, 12, 17), nil, "reordered", "reordered 12-13, reordered 17-18"},
		{"listed in another order", func() []Entry { l := slices.Clone(all); l[12], l[13] = l[13], l[12]; return l }(), nil, "reordered 12-13", "reordered 12-13, reordered 13-14"},
		{"a fork of one size", all, anchorsOf("a file", edited(all, 3), 40), "forked 0-40", ""},
		{"a fork before", edited(all, 14), append(anchorsOf("a file", all, 10, 20), anchorsOf("the server", edited(all, 14), 40)...), "forked 10-20", "edited 14-15"},
	} {
		if test.anchors == nil {
			test.anchors = anchorsOf("a file", all, 10, 20, 30, 40)
		} else if len(test.anchors) == 1 {
			test.anchors = append(test.anchors, anchorsOf("the server", all, 40)...)
		}
		audit, compare := NewAudit(test.anchors), NewComparison()
		for _, e := range all {
			compare.Copied(e)
		}
		for _, e := range test.list {
			audit.Add(e)
			compare.Add(e)
		}
		r := audit.End()
		if got := short(r.Wrong); got != test.alone && (test.alone != "reordered" || !strings.HasPrefix(got, "reordered")) {
			t.Errorf("%s: found %q, want %q: %v", test.attack, got, test.alone, r.Wrong)
		}
		if got := short(compare.End()); got != test.by && len(test.list) > 0 {
			t.Errorf("%s: beside the copy found %q, want %q", test.attack, got, test.by)
		}
		if r.Entries != int64(len(test.list)) {
			t.Errorf("%s: %d entries", test.attack, r.Entries)
		}
	}
}

func TestAuditCounts(t *testing.T) {
	all := ledgerOf(25)
	audit := NewAudit(append(anchorsOf("a file", all, 0, 10, 20), Anchor{Checkpoint{origin, 90, Hash{}}, "tomorrow"}))
	for _, e := range all {
		audit.Add(e)
	}
	r := audit.End()
	if r.Entries != 25 || r.Held != 3 || r.Open != 1 || r.Signed != 20 || short(r.Wrong) != "missing 25-90" {
		t.Errorf("%+v", r)
	}
	if r := NewAudit(nil).End(); r.Entries != 0 || len(r.Wrong) != 0 {
		t.Errorf("nothing: %+v", r)
	}
}

// A report stays short, whatever is wrong.
func TestFindingsAreBounded(t *testing.T) {
	compare := NewComparison()
	for _, e := range ledgerOf(200) {
		compare.Copied(e)
	}
	if got := len(compare.End()); got != mostFindings {
		t.Errorf("%d findings", got)
	}
}

// Where checkpoints are far apart the place of an inserted entry is not sought.
func TestAuditOfManyEntries(t *testing.T) {
	all := ledgerOf(widest + 100)
	audit := NewAudit(anchorsOf("a file", all, 50, len(all)))
	for _, e := range renumbered(slices.Insert(slices.Clone(all), 60, all[59])) {
		audit.Add(e)
	}
	if got := short(audit.End().Wrong); got != fmt.Sprintf("edited 50-%d", len(all)) {
		t.Errorf("found %q", got)
	}
}

// An old entry that no checkpoint reaches is a finding: the keeper signs no more.
func TestUnsigned(t *testing.T) {
	all := ledgerOf(25)
	for _, test := range []struct {
		anchors []Anchor
		due     int // entries before this one are old
		want    string
	}{
		{anchorsOf("a file", all, 20), 20, ""}, {anchorsOf("a file", all, 10, 20), 22, "unsigned 20-21"}, {anchorsOf("a file", all, 25), 25, ""}, {nil, 1, "unsigned 0-1"}, {nil, 0, ""},
	} {
		audit := NewAudit(test.anchors)
		due, err := time.Parse(TimeForm, all[min(test.due, 24)].Time)
		if err != nil {
			t.Fatal(err)
		}
		if test.due == 25 {
			due = due.Add(time.Hour)
		}
		audit.Due(due)
		for _, e := range all {
			audit.Add(e)
		}
		if got := short(audit.End().Wrong); got != test.want {
			t.Errorf("due %d: found %q, want %q", test.due, got, test.want)
		}
	}
}

// An audit of a hostile list keeps few findings.
func TestAuditIsBounded(t *testing.T) {
	audit := NewAudit(nil)
	all := ledgerOf(2)
	for n := range 5000 {
		e := all[(n+1)%2] // every second one is older than the one before
		e.N = int64(n)
		audit.Add(e)
	}
	if got := len(audit.wrong); got != mostFindings {
		t.Errorf("the audit keeps %d findings", got)
	}
}
