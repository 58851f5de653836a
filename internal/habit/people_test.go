package habit

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// The simulated population: ordinary people who travel, work at night, sign in with phones,
// behind VPNs and shared addresses, mistype, buy devices and lose cookies. Every number here
// is an assumption, and docs/guard.md lists them.

// city is a place with the hours that its clocks are ahead of UTC in winter.
type city struct {
	name     string
	lat, lon float64
	ahead    int
	summer   bool // its clocks change
	hub      int  // where its country's phones leave for the Internet
}

var cities = []city{
	{"Berlin, Germany", 52.52, 13.40, 1, true, 2},
	{"Munich, Germany", 48.14, 11.58, 1, true, 2},
	{"Frankfurt, Germany", 50.11, 8.68, 1, true, 2},
	{"Hamburg, Germany", 53.55, 9.99, 1, true, 2},
	{"Cologne, Germany", 50.94, 6.96, 1, true, 2},
	{"Paris, France", 48.86, 2.35, 1, true, 5},
	{"Lyon, France", 45.76, 4.84, 1, true, 5},
	{"Marseille, France", 43.30, 5.37, 1, true, 5},
	{"London, United Kingdom", 51.51, -0.13, 0, true, 8},
	{"Edinburgh, United Kingdom", 55.95, -3.19, 0, true, 8},
	{"Madrid, Spain", 40.42, -3.70, 1, true, 10},
	{"Lisbon, Portugal", 38.72, -9.14, 0, true, 11},
	{"Rome, Italy", 41.90, 12.50, 1, true, 13},
	{"Milan, Italy", 45.46, 9.19, 1, true, 13},
	{"Oslo, Norway", 59.91, 10.75, 1, true, 14},
	{"Warsaw, Poland", 52.23, 21.01, 1, true, 15},
	{"Amsterdam, Netherlands", 52.37, 4.90, 1, true, 16},
	{"Zurich, Switzerland", 47.37, 8.54, 1, true, 17},
	{"Vienna, Austria", 48.21, 16.37, 1, true, 18},
	{"New York, United States", 40.71, -74.01, -5, true, 19},
	{"Chicago, United States", 41.88, -87.63, -6, true, 20},
	{"San Francisco, United States", 37.77, -122.42, -8, true, 21},
	{"Tokyo, Japan", 35.68, 139.69, 9, false, 22},
	{"Singapore, Singapore", 1.35, 103.82, 8, false, 23},
	{"Sydney, Australia", -33.87, 151.21, 10, false, 24},
	{"Istanbul, Turkey", 41.01, 28.98, 3, false, 25},
}

// vpnExits are cities in which VPNs leave for the Internet.
var vpnExits = []int{16, 17, 2, 8, 19}

var clientKinds = []string{"Chrome on Windows", "Firefox on Windows", "Edge on Windows", "Safari on macOS", "Chrome on macOS", "Firefox on Linux", "Safari on iOS", "Chrome on Android"}

// phones begins the kinds that phones are.
const phones = 6

type device struct {
	client string
	phone  bool
	till   time.Time // remembered
}

type person struct {
	r        *rand.Rand
	id       int
	home     int
	perDay   float64 // sign-ins
	hour     float64 // of the usual sign-in, by the clock on the wall
	spread   float64
	night    bool // every other week
	address  int  // days that an address at home lasts; 0: for ever
	devices  []device
	vpn      bool
	exits    [2]int
	layers   bool
	strong   bool // has a passkey
	remember bool
	trips    [][3]int // first day, last day, city
	newPhone int      // the day of a new device; -1: none
}

// begun is a Monday in winter. The clocks change on the 45th day.
var begun = time.Date(2026, 2, 9, 0, 0, 0, 0, time.UTC)

const (
	days   = 90
	change = 45
)

func newPerson(seed, id int) *person {
	r := rand.New(rand.NewPCG(uint64(seed), uint64(id)))
	p := &person{r: r, id: id, home: r.IntN(len(cities)), newPhone: -1, remember: r.Float64() < 0.8, layers: r.Float64() < 0.3, strong: r.Float64() < 0.15}
	switch x := r.Float64(); {
	case x < 0.6:
		p.perDay = 0.07
	case x < 0.9:
		p.perDay = 0.17
	default:
		p.perDay = 0.75
	}
	p.hour, p.spread = 8+r.Float64()*13, 1+r.Float64()*3
	p.night = r.Float64() < 0.05
	p.address = []int{0, 0, 1, 7, 30}[r.IntN(5)]
	p.devices = []device{{client: clientKinds[r.IntN(phones)]}, {client: clientKinds[phones+r.IntN(2)], phone: true}}
	if p.vpn = r.Float64() < 0.1; p.vpn {
		p.exits = [2]int{vpnExits[r.IntN(len(vpnExits))], vpnExits[r.IntN(len(vpnExits))]}
	}
	for r.Float64() < 0.35 {
		first := r.IntN(days)
		p.trips = append(p.trips, [3]int{first, first + 2 + r.IntN(9), r.IntN(len(cities))})
	}
	if r.Float64() < 0.1 {
		p.newPhone = r.IntN(days)
	}
	return p
}

