package habit

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the figures into docs/guard.md")

const (
	page      = "../../docs/guard.md"
	wholeTown = 10_000 // the figures of the page are those of so many people
)

// alarms counts what ordinary people are bothered with.
type alarms struct {
	signIns         int
	rules           map[string]int
	devices, alerts int // mails about a new device, and all other mails
	remembering     int // people who have their devices remembered
	spared          int // mails about a new device to them
	asked, held     int
}

func (a *alarms) add(who *person, all []Finding) {
	worst := Note
	for _, f := range all {
		a.rules[f.Rule]++
		if f.Rule == NewDevice {
			a.devices++
			if who.remembers() {
				a.spared++
			}
			continue
		}
		worst = max(worst, f.Consequence)
	}
	if worst >= Tell {
		a.alerts++
	}
	if worst == AskAll {
		a.asked++
	}
	if worst == Hold {
		a.held++
	}
}

// perMonth is a count for each person and month.
func perMonth(n int) float64 { return float64(n) / people / (days / 30) }

// TestFigures lets people live for 90 days, then lets every attack loose on them, and compares
// the figures with those of the page. Its bounds are what the page may ever say.
func TestFigures(t *testing.T) {
	t.Parallel()
	a := alarms{rules: map[string]int{}}
	shapes := attacks()
	for id := range people {
		var p Profile
		who := newPerson(1, id)
		if who.remembers() {
			a.remembering++
		}
		who.live(func(s Sighting) {
			k := keysOf(s)
			a.add(who, p.judge(k, &s))
			if s.Outcome == Succeeded {
				a.signIns++
				p.learn(k, &s)
			}
		})
		if p.any() {
			for i := range shapes {
				shapes[i].try(who, p)
			}
		}
	}
	for name, bound := range map[string]float64{
		OddHour: 0.05, NewPlace: 0.5, NewDevice: 1.6, AfterFailures: 0.06, LayerFailed: 0.03,
		MovedDevice: 0.005, ImpossibleTravel: 0.01, Stranger: 0.05, Spraying: 0, Stuffing: 0,
	} {
		if got := perMonth(a.rules[name]); got > bound {
			t.Errorf("%s finds %.4f a person and month, at most %v", name, got, bound)
		}
	}
	if got := perMonth(a.alerts); got > 0.12 || got == 0 {
		t.Errorf("%.4f alerts a person and month, at most 0.12", got)
	}
	for _, s := range shapes {
		if got := s.rate(); got < s.bound {
			t.Errorf("%s: %.3f are noticed, at least %v", s.name, got, s.bound)
		}
	}
	if people == wholeTown {
		onPage(t, "ordinary people", a.table())
		onPage(t, "attacks on one account", tableOf(shapes))
	}
}

func (a *alarms) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| finding | a person and month |\n| --- | --- |\n")
	for _, r := range Rules {
		fmt.Fprintf(&b, "| `%s` | %.3f |\n", r.Name, perMonth(a.rules[r.Name]))
	}
	fmt.Fprintf(&b, "| sign-ins | %.1f |\n", perMonth(a.signIns))
	fmt.Fprintf(&b, "| mails about a new device | %.2f |\n", perMonth(a.devices))
	fmt.Fprintf(&b, "| the same, to people who have devices remembered | %.2f |\n", float64(a.spared)/float64(a.remembering)/(days/30))
	fmt.Fprintf(&b, "| **alerts: every other mail** | **%.3f** |\n", perMonth(a.alerts))
	fmt.Fprintf(&b, "| remembered devices asked for every layer | %.3f |\n", perMonth(a.asked))
	fmt.Fprintf(&b, "| sign-ins held for a mailed link | %.3f |\n", perMonth(a.held))
	return b.String()
}

// attack is one shape of an attack on one account, tried on everybody.
type attack struct {
	name  string
	bound float64 // the least share that is noticed
	want  Consequence
	make  func(r *rand.Rand, who *person, p Profile) Sighting

	tried, noticed, stopped int
}

func (a *attack) try(who *person, p Profile) {
	s := a.make(who.r, who, p)
	if s.Client == "" {
		return // the shape does not fit this person
	}
	s.Layers = who.layers
	worst := Worst(p.Judge(s))
	a.tried++
	if worst >= a.want {
		a.noticed++
	}
	if worst >= Hold || worst == AskAll && s.Layers || !s.Remembered && s.Layers {
		a.stopped++
	}
}

