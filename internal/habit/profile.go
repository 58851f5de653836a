package habit

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// MaxProfile is the most bytes that a profile takes as JSON.
const MaxProfile = 4 << 10

// The bounds that keep a profile within MaxProfile.
const (
	maxUsed    = 32
	maxPlaces  = 16
	maxClients = 16
)

// version is the form of the JSON. A profile of another form is forgotten, and learned anew.
const version = 1

// Profile is the habit of one account: what it has used, when, and where it was last. The
// zero value is an account that has never signed in.
type Profile struct {
	Hours   [2][24]float64 // decayed sign-ins, by kind of day and hour (UTC)
	Used    []Seen         // a kind of client on a network
	Places  []Stop
	Clients []Seen
	Last    time.Time // of the last success
	Here    Stop      // of the last success whose place is known
}

// Seen is a name and its last use.
type Seen struct {
	Key key
	At  time.Time
}

// Stop is a place and its last use.
type Stop struct {
	Key, Country key
	At           time.Time
	Lat, Lon     float64
	HasPlace     bool
}

// Learn returns the profile after s. Only a success teaches. p itself stays as it is.
func (p Profile) Learn(s Sighting) Profile {
	if s.Outcome == Succeeded {
		p.learn(keysOf(s), &s)
	}
	return p
}

// learn writes no slice of p that another profile may share.
func (p *Profile) learn(k keys, s *Sighting) {
	at := s.At
	left := fade(at, p.Last)
	for c := range p.Hours {
		for h := range p.Hours[c] {
			p.Hours[c][h] *= left
		}
	}
	class, hour := slot(at)
	p.Hours[class][hour]++
	p.Used = use(p.Used, k.used, at, maxUsed)
	p.Clients = use(p.Clients, k.client, at, maxClients)
	p.Last = maxTime(p.Last, at)
	if s.Place != "" || s.HasPlace {
		p.Here = Stop{Key: k.place, Country: k.country, At: at, Lat: s.Lat, Lon: s.Lon, HasPlace: s.HasPlace}
		p.Places = p.stay(p.Here)
	}
}

// Forget returns the profile without the client, network and place of s, as when the owner
// says that the sign-in was another person's. What of it the owner uses too, the owner's next
// sign-in teaches again.
func (p Profile) Forget(s Sighting) Profile {
	k := keysOf(s)
	p.Used = without(p.Used, k.used)
	p.Clients = without(p.Clients, k.client)
	p.Places = slices.DeleteFunc(slices.Clone(p.Places), func(o Stop) bool { return o.Key == k.place })
	if p.Here.Key == k.place {
		p.Here = Stop{} // the owner need not have come from there
	}
	return p
}

// use moves a name to the front, and drops the name whose last use is the longest ago.
func use(seen []Seen, k key, at time.Time, most int) []Seen {
	if k == 0 {
		return seen
	}
	now := append(make([]Seen, 0, min(len(seen)+1, most)), Seen{k, at})
	for _, o := range seen {
		if o.Key != k && len(now) < most && age(at, o.At) <= SeenFor {
			now = append(now, o)
		}
	}
	return now
}

func (p *Profile) stay(s Stop) []Stop {
	now := append(make([]Stop, 0, min(len(p.Places)+1, maxPlaces)), s)
	for _, o := range p.Places {
		if o.Key != s.Key && len(now) < maxPlaces && age(s.At, o.At) <= PlaceFor {
			now = append(now, o)
		}
	}
	return now
}

func known(seen []Seen, k key, at time.Time) bool {
	return slices.ContainsFunc(seen, func(o Seen) bool { return o.Key == k && age(at, o.At) <= SeenFor })
}

func without(seen []Seen, k key) []Seen {
	return slices.DeleteFunc(slices.Clone(seen), func(o Seen) bool { return o.Key == k })
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// wire is the JSON of a profile. Names are digests in base 36, times whole seconds,
// that of the last success milliseconds.
type wire struct {
	V       int            `json:"v"`
	Hours   [2][24]float64 `json:"hours"`
	Used    []wireSeen     `json:"used"`
	Places  []wireStop     `json:"places"`
	Clients []wireSeen     `json:"clients"`
	Last    int64          `json:"last"`
	Here    *wireStop      `json:"here"`
}

type wireSeen struct {
	Key string `json:"k"`
	At  int64  `json:"t"`
}

type wireStop struct {
	Key     string    `json:"k,omitempty"`
	Country string    `json:"c,omitempty"`
	At      int64     `json:"t"`
	Point   []float64 `json:"p,omitempty"` // latitude and longitude
}

// MarshalJSON writes at most [MaxProfile] bytes.
func (p Profile) MarshalJSON() ([]byte, error) {
	w := wire{V: version}
	for c := range p.Hours {
		for h, n := range p.Hours[c] {
			w.Hours[c][h] = math.Round(min(n, 1e6)*100) / 100
		}
	}
	for _, s := range p.Used {
		w.Used = append(w.Used, wireSeen{s.Key.text(), s.At.Unix()})
	}
	for _, s := range p.Clients {
		w.Clients = append(w.Clients, wireSeen{s.Key.text(), s.At.Unix()})
	}
	for _, s := range p.Places {
		w.Places = append(w.Places, s.wire())
	}
	if p.any() {
		w.Last = p.Last.UnixMilli()
	}
	if !p.Here.At.IsZero() {
		here := p.Here.wire()
		w.Here = &here
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON wrote. A profile of another version becomes the zero
// value.
func (p *Profile) UnmarshalJSON(b []byte) error {
	*p = Profile{}
	var v struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(b, &v); err != nil || v.V != version {
		return err
	}
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	p.Hours = w.Hours
	var err error
	read := func(text string) key {
		k, bad := parseKey(text)
		if bad != nil {
			err = bad
		}
		return k
	}
	for _, s := range w.Used {
		p.Used = append(p.Used, Seen{read(s.Key), time.Unix(s.At, 0).UTC()})
	}
	for _, s := range w.Clients {
		p.Clients = append(p.Clients, Seen{read(s.Key), time.Unix(s.At, 0).UTC()})
	}
	stop := func(s wireStop) Stop {
		o := Stop{Key: read(s.Key), Country: read(s.Country), At: time.Unix(s.At, 0).UTC()}
		if o.HasPlace = len(s.Point) == 2; o.HasPlace {
			o.Lat, o.Lon = s.Point[0], s.Point[1]
		}
		return o
	}
	for _, s := range w.Places {
		p.Places = append(p.Places, stop(s))
	}
	if w.Last != 0 {
		p.Last = time.UnixMilli(w.Last).UTC()
	}
	if w.Here != nil {
		p.Here = stop(*w.Here)
	}
	return err
}

func (s Stop) wire() wireStop {
	w := wireStop{Key: s.Key.text(), Country: s.Country.text(), At: s.At.Unix()}
	if s.HasPlace {
		w.Point = []float64{math.Round(s.Lat*100) / 100, math.Round(s.Lon*100) / 100}
	}
	return w
}

func (k key) text() string {
	if k == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(k), 36)
}

func parseKey(text string) (key, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 36, 64)
	if err != nil {
		return 0, fmt.Errorf("habit: a name of a profile: %w", err)
	}
	return key(n), nil
}
