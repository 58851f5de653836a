package habit

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// network is what a server keeps of one network: the tries of the last day.
type network struct{ tries []try }

type try struct {
	at      time.Duration
	account int
	right   bool
}

func (n *network) tally(now, window time.Duration) (t Tally) {
	type seen struct {
		failures int
		right    bool
	}
	by := map[int]seen{}
	for _, x := range n.tries {
		if now-x.at < window {
			s := by[x.account]
			s.right = s.right || x.right
			if !x.right {
				s.failures++
			}
			by[x.account] = s
		}
	}
	for _, s := range by {
		switch {
		case s.right:
			t.Succeeded++
		case s.failures > 0:
			t.Failed++
			t.Tries += s.failures
		}
	}
	return t
}

func (n *network) crowd(now time.Duration) Crowd {
	return Crowd{n.tally(now, time.Hour), n.tally(now, 24*time.Hour)}
}

// campaign is an attack on many accounts from one network.
type campaign struct {
	name        string
	accounts    int
	every       time.Duration // between two tries
	each        int           // tries for each account
	hits        float64       // share of accounts whose password is right
	neighbours  float64       // ordinary people of the network who sign in, an hour
	blocked     bool          // whether the address must be blocked
	mostAlive   int           // the most accounts that are entered before the network is held
	mostTouched int           // the most accounts that are tried before the address is blocked
}

var campaigns = []campaign{
	{name: "stuffing, 10 accounts a minute, 1 in 100 right", accounts: 500, every: 6 * time.Second, each: 1, hits: 0.01, blocked: true, mostAlive: 1, mostTouched: 30},
	{name: "stuffing, 1 account in 5 minutes, 1 in 50 right", accounts: 500, every: 5 * time.Minute, each: 1, hits: 0.02, blocked: true, mostAlive: 6, mostTouched: 70},
	{name: "spraying, 3 passwords for each account, 10 tries a minute", accounts: 500, every: 6 * time.Second, each: 3, hits: 0.002, blocked: true, mostAlive: 1, mostTouched: 30},
	{name: "spraying, 1 account in 20 minutes", accounts: 200, every: 20 * time.Minute, each: 1, hits: 0.005, blocked: true, mostAlive: 2, mostTouched: 70},
	{name: "spraying, 1 account an hour", accounts: 200, every: time.Hour, each: 1, hits: 0.005, mostAlive: 3, mostTouched: 200},
	{name: "spraying, 10 a minute from an address that 40 people an hour share", accounts: 500, every: 6 * time.Second, each: 1, hits: 0.002, neighbours: 40, blocked: true, mostAlive: 1, mostTouched: 120},
	{name: "spraying, 1 a minute from a university, where 400 people an hour sign in", accounts: 120, every: time.Minute, each: 1, hits: 0.002, neighbours: 400, mostAlive: 3, mostTouched: 120},
}

func (c campaign) run(r *rand.Rand) (alive, touched int, blocked bool) {
	var n network
	now, ordinary := time.Duration(0), 0.0
	person := -1
	for account := range c.accounts {
		for range c.each {
			now += c.every
			for ordinary += c.neighbours * c.every.Hours(); ordinary >= 1; ordinary-- {
				n.tries = append(n.tries, ordinaryTries(r, now, person)...)
				person--
			}
			crowd := n.crowd(now)
			if f := crowd.Judge(); Worst(f) == Block {
				return alive, touched, true
			} else if r.Float64() >= c.hits/float64(c.each) {
				n.tries = append(n.tries, try{now, account, false})
			} else {
				if Worst(f) < Hold {
					alive++
				}
				n.tries = append(n.tries, try{now, account, true})
				break
			}
		}
		touched++
	}
	return alive, touched, false
}

// ordinaryTries are those of one person: 6 in 100 mistype each time, and 1 in 70 gives up.
func ordinaryTries(r *rand.Rand, now time.Duration, account int) (all []try) {
	for r.Float64() < 0.06 {
		all = append(all, try{now, account, false})
	}
	if r.Float64() < 1.0/70 {
		return append(all, try{now, account, false})
	}
	return append(all, try{now, account, true})
}

// Attacks on many accounts are blocked, or not, as the page says.
func TestCampaigns(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	fmt.Fprintf(&b, "| attack from one network | blocked after | entered before it was held or blocked |\n| --- | --- | --- |\n")
	for i, c := range campaigns {
		const runs = 4
		var sumAlive, sumTouched, sumBlocked int
		for run := range runs {
			alive, touched, blocked := c.run(rand.New(rand.NewPCG(uint64(i), uint64(run))))
			if blocked != c.blocked {
				t.Errorf("%s: blocked is %v", c.name, blocked)
			}
			if alive > c.mostAlive || touched > c.mostTouched {
				t.Errorf("%s: %d accounts were entered and %d tried, at most %d and %d", c.name, alive, touched, c.mostAlive, c.mostTouched)
			}
			sumAlive, sumTouched = sumAlive+alive, sumTouched+touched
			if blocked {
				sumBlocked++
			}
		}
		after := "not blocked"
		if sumBlocked == runs {
			after = fmt.Sprintf("%d accounts", sumTouched/runs)
		}
		fmt.Fprintf(&b, "| %s | %s | %.1f of %d |\n", c.name, after, float64(sumAlive)/runs, c.accounts)
	}
	if people == wholeTown {
		onPage(t, "attacks on many accounts", b.String())
	}
}

// Ordinary people behind one address are never suspect, from a household to a university,
// also in the first hour of term, when every fourth person gives up.
func TestSharedAddresses(t *testing.T) {
	t.Parallel()
	hours, suspect := 0, 0
	for size, perHour := range map[string]float64{"household": 0.2, "office": 4, "company": 60, "university": 2000} {
		r := rand.New(rand.NewPCG(7, uint64(perHour)))
		for range 90 * 24 {
			// The tally is drawn, not counted: a day of a university is long.
			draw := func(factor, giveUp float64) (n Tally) {
				for range int(perHour*factor*r.Float64()*2 + r.Float64()) {
					if r.Float64() < giveUp {
						n.Failed++
						n.Tries += 1 + r.IntN(4)
					} else {
						n.Succeeded++
					}
					if n.Failed+n.Succeeded > 300 { // the shares stay as they are
						break
					}
				}
				return n
			}
			hours++
			if got := (Crowd{draw(1, 0.02), draw(8, 0.01)}).Judge(); got != nil {
				suspect++
			}
			if got := (Crowd{Hour: draw(1, 0.25)}).Judge(); got != nil {
				t.Errorf("the first hour of term of a %s: %v", size, got)
			}
		}
	}
	if suspect != 0 {
		t.Errorf("%d of %d hours of ordinary people are suspect", suspect, hours)
	}
}
