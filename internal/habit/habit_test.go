package habit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// line is one sign-in of a recorded stream, and what is found.
type line struct {
	At         time.Time
	Account    string // "" where the stream has one
	Outcome    string // "" succeeded, "failed", "halfway"
	Network    string
	Place      string
	Point      []float64
	Client     string
	Remembered bool
	Layers     bool
	Strong     bool
	Failures   int
	Want       []string
	Worst      string // consequence; "" is not compared
}

// streams reads the recorded streams, by their names.
func streams(t *testing.T) map[string][]line {
	t.Helper()
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) < 11 {
		t.Fatalf("%d streams, %v", len(files), err)
	}
	all := map[string][]line{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		for text := range bytes.Lines(b) {
			var l line
			if err := json.Unmarshal(text, &l); err != nil {
				t.Fatalf("%s: %s: %v", name, text, err)
			}
			all[name] = append(all[name], l)
		}
	}
	return all
}

// The recorded streams give what they say, twice over, and the same when each profile goes
// through its JSON between any two sign-ins. A sign-in is judged beside what its network did
// earlier in the stream.
func TestRecordedStreams(t *testing.T) {
	t.Parallel()
	shows := map[string]bool{}
	for name, lines := range streams(t) {
		for _, l := range lines {
			for _, rule := range l.Want {
				shows[rule] = true
			}
		}
		t.Run(name, func(t *testing.T) { replay(t, lines) })
	}
	for _, r := range Rules {
		if !shows[r.Name] {
			t.Errorf("no stream shows %s", r.Name)
		}
	}
}

func replay(t *testing.T, lines []line) {
	profiles, networks, numbers := map[string]Profile{}, map[string]*network{}, map[string]int{}
	for i, l := range lines {
		if _, ok := numbers[l.Account]; !ok {
			numbers[l.Account] = len(numbers)
		}
		from, p, since := networks[l.Network], profiles[l.Account], l.At.Sub(lines[0].At)
		if from == nil {
			from = &network{}
			networks[l.Network] = from
		}
		s := l.sighting()
		s.Crowd = from.crowd(since)
		all := p.Judge(s)
		got := names(all)
		if !slices.Equal(got, l.Want) || !slices.Equal(names(p.Judge(s)), got) || l.Worst != "" && Worst(all).String() != l.Worst {
			t.Errorf("line %d finds %q and comes to %s, want %q %s", i+1, got, Worst(all), l.Want, l.Worst)
		}
		from.tries = append(from.tries, try{since, numbers[l.Account], s.Outcome == Succeeded})
		p = p.Learn(s)
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &p); err != nil {
			t.Fatal(err)
		}
		profiles[l.Account] = p
	}
}

func (l line) sighting() Sighting {
	s := Sighting{At: l.At, Network: l.Network, Place: l.Place, Client: l.Client, Remembered: l.Remembered, Layers: l.Layers, Strong: l.Strong, Failures: l.Failures}
	s.Outcome = map[string]Outcome{"": Succeeded, "failed": Failed, "halfway": Halfway}[l.Outcome]
	if s.HasPlace = len(l.Point) == 2; s.HasPlace {
		s.Lat, s.Lon = l.Point[0], l.Point[1]
	}
	return s
}

func names(all []Finding) (names []string) {
	for _, f := range all {
		names = append(names, f.Rule)
	}
	return names
}

var (
	monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	home   = Sighting{At: monday, Network: "192.0.2.7", Client: "Firefox on Linux", Place: "Lisbon, Portugal", Lat: 38.72, Lon: -9.14, HasPlace: true}
)

// habitOf signs in at home each morning for some days.
func habitOf(days int) (p Profile, last Sighting) {
	for day := range days {
		last = home
		last.At = monday.Add(time.Duration(day) * 24 * time.Hour)
		p = p.Learn(last)
	}
	return p, last
}

// Wrong answers teach nothing, however many there are: an attacker cannot make a network, a
// client, a place or an hour known without a success.
func TestFailuresTeachNothing(t *testing.T) {
	t.Parallel()
	p, last := habitOf(30)
	before, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		s := Sighting{At: last.At.Add(time.Duration(i) * time.Minute), Network: fmt.Sprint("203.0.113.", i%200), Client: "Chrome on Windows", Place: "Oslo, Norway", Lat: 59.9, Lon: 10.7, HasPlace: true, Outcome: Failed + Outcome(i%2)}
		p = p.Learn(s)
	}
	after, err := json.Marshal(p)
	if err != nil || string(after) != string(before) {
		t.Errorf("the profile became %s, %v; it was %s", after, err, before)
	}
	thief := Sighting{At: last.At.Add(100 * time.Hour), Network: "203.0.113.1", Client: "Chrome on Windows", Place: "Oslo, Norway", Lat: 59.9, Lon: 10.7, HasPlace: true, Failures: 5000}
	if got := names(p.Judge(thief)); !slices.Equal(got, []string{NewPlace, NewDevice, AfterFailures, Stranger}) {
		t.Errorf("the thief is %q", got)
	}
}

