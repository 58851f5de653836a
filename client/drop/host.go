package drop

import (
	"sync"
	"time"
)

// gate is the host's side of admission. It counts wrong codes and lets a guest try once.
type gate struct {
	mu    sync.Mutex
	key   []byte // of the link
	code  string
	burnt bool
	wrong int // tags under this code
	epoch int // of the code
	runs  map[rid]*run
	used  map[rid]struct{} // guests that had their run
	now   func() time.Time
}

// run is one CPace run that waits for the guest's tag.
type run struct {
	began time.Time
	mode  mode
	epoch int
	keys  joinKeys
}

// maxUsed bounds what the host remembers of guests. A drop lives at most a week, and its
// server admits far fewer joins.
const maxUsed = 100_000

func newGate() *gate {
	return &gate{key: random(16), code: newCode(), runs: map[rid]*run{}, used: map[rid]struct{}{}, now: time.Now}
}

// sweep forgets runs whose time is over. A guest is known by its first message, so a join
// itself takes no memory. g.mu is held.
func (g *gate) sweep() {
	for id, r := range g.runs {
		if g.now().Sub(r.began) > joinTime {
			delete(g.runs, id)
		}
	}
}

// propose answers a guest's share with the host's. The refusal is a code of reject.
func (g *gate) propose(guest rid, name string, m mode, ya []byte) (yb []byte, refusal string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep()
	if _, again := g.used[guest]; again {
		delete(g.runs, guest) // a second share voids the first
		return nil, "wrong"
	}
	if len(g.runs) >= maxRuns || len(g.used) >= maxUsed {
		return nil, "full"
	}
	g.used[guest] = struct{}{}
	var secret []byte
	switch m {
	case modeCode:
		if g.burnt {
			return nil, "burnt"
		}
		secret = []byte(g.code)
	case modeKey:
		secret = g.key
	default:
		return nil, "wrong"
	}
	end, err := newCPace(secret, joinContext(m, name), guest[:])
	if err != nil {
		return nil, "wrong"
	}
	isk, err := end.intermediateKey(guest[:], ya, []byte("guest"), end.share, []byte("host"), ya)
	if err != nil {
		return nil, "wrong"
	}
	g.runs[guest] = &run{g.now(), m, g.epoch, newJoinKeys(isk, guest, m, name, ya, end.share)}
	return end.share, ""
}

// verdict is what a guest's tag led to.
type verdict struct {
	keys    joinKeys
	refusal string // code of reject, "" when the guest is in
	counted bool   // a wrong code was counted
	tries   int    // that are left
	burnt   bool   // this was the last
}

// confirm judges a guest's tag, once.
func (g *gate) confirm(guest rid, tag []byte) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.runs[guest]
	if r == nil {
		return verdict{refusal: "wrong"}
	}
	delete(g.runs, guest)
	if g.now().Sub(r.began) > joinTime {
		return verdict{refusal: "wrong"}
	}
	if r.mode == modeCode {
		// A run that began under an earlier code says nothing about the one in force.
		if r.epoch != g.epoch {
			return verdict{refusal: "wrong"}
		}
		if g.burnt {
			return verdict{refusal: "burnt"}
		}
	}
	if sameTag(r.keys.guest, tag) {
		return verdict{keys: r.keys}
	}
	v := verdict{refusal: "wrong"}
	if r.mode == modeCode {
		g.wrong++
		v.counted, v.tries = true, wrongCodes-g.wrong
		if g.wrong >= wrongCodes {
			g.burnt, v.burnt = true, true
		}
	}
	return v
}

func (g *gate) newCode() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for old := g.code; g.code == old; {
		g.code = newCode()
	}
	g.burnt, g.wrong = false, 0
	g.epoch++
	return g.code
}

// propose runs the host's half of CPace.
func (m *Member) propose(l *link, guest rid, b body) {
	ya, err := fromB64(b.Y, 32)
	if err != nil {
		m.reject(l, guest, "wrong")
		return
	}
	yb, refusal := m.gate.propose(guest, m.Name(), b.Mode, ya)
	if refusal != "" {
		m.reject(l, guest, refusal)
		return
	}
	_ = l.post(msgFrame{"msg", guest, body{K: "pake2", Y: b64(yb)}})
}

// confirm lets a guest in whose tag is right.
func (m *Member) confirm(l *link, guest rid, b body) {
	tag, err := fromB64(b.Tag, 32)
	if err != nil {
		tag = nil // a malformed tag is a wrong one
	}
	v := m.gate.confirm(guest, tag)
	if v.counted {
		e := WrongCode
		if v.burnt {
			e = Burnt
		}
		m.notes.tell(Notice{Event: e, Tries: v.tries})
	}
	if v.refusal != "" {
		m.reject(l, guest, v.refusal)
		return
	}
	_ = l.post(msgFrame{"msg", guest, body{K: "admit", Tag: b64(v.keys.host), Sealed: b64(v.keys.sealGroup(m.group))}})
	_ = l.post(admitFrame{T: "admit", RID: guest})
}

func (m *Member) reject(l *link, guest rid, code string) {
	_ = l.post(admitFrame{T: "reject", RID: guest, Code: code})
}

// Code is the six digits that a guest needs; "" for a guest, and while it is void.
func (m *Member) Code() string {
	if m.gate == nil {
		return ""
	}
	m.gate.mu.Lock()
	defer m.gate.mu.Unlock()
	if m.gate.burnt {
		return ""
	}
	return m.gate.code
}

// NewCode draws another code; only the host has one. Guests that are in stay in.
func (m *Member) NewCode() string {
	if m.gate == nil {
		return ""
	}
	return m.gate.newCode()
}

// Link holds the name and the key: its reader needs no code. It is "" for a guest.
func (m *Member) Link() string {
	if m.gate == nil {
		return ""
	}
	return m.base.JoinPath("d", m.Name()).String() + "#" + linkPrefix + b64(m.gate.key)
}
