package drop

import (
	"fmt"
	"testing"
	"time"
)

// TestGate: the code burns at the third wrong tag, whatever the order of runs.
func TestGate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := newGate()
	g.now = func() time.Time { return now }
	name := "red-fox"
	propose := func(m mode, secret string) (rid, []byte) {
		t.Helper()
		guest := rid(random(16))
		end, err := newCPace([]byte(secret), joinContext(m, name), guest[:])
		if err != nil {
			t.Fatal(err)
		}
		yb, refusal := g.propose(guest, name, m, end.share)
		if refusal != "" {
			return guest, []byte(refusal)
		}
		isk, err := end.intermediateKey(guest[:], end.share, []byte("guest"), yb, []byte("host"), yb)
		if err != nil {
			t.Fatal(err)
		}
		return guest, newJoinKeys(isk, guest, m, name, end.share, yb).guest
	}
	code := g.code
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	// All begin before the first is judged.
	var guests []rid
	var tags [][]byte
	for range 4 {
		guest, tag := propose(modeCode, wrong)
		guests, tags = append(guests, guest), append(tags, tag)
	}
	right, rightTag := propose(modeCode, code)
	byKey, keyTag := propose(modeKey, string(g.key))
	want := []verdict{{refusal: "wrong", counted: true, tries: 2}, {refusal: "wrong", counted: true, tries: 1}, {refusal: "wrong", counted: true, burnt: true}, {refusal: "burnt"}}
	for i, guest := range guests {
		if got := g.confirm(guest, tags[i]); fmt.Sprint(got) != fmt.Sprint(want[i]) {
			t.Errorf("wrong code %d: %+v, want %+v", i, got, want[i])
		}
	}
	if got := g.confirm(right, rightTag); got.refusal != "burnt" {
		t.Errorf("the right code after the third wrong one: %+v", got)
	}
	if got := g.confirm(byKey, keyTag); got.refusal != "" {
		t.Errorf("the link's key: %+v", got)
	}
	if got := g.confirm(byKey, keyTag); got.refusal != "wrong" {
		t.Errorf("a second tag of the same guest: %+v", got)
	}
	if _, refusal := propose(modeCode, code); string(refusal) != "burnt" {
		t.Errorf("a run under a void code: %s", refusal)
	}
	if wrongKey, tag := propose(modeKey, "0123456789abcdef"); g.confirm(wrongKey, tag).counted {
		t.Error("a wrong key was counted")
	}
	// A new code counts anew, and runs of the old one say nothing about it.
	old, oldTag := propose(modeKey, string(g.key))
	g.newCode()
	stale, staleTag := propose(modeCode, g.code)
	g.newCode()
	if got := g.confirm(stale, staleTag); got.refusal != "wrong" || got.counted {
		t.Errorf("a run of an earlier code: %+v", got)
	}
	if got := g.confirm(old, oldTag); got.refusal != "" {
		t.Errorf("the link works under every code: %+v", got)
	}
	if fresh, tag := propose(modeCode, g.code); g.confirm(fresh, tag).refusal != "" {
		t.Error("the new code is refused")
	}
	// One run for each guest, many at once, and each has its time.
	guest, tag := propose(modeCode, g.code)
	if _, refusal := g.propose(guest, name, modeCode, random(32)); refusal != "wrong" {
		t.Errorf("a second share: %q", refusal)
	}
	if got := g.confirm(guest, tag); got.refusal != "wrong" {
		t.Errorf("a guest of two shares: %+v", got)
	}
	late, lateTag := propose(modeCode, g.code)
	for range maxRuns - 1 {
		propose(modeCode, g.code)
	}
	if _, refusal := propose(modeCode, g.code); string(refusal) != "full" {
		t.Errorf("a run too many: %s", refusal)
	}
	now = now.Add(joinTime + time.Second)
	if got := g.confirm(late, lateTag); got.refusal != "wrong" {
		t.Errorf("a tag after %v: %+v", joinTime, got)
	}
	if fresh, tag := propose(modeCode, g.code); g.confirm(fresh, tag).refusal != "" {
		t.Error("a place did not become free")
	}
}