// Learn leaves the profile that it is called on as it was: two judgements of one sign-in see
// the same.
func TestLearnChangesACopy(t *testing.T) {
	t.Parallel()
	p, last := habitOf(5)
	before, _ := json.Marshal(p)
	other := last
	other.Network, other.Client, other.Place, other.Lat = "198.51.100.1", "curl/8", "Oslo, Norway", 59.9
	q := p.Learn(other)
	q.Learn(home)
	q.Forget(home)
	if after, _ := json.Marshal(p); string(after) != string(before) {
		t.Errorf("the profile became %s, was %s", after, before)
	}
}

// A network, client or place that the owner disowns is new again.
func TestForget(t *testing.T) {
	t.Parallel()
	p, last := habitOf(30)
	thief := Sighting{At: last.At.Add(48 * time.Hour), Network: "203.0.113.1", Client: "Chrome on Windows", Place: "Oslo, Norway", Lat: 59.9, Lon: 10.7, HasPlace: true}
	first := names(p.Judge(thief))
	p = p.Learn(thief)
	thief.At = thief.At.Add(time.Hour)
	if got := p.Judge(thief); got != nil {
		t.Errorf("told twice: %v", got)
	}
	if got := names(p.Forget(thief).Judge(thief)); !slices.Equal(got, first) {
		t.Errorf("after the owner disowned it: %q, want %q", got, first)
	}
	last.At = thief.At.Add(time.Minute)
	if got := p.Forget(thief).Judge(last); got != nil {
		t.Errorf("the owner at home: %v", got)
	}
	if got := names(p.Judge(last)); got != nil {
		t.Errorf("a known place is no impossible travel, found %q", got)
	}
}

// A clock that steps back or forth finds no journey and forgets nothing.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	p, last := habitOf(30)
	far := Sighting{Network: "203.0.113.1", Client: "Firefox on Linux", Place: "Oslo, Norway", Lat: 59.9, Lon: 10.7, HasPlace: true}
	for step, want := range map[time.Duration]bool{
		-time.Minute: true, 0: true, time.Minute: true, time.Hour: true, // clocks of nodes, and a real journey
		4 * time.Hour: false, -time.Hour: false, -1000 * time.Hour: false,
	} {
		far.At = last.At.Add(step)
		if got := slices.Contains(names(p.Judge(far)), ImpossibleTravel); got != want {
			t.Errorf("%v after the last sign-in, impossible travel is %v", step, got)
		}
	}
	back := last
	back.At = last.At.Add(-960 * time.Hour)
	if got := p.Judge(back); got != nil {
		t.Errorf("the clock was set back: %v", got)
	}
	ahead := last
	ahead.At = last.At.Add(40 * 365 * 24 * time.Hour)
	q := p.Learn(ahead)
	if got := q.Judge(last); got != nil {
		t.Errorf("the clock was ahead for one sign-in: %v", got)
	}
	if sum(q) > 2 {
		t.Errorf("a habit of 40 years ago counts %v", sum(q))
	}
}

func sum(p Profile) (n float64) {
	for _, hours := range p.Hours {
		for _, h := range hours {
			n += h
		}
	}
	return n
}