func (a *attack) rate() float64 { return float64(a.noticed) / float64(max(1, a.tried)) }

func tableOf(shapes []attack) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| attack | told or more | held, or asked for a layer |\n| --- | --- | --- |\n")
	for _, a := range shapes {
		fmt.Fprintf(&b, "| %s | %.1f %% | %.1f %% |\n", a.name, 100*a.rate(), 100*float64(a.stopped)/float64(max(1, a.tried)))
	}
	return b.String()
}

// later is a time after the 90 days.
func later(r *rand.Rand) time.Time {
	return begun.Add(days*24*time.Hour + time.Duration(r.IntN(24*60))*time.Minute)
}

// abroad is a city at least a journey away from home.
func abroad(r *rand.Rand, who *person) city {
	for {
		c := cities[r.IntN(len(cities))]
		if distance(c.lat, c.lon, cities[who.home].lat, cities[who.home].lon) > FarPlace {
			return c
		}
	}
}

func (c city) sighting(at time.Time, network, client string) Sighting {
	return Sighting{At: at, Network: network, Client: client, Place: c.name, Lat: c.lat, Lon: c.lon, HasPlace: true}
}

func attacks() []attack {
	anyClient := func(r *rand.Rand) string { return clientKinds[r.IntN(len(clientKinds))] }
	return []attack{
		{name: "stolen password, from another country", bound: 0.99, want: Tell, make: func(r *rand.Rand, who *person, _ Profile) Sighting {
			return abroad(r, who).sighting(later(r), "thief", anyClient(r))
		}},
		{name: "stolen password, from a proxy in the owner's town, with the owner's kind of browser", bound: 0.99, want: Tell, make: func(r *rand.Rand, who *person, _ Profile) Sighting {
			return cities[who.home].sighting(later(r), "thief", who.devices[0].client)
		}},
		{name: "stolen password, from the owner's own address (a VPN exit, a shared office), with another browser", bound: 0.7, want: Tell, make: func(r *rand.Rand, who *person, p Profile) Sighting {
			// The digest cannot be turned around, so the network is one that the person uses.
			s := who.from(&who.devices[0], days-1, who.home)
			s.At, s.Client = later(r), anyClient(r)
			return s
		}},
		{name: "slow guessing, a guess an hour from changing addresses, until one is right", bound: 0.99, want: Tell, make: func(r *rand.Rand, who *person, _ Profile) Sighting {
			s := cities[who.home].sighting(later(r), "thief", who.devices[0].client)
			s.Failures = 24
			return s
		}},
		{name: "right password, guessed code of a further step", bound: 1, want: Tell, make: func(r *rand.Rand, who *person, _ Profile) Sighting {
			if !who.layers {
				return Sighting{}
			}
			s := cities[who.home].sighting(later(r), "thief", anyClient(r))
			s.Outcome = Halfway
			return s
		}},
		{name: "stolen password and device cookie, from another country within 2 hours of the owner", bound: 0.55, want: AskAll, make: func(r *rand.Rand, who *person, p Profile) Sighting {
			s := abroad(r, who).sighting(p.Last.Add(time.Duration(r.IntN(120))*time.Minute), "thief", anyClient(r))
			s.Remembered = true
			return s
		}},
		{name: "the same, days later, with the owner's kind of browser", bound: 0, want: AskAll, make: func(r *rand.Rand, who *person, p Profile) Sighting {
			s := abroad(r, who).sighting(p.Last.Add(5*24*time.Hour), "thief", who.devices[0].client)
			s.Remembered = true
			return s
		}},
	}
}

// onPage compares a table with the one under a heading of the page.
func onPage(t *testing.T, heading, want string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- figures: "+heading+" -->\n", "<!-- end of figures -->"
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, ends := strings.Cut(rest, end)
	if !ok || !ends {
		t.Fatalf("the page has no figures of %s", heading)
	}
	if got == want {
		return
	}
	if !*update {
		t.Errorf("the page says of %s\n%s\nand the computed figures are\n%s\n(go test ./internal/habit -update writes them)", heading, got, want)
		return
	}
	if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
