// Package habit decides which sign-ins stand out from an account's own habit, and which networks guess at many accounts.
//
// It is pure: it has no clock, no storage and no randomness, so the same history gives the
// same findings. The rules, their thresholds and their words stand in rules.go. Package
// guard keeps the profiles and acts on the findings.
//
// # What an attacker can teach
//
// Only a success teaches: [Profile.Learn] returns the profile unchanged for any other
// outcome. So wrong guesses, however many, make no network, place, client or hour known. A
// thief of a password who gets in teaches as the owner does. That is why the first such
// sign-in is told, asked or held, and why [Profile.Forget] exists.
//
// # What it cannot know
//
// An attacker in the owner's town, with the owner's kind of browser, in the owner's hours,
// is a new device and nothing else. Where the operator has no database of places, the rules
// of places find nothing.
package habit

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// Outcome is how a sign-in ended.
type Outcome int

// The outcomes.
const (
	Succeeded Outcome = iota
	Failed            // the first proof was wrong
	Halfway           // the first proof was right, the answer to a layer wrong
)

// Consequence is what follows from a finding. A greater one includes the smaller ones.
type Consequence int

// The consequences.
const (
	Note   Consequence = iota // it stands in the history
	Tell                      // the owner gets a mail
	AskAll                    // a remembered device is asked for every layer
	Hold                      // a sign-in by password alone waits for a mailed link
	Block                     // the address is refused
)

// String returns the name that the API uses.
func (c Consequence) String() string {
	return [...]string{"note", "tell", "ask_all", "hold", "block"}[c]
}

// Sighting is one sign-in as the server sees it.
type Sighting struct {
	At       time.Time
	Network  string  // one IPv4 address or one IPv6 /48; "" unknown
	Place    string  // in words, "Lisbon, Portugal"; "" unknown
	Lat, Lon float64 // in degrees
	HasPlace bool    // whether Lat and Lon are known
	Client   string  // the kind of client, "Firefox on Linux"; "" unknown

	// Remembered says that the sign-in came with the token of a remembered device.
	Remembered bool
	// Layers says that the account asks for more than the first proof.
	Layers bool
	// Strong says that the first proof is none that can be guessed: a passkey, or another
	// service's word. Such a sign-in is never held.
	Strong bool
	// Failures is how many wrong answers the account had since its last sign-in.
	Failures int

	Outcome Outcome
	// Crowd is what the network did to other accounts lately.
	Crowd Crowd
}

// Finding is one thing that stands out.
type Finding struct {
	Rule        string
	Score       int // 0 to 100
	Consequence Consequence
}

func finding(name string) Finding {
	for _, r := range Rules {
		if r.Name == name {
			return Finding{r.Name, r.Score, r.Consequence}
		}
	}
	panic("internal error: no rule " + name)
}

// Worst returns the greatest consequence of findings, Note for none.
func Worst(all []Finding) Consequence {
	worst := Note
	for _, f := range all {
		worst = max(worst, f.Consequence)
	}
	return worst
}

// Judge returns what stands out in s, in the order of [Rules]. A sign-in that failed stands
// out only by what its network does.
func (p Profile) Judge(s Sighting) []Finding { return p.judge(keysOf(s), &s) }

func (p *Profile) judge(k keys, s *Sighting) []Finding {
	var all []Finding
	add := func(rule string, found bool) {
		if found {
			all = append(all, finding(rule))
		}
	}
	if s.Outcome == Succeeded {
		newPlace, far := p.place(k, s)
		newClient := !known(p.Clients, k.client, s.At)
		newDevice := p.any() && !s.Remembered && !known(p.Used, k.used, s.At)
		add(OddHour, p.odd(s.At))
		add(NewPlace, newPlace)
		add(NewDevice, newDevice)
		add(AfterFailures, s.Failures >= ManyFailures)
		add(MovedDevice, newPlace && s.Remembered && newClient)
		add(ImpossibleTravel, newPlace && p.tooFast(s))
		add(Stranger, newDevice && far && !s.Layers && !s.Strong)
	}
	add(LayerFailed, s.Outcome == Halfway)
	// A device that the owner has had remembered is none of the attacker's.
	if !s.Remembered {
		all = append(all, s.Crowd.Judge()...)
	}
	return all
}

