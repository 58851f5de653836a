package drop

import (
	"encoding/json"
	"fmt"
	"slices"
)

// peer is another member that was let in. Member.mu guards it.
type peer struct {
	id      rid
	host    bool
	here    bool
	device  string
	out, in channel
	items   []Item
	*heard
}

// heard is what came from a member. It outlives the peer: a server that says that a member
// left and came back must not get old messages heard again.
type heard struct {
	last     uint64 // number of the last message
	requests once
}

func (p *peer) person() Person {
	return Person{RID: p.id.String(), Host: p.host, Here: p.here, Device: p.device}
}

func (p *peer) item(id string) int {
	return slices.IndexFunc(p.items, func(i Item) bool { return i.ID == id })
}

func (m *Member) person(id rid) Person {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.people[id]; p != nil {
		return p.person()
	}
	return Person{RID: id.String(), Me: id == m.id}
}

// meet notes that a member is connected or is not. One that comes is greeted. m.mu is held.
func (m *Member) meet(id rid, here bool) {
	if id == m.id {
		return
	}
	p := m.people[id]
	isNew := p == nil
	if isNew {
		h := m.heard[id]
		if h == nil && len(m.heard) == maxKnown {
			return // more than a drop has in its life
		}
		if h == nil {
			h = &heard{}
			m.heard[id] = h
		}
		// The host is the member that this one proved itself to, whatever the server says.
		p = &peer{id: id, host: id == m.hostID, out: newChannel(m.group, m.id, id), in: newChannel(m.group, id, m.id), heard: h}
		m.people[id] = p
	}
	was := p.here
	p.here = here
	switch {
	case isNew:
		m.notes.tell(Notice{Event: Joined, Person: p.person()})
	case was && !here:
		m.notes.tell(Notice{Event: Went, Person: p.person()})
	case !was && here:
		m.notes.tell(Notice{Event: Came, Person: p.person()})
	}
	if here {
		m.greet(p)
	}
}

// part forgets a member that left for good. m.mu is held.
func (m *Member) part(id rid) {
	p := m.people[id]
	if p == nil {
		return
	}
	delete(m.people, id)
	p.here = false
	if len(p.items) > 0 {
		m.notes.tell(Notice{Event: Withdrawn, Person: p.person(), Items: p.items})
	}
	m.notes.tell(Notice{Event: Left, Person: p.person()})
}

// greet says hello and what this member offers. m.mu is held.
func (m *Member) greet(p *peer) {
	m.say(p, said{K: "hello", Device: m.device})
	var items []saidItem
	for _, o := range m.own {
		items = append(items, o.said)
	}
	m.sayItems(p, items)
}

// sayItems offers items, in as many messages as they need. m.mu is held.
func (m *Member) sayItems(p *peer, items []saidItem) {
	for len(items) > 0 {
		n, size := 0, 256
		for n < len(items) && (n == 0 || size+len(items[n].Name)*6+len(items[n].Type)*6+256 <= maxPlain) {
			size += len(items[n].Name)*6 + len(items[n].Type)*6 + 256 // each byte may need an escape
			n++
		}
		m.say(p, said{K: "offer", Items: items[:n]})
		items = items[n:]
	}
}

// say seals a message and queues it. A message that a lost connection swallows is made
// good: a member that comes back greets and is greeted. m.mu is held.
func (m *Member) say(p *peer, s said) {
	if m.link == nil {
		return
	}
	plain, err := json.Marshal(s)
	if err != nil {
		panic("drop: internal error: " + err.Error()) // strings and numbers
	}
	d := p.out.seal("message", m.counter.next(), plain)
	_ = m.link.post(msgFrame{"msg", p.id, body{K: "sealed", D: d}})
}

// sealed takes a sealed message of a member.
func (m *Member) sealed(from rid, d string) {
	if from == m.id || m.group == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.people[from]
	in := newChannelTo(m, p, from)
	n, plain, err := in.open("message", d)
	if err != nil {
		go m.suspect(from, fmt.Errorf("%w: a message does not open", ErrTampered))
		return
	}
	if p == nil { // its message came before the server's word
		m.meet(from, true)
		m.stir()
		if p = m.people[from]; p == nil {
			return
		}
	}
	if n <= p.last {
		return // repeated or out of order
	}
	p.last = n
	s, err := readSaid(plain)
	if err != nil {
		return
	}
	switch s.K {
	case "hello":
		if p.device != s.Device {
			p.device = s.Device
			m.notes.tell(Notice{Event: Came, Person: p.person()})
		}
	case "offer":
		m.offeredBy(p, itemsOf(s, from))
	case "withdraw":
		m.withdrawnBy(p, s.IDs)
	}
}

func newChannelTo(m *Member, p *peer, from rid) channel {
	if p != nil {
		return p.in
	}
	return newChannel(m.group, from, m.id)
}

// offeredBy adds items to those of a member. m.mu is held.
func (m *Member) offeredBy(p *peer, items []Item) {
	var fresh []Item
	for _, i := range items {
		if p.item(i.ID) >= 0 || len(p.items) >= maxItems {
			continue // an item never changes under its id
		}
		p.items = append(p.items, i)
		fresh = append(fresh, i)
	}
	if len(fresh) > 0 {
		m.notes.tell(Notice{Event: Offered, Person: p.person(), Items: fresh})
	}
}

// withdrawnBy removes items of a member. m.mu is held.
func (m *Member) withdrawnBy(p *peer, ids []string) {
	var gone []Item
	for _, id := range ids {
		if i := p.item(id); i >= 0 {
			gone = append(gone, p.items[i])
			p.items = slices.Delete(p.items, i, i+1)
		}
	}
	if len(gone) > 0 {
		m.stir()
		m.notes.tell(Notice{Event: Withdrawn, Person: p.person(), Items: gone})
	}
}