// The edges of each threshold.
func TestThresholds(t *testing.T) {
	t.Parallel()
	p, last := habitOf(30)
	one := func(change func(*Sighting)) []string {
		s := last
		s.At = last.At.Add(24 * time.Hour)
		change(&s)
		return names(p.Judge(s))
	}
	// A degree of latitude is 111.2 km.
	north := func(km float64) func(*Sighting) {
		return func(s *Sighting) { s.Place, s.Lat = "Elsewhere, Portugal", s.Lat+km/111.195 }
	}
	for name, test := range map[string]struct {
		change func(*Sighting)
		want   []string
	}{
		"as always":                {func(*Sighting) {}, nil},
		"two failures":             {func(s *Sighting) { s.Failures = 2 }, nil},
		"three failures":           {func(s *Sighting) { s.Failures = 3 }, []string{AfterFailures}},
		"the next town":            {north(99), nil},
		"a new place":              {north(101), []string{NewPlace}},
		"a network":                {func(s *Sighting) { s.Network = "192.0.2.8" }, []string{NewDevice}},
		"a client":                 {func(s *Sighting) { s.Client = "Edge on Windows" }, []string{NewDevice}},
		"a client, remembered":     {func(s *Sighting) { s.Client, s.Remembered = "Edge on Windows", true }, nil},
		"a moved device":           {func(s *Sighting) { north(101)(s); s.Client, s.Remembered = "Edge on Windows", true }, []string{NewPlace, MovedDevice}},
		"a stranger, not far":      {func(s *Sighting) { north(499)(s); s.Network = "203.0.113.1" }, []string{NewPlace, NewDevice}},
		"a stranger":               {func(s *Sighting) { north(501)(s); s.Network = "203.0.113.1" }, []string{NewPlace, NewDevice, Stranger}},
		"a stranger with a layer":  {func(s *Sighting) { north(501)(s); s.Network, s.Layers = "203.0.113.1", true }, []string{NewPlace, NewDevice}},
		"a stranger, by a passkey": {func(s *Sighting) { north(501)(s); s.Network, s.Strong = "203.0.113.1", true }, []string{NewPlace, NewDevice}},
		"a quick journey":          {func(s *Sighting) { north(1101)(s); s.At = last.At.Add(time.Hour) }, []string{NewPlace, ImpossibleTravel}},
		"a journey by air":         {func(s *Sighting) { north(1099)(s); s.At = last.At.Add(time.Hour) }, []string{NewPlace}},
		"an odd hour":              {func(s *Sighting) { s.At = s.At.Add(12 * time.Hour) }, []string{OddHour}},
		"two hours late":           {func(s *Sighting) { s.At = s.At.Add(2 * time.Hour) }, nil},
		"after 90 days":            {func(s *Sighting) { s.At = last.At.Add(SeenFor) }, nil},
		"after longer":             {func(s *Sighting) { s.At = last.At.Add(SeenFor + time.Second) }, []string{NewDevice}},
		"no network, no place":     {func(s *Sighting) { s.Network, s.Place, s.HasPlace = "", "", false }, []string{NewDevice}},
		"halfway":                  {func(s *Sighting) { s.Outcome = Halfway }, []string{LayerFailed}},
		"failed":                   {func(s *Sighting) { s.Outcome, s.Network = Failed, "203.0.113.1" }, nil},
		"from a suspect network":   {func(s *Sighting) { s.Crowd.Hour = Tally{Failed: 15, Succeeded: 15, Tries: 30} }, []string{Spraying}},
		"remembered, from one":     {func(s *Sighting) { s.Remembered, s.Crowd.Hour = true, Tally{Failed: 15, Tries: 30} }, nil},
		"a country, no points":     {func(s *Sighting) { s.Place, s.HasPlace, s.Network = "Chile", false, "203.0.113.1" }, []string{NewPlace, NewDevice, Stranger}},
		"a town, no points":        {func(s *Sighting) { s.Place, s.HasPlace, s.Network = "Faro, Portugal", false, "203.0.113.1" }, []string{NewPlace, NewDevice}},
	} {
		if got := one(test.change); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := (Profile{}).Judge(home); got != nil {
		t.Errorf("the first sign-in: %v", got)
	}
	young, _ := habitOf(EnoughHours - 1)
	night := home
	night.At = monday.Add(20*24*time.Hour + 12*time.Hour)
	if got := young.Judge(night); got != nil {
		t.Errorf("a habit of few sign-ins: %v", got)
	}
}

// The edges of the thresholds of networks.
func TestCrowdThresholds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		crowd Crowd
		rule  string
		want  Consequence
	}{
		{Crowd{}, "", Note},
		{Crowd{Hour: Tally{14, 0, 14}}, "", Note},
		{Crowd{Hour: Tally{15, 0, 15}}, Spraying, Hold},
		{Crowd{Hour: Tally{15, 16, 15}}, "", Note},
		{Crowd{Hour: Tally{24, 0, 24}}, Spraying, Hold},
		{Crowd{Hour: Tally{25, 0, 25}}, Spraying, Block},
		{Crowd{Hour: Tally{25, 6, 25}}, Stuffing, Block},
		{Crowd{Hour: Tally{25, 7, 25}}, Stuffing, Hold},
		{Crowd{Hour: Tally{25, 1, 38}}, Spraying, Block},
		{Crowd{Day: Tally{39, 0, 39}}, "", Note},
		{Crowd{Day: Tally{40, 1, 40}}, Stuffing, Hold},
		{Crowd{Day: Tally{60, 0, 60}}, Spraying, Block},
		{Crowd{Day: Tally{60, 400, 60}}, "", Note},
	} {
		got := test.crowd.Judge()
		if worst := Worst(got); worst != test.want || strings.Join(names(got), "") != test.rule {
			t.Errorf("%+v: %v, want %s %v", test.crowd, got, test.rule, test.want)
		}
	}
}