// any reports whether the account has signed in before.
func (p *Profile) any() bool { return !p.Last.IsZero() }

// place reports whether the place of s is new to the account, and whether it is also a
// journey away from every place of the account.
func (p *Profile) place(k keys, s *Sighting) (isNew, far bool) {
	if s.Place == "" && !s.HasPlace {
		return false, false
	}
	far, any := true, false
	for _, seen := range p.Places {
		if age(s.At, seen.At) > PlaceFor {
			continue
		}
		any = true
		apart, measured := math.Inf(1), s.HasPlace && seen.HasPlace
		if measured {
			apart = distance(s.Lat, s.Lon, seen.Lat, seen.Lon)
		}
		if seen.Key == k.place && !measured || apart <= NearPlace {
			return false, false
		}
		// Without coordinates, as with a database of countries, another country is far.
		if measured && apart <= FarPlace || !measured && seen.Country == k.country {
			far = false
		}
	}
	return any, any && far
}

// tooFast reports whether no traveller gets from the last sign-in to s in time.
func (p *Profile) tooFast(s *Sighting) bool {
	if !p.Here.HasPlace || !s.HasPlace {
		return false
	}
	took := s.At.Sub(p.Here.At)
	if took < -ClockError { // a clock was set back: the time between is unknown
		return false
	}
	apart := distance(p.Here.Lat, p.Here.Lon, s.Lat, s.Lon)
	hours := max(took, ClockError).Hours()
	return apart > FarPlace && (apart-PlaceError)/hours > MaxSpeed
}

// odd reports whether the account hardly ever signs in around this hour of the week.
func (p *Profile) odd(at time.Time) bool {
	class, hour := slot(at)
	total := 0.0
	for c := range p.Hours {
		for _, n := range p.Hours[c] {
			total += n
		}
	}
	if total*fade(at, p.Last) < EnoughHours { // too little, or too long ago
		return false
	}
	near := 0.0
	for h := hour - OddReach; h <= hour+OddReach; h++ {
		// Another kind of day counts half: it says something, and not all.
		near += p.Hours[class][(h+24)%24] + p.Hours[1-class][(h+24)%24]/2
	}
	return near < OddShare*total
}

// fade is what is left at now of a habit that was last fed then.
func fade(now, then time.Time) float64 {
	return math.Exp2(-age(now, then).Hours() / HalfLife.Hours())
}

// slot is where a time stands in the habit of hours.
func slot(at time.Time) (class, hour int) {
	at = at.UTC()
	if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
		class = 1
	}
	return class, at.Hour()
}

// distance is the great-circle distance in kilometres.
func distance(lat1, lon1, lat2, lon2 float64) float64 {
	const radius, rad = 6371, math.Pi / 180
	dlat, dlon := (lat2-lat1)*rad/2, (lon2-lon1)*rad/2
	a := math.Sin(dlat)*math.Sin(dlat) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Sin(dlon)*math.Sin(dlon)
	return 2 * radius * math.Asin(math.Sqrt(min(1, a)))
}

// age is how long ago a use was, never negative: a clock that was set back ages nothing.
func age(now, then time.Time) time.Duration { return max(0, now.Sub(then)) }

// keys are the names of a sighting as profiles hold them: short, and of one length, however
// long the names are that a client sends.
type keys struct{ used, place, country, client key }

type key uint64

func keysOf(s Sighting) keys {
	country := s.Place
	if i := strings.LastIndex(country, ", "); i >= 0 {
		country = country[i+2:]
	}
	return keys{keyOf(s.Client + "\n" + s.Network), keyOf(s.Place), keyOf(country), keyOf(s.Client)}
}

func keyOf(name string) key {
	if name == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(name))
	return key(binary.BigEndian.Uint64(sum[:]) | 1) // 0 is the unknown
}