// remembers says that the person has devices remembered; a sign-in with a passkey remembers none.
func (p *person) remembers() bool { return p.remember && !p.strong }

// where is the city in which the person is on a day.
func (p *person) where(day int) int {
	for _, t := range p.trips {
		if day >= t[0] && day <= t[1] {
			return t[2]
		}
	}
	return p.home
}

// live calls see with each of the person's sign-ins in 90 days, in order: successes, and
// right passwords whose code was mistyped.
func (p *person) live(see func(Sighting)) {
	var last time.Time
	body := p.home // where the person was at the last sign-in
	for day := range days {
		n := 0
		for x := p.r.Float64(); x < p.perDay && n < 4; x += p.r.Float64() {
			n++
		}
		if n == 0 {
			continue
		}
		if p.newPhone >= 0 && day >= p.newPhone {
			p.devices[1] = device{client: clientKinds[phones+p.r.IntN(2)], phone: true}
			p.newPhone = -1
		}
		here := p.where(day)
		var times []time.Time
		for range n {
			times = append(times, p.at(day, here))
		}
		slices.SortFunc(times, time.Time.Compare)
		for _, at := range times {
			flight := distance(cities[body].lat, cities[body].lon, cities[here].lat, cities[here].lon)/750 + 3
			if here != body && !last.IsZero() && at.Sub(last).Hours() < flight || at.Before(last) {
				continue // on the way
			}
			last, body = at, here
			p.signIn(at, day, here, see)
		}
	}
}

// at is a time on a day, by the clocks of a city.
func (p *person) at(day, here int) time.Time {
	hour := p.hour + p.r.NormFloat64()*p.spread
	if p.night && day/7%2 == 1 {
		hour = 1 + p.r.NormFloat64()*2
	}
	ahead := cities[here].ahead
	if cities[here].summer && day >= change {
		ahead++
	}
	return begun.Add(time.Duration(day)*24*time.Hour + time.Duration((hour-float64(ahead))*float64(time.Hour)))
}

func (p *person) signIn(at time.Time, day, here int, see func(Sighting)) {
	which := 0
	if p.r.Float64() < 0.45 {
		which = 1
	}
	d := &p.devices[which]
	if p.r.Float64() < 0.01 {
		d.till = time.Time{} // cookies were cleared
	}
	s := p.from(d, day, here)
	s.At, s.Client, s.Layers, s.Strong = at, d.client, p.layers, p.strong
	s.Remembered = at.Before(d.till)
	if !p.strong {
		for p.r.Float64() < 0.06 {
			s.Failures++
		}
		if p.r.Float64() < 0.01 { // the password was forgotten
			s.Failures += 2 + p.r.IntN(4)
		}
	}
	if p.layers && !s.Strong && !s.Remembered && p.r.Float64() < 0.03 {
		half := s
		half.Outcome = Halfway
		see(half)
		s.Failures++
	}
	see(s)
	if p.remembers() {
		d.till = at.Add(30 * 24 * time.Hour)
	}
}

// from is the network and the place that the server sees.
func (p *person) from(d *device, day, here int) Sighting {
	at, c := cities[here], cities[here]
	network := ""
	switch x := p.r.Float64(); {
	case p.vpn && x < 0.4:
		exit := p.exits[p.r.IntN(2)]
		at, network = cities[exit], name("vpn", exit, p.r.IntN(40))
	case d.phone && x < 0.7:
		// A phone abroad leaves for the Internet at home.
		at, network = cities[cities[p.home].hub], name("phones", cities[p.home].hub, p.r.IntN(300))
		if p.r.Float64() < 0.4 {
			at = cities[p.home]
		}
	case here != p.home:
		network = name("hotel", here, p.id*days+day/3)
	case x > 0.85:
		network = name("office", here, p.id%50)
	case p.address == 0:
		network = name("home", p.id, 0)
	default:
		network = name("home", p.id, day/p.address)
	}
	s := Sighting{Network: network, Place: at.name, Lat: at.lat, Lon: at.lon, HasPlace: true}
	if at == c && p.r.Float64() < 0.05 { // the database names a town nearby
		s.Place = "near " + at.name
		s.Lat += 2 * (p.r.Float64() - 0.5)
		s.Lon += 3 * (p.r.Float64() - 0.5)
	}
	return s
}

func name(kind string, a, b int) string { return kind + strconv.Itoa(a) + "." + strconv.Itoa(b) }