// A profile stays small whatever is learnt, and keeps the latest of each kind.
func TestProfileIsBounded(t *testing.T) {
	t.Parallel()
	var p Profile
	for i := range 500 {
		s := Sighting{At: monday.Add(time.Duration(i) * 7 * time.Hour), Network: fmt.Sprint(i, strings.Repeat("x", 300)), Client: fmt.Sprint("<&\u2028", i, strings.Repeat("\"", 300)), Place: fmt.Sprint(i, strings.Repeat("ü", 300), ", ", i), Lat: -89.99 + float64(i)/5, Lon: -179.99 + float64(i)/3, HasPlace: true}
		p = p.Learn(s)
		b, err := json.Marshal(p)
		if err != nil || len(b) > MaxProfile {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		if got := p.Judge(s); got != nil {
			t.Fatalf("a sign-in that was just learnt: %v", got)
		}
	}
	var q Profile
	b, _ := json.Marshal(p)
	if err := json.Unmarshal(b, &q); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(q); string(again) != string(b) {
		t.Errorf("read and written: %s", cmp.Diff(string(b), string(again)))
	}
	if err := json.Unmarshal([]byte(`{"v":99,"used":"other"}`), &q); err != nil || q.any() || len(q.Used) > 0 {
		t.Errorf("a later version: %+v, %v", q, err)
	}
}

func FuzzProfile(f *testing.F) {
	p, _ := habitOf(3)
	seed, _ := json.Marshal(p)
	f.Add(seed)
	f.Add([]byte(`{"v":1,"hours":[[1e308]],"places":[{"k":"!","p":[1,2]}],"last":-1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Profile
		if json.Unmarshal(b, &p) != nil {
			return
		}
		p.Judge(home)
		p = p.Learn(home)
		if again, err := json.Marshal(p); err != nil || len(b) <= MaxProfile && len(again) > 2*MaxProfile {
			t.Errorf("%d bytes became %d, %v", len(b), len(again), err)
		}
	})
}

// The rules have different names, grow in weight, and each has words. The page shows them, and
// its prose has the numbers of the code.
func TestRulesArePlain(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	last := 0
	for _, r := range Rules {
		if r.Score < last || r.Score > 100 || r.Words == "" {
			t.Errorf("%+v", r)
		}
		last = r.Score
		if row := fmt.Sprintf("| `%s` | %d | %s | %s", r.Name, r.Score, strings.ReplaceAll(r.Consequence.String(), "_", " "), r.Words); !strings.Contains(text, row) {
			t.Errorf("docs/guard.md has no row that begins %q", row)
		}
	}
	share := map[float64]string{0.5: "half", 0.8: "four fifths"}
	for _, sentence := range []string{
		fmt.Sprintf("A *place* is near another one within %d km. A journey is more than %d km, and impossible above %d km/h after %d km are taken off", NearPlace, FarPlace, MaxSpeed, PlaceError),
		fmt.Sprintf("for an account with %d sign-ins or more, of which less than 1 in %.0f came within %s hours of it", EnoughHours, 1/OddShare, inWords[OddReach]),
		fmt.Sprintf("fade with a half-life of %.0f days", HalfLife.Hours()/24),
		fmt.Sprintf("when %d accounts failed there within an hour, or %d within a day, and did not sign in, and they are %s of all that were tried there. It is *hostile* at %d and %d accounts and %s.",
			Suspect[0].Failed, Suspect[1].Failed, share[Suspect[0].Share], Hostile[0].Failed, Hostile[1].Failed, share[Hostile[0].Share]),
		fmt.Sprintf("Fewer than %d accounts a day from one address.", Suspect[1].Failed),
		strings.ToUpper(inWords[ManyFailures][:1]) + inWords[ManyFailures][1:] + " or more wrong answers came before this sign-in.",
	} {
		if !strings.Contains(text, sentence) {
			t.Errorf("docs/guard.md does not say %q", sentence)
		}
	}
	for _, all := range [][]Threshold{Suspect, Hostile} { // an hour and a day, with one share: so the page writes them
		if len(all) != 2 || all[0].Window != time.Hour || all[1].Window != 24*time.Hour || all[0].Share != all[1].Share {
			t.Errorf("docs/guard.md has no words for %+v", all)
		}
	}
	if d := distance(38.72, -9.14, 59.91, 10.75); math.Abs(d-2738) > 15 {
		t.Errorf("Lisbon is %.0f km from Oslo", d)
	}
}

var inWords = map[int]string{2: "two", 3: "three"}
