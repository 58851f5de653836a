package session

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"

	"github.com/mileusna/useragent"
	"github.com/oschwald/maxminddb-golang/v2"

	"coffer/internal/keyring"
	"coffer/internal/text"
)

// label is what a session's owner recognises it by.
type label struct {
	Name      string `json:"name"`
	UserAgent string `json:"device"` // in words
	Addr      string `json:"addr"`
	Place     string `json:"place"`
	Kind      string `json:"kind"` // of the client, for telling which sessions are of one device
}

func sealLabel(key *keyring.DataKey, id string, l label) []byte {
	b, err := json.Marshal(l)
	if err != nil {
		panic("internal error: a label does not marshal: " + err.Error()) // it is strings
	}
	return key.Seal("sessions", "label", id, b)
}

func openLabel(key *keyring.DataKey, id string, sealed []byte) (label, error) {
	var l label
	b, err := key.Open("sessions", "label", id, sealed)
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(b, &l)
}

// describe puts into words what the client of p says of itself, and where its address is.
func (s *Service) describe(p pendingSession) label {
	kind, shown := namesOfAgent(p.UserAgent)
	out := label{Name: p.Name, UserAgent: shown, Kind: kind}
	if addr, err := netip.ParseAddr(p.Addr); err == nil {
		out.Addr, out.Place = addr.String(), s.Place(addr).Name
	}
	return out
}

// maxAgent bounds how much of a User-Agent is parsed, in bytes; no browser sends more.
const maxAgent = 512

// namesOfAgent are the kind of a client, "Firefox on Linux", which an update does not
// change, and what its owner is shown, "Firefox 140 on Linux". Of a client that is no
// browser both are its product: "curl/8.5". The system has no version: browsers
// send the same for years, whatever it is.
//
// The text comes from whoever signs in, and stands in mails to the owner. So nothing is left
// in it that a mail program would show as a link.
func namesOfAgent(agent string) (kind, shown string) {
	agent = agent[:min(len(agent), maxAgent)]
	if ua := useragent.Parse(agent); ua.Name != "" && ua.OS != "" && ua.Name != agent {
		name, system := plain(ua.Name), " on "+plain(ua.OS)
		return cleanName(name + system), cleanName(strings.TrimSpace(name+" "+leading(ua.Version, "0123456789")) + system)
	}
	first, _, _ := strings.Cut(agent, " ")
	name, version, _ := strings.Cut(first, "/")
	kind = plain(name)
	if v := leading(version, "0123456789."); kind != "" && v != "" {
		kind += "/" + v
	}
	kind = cleanName(kind)
	return kind, kind
}

// leading returns the longest beginning of text that consists of some characters.
func leading(text, of string) string { return text[:len(text)-len(strings.TrimLeft(text, of))] }

// plain keeps letters, digits and what joins them in names of products.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == ' ', r == '-', r == '_':
			return r
		}
		return -1
	}, name)
}

// cleanName drops what may not be shown, which could turn the line around, and cuts to 100 characters. It returns "" for a name that shows nothing.
func cleanName(name string) string {
	runes := []rune(text.Line(name))
	return text.Line(string(runes[:min(len(runes), 100)]))
}

// Place is where an address is, as far as the operator's database knows.
type Place struct {
	Name     string  // in words, "Lisbon, Portugal"; "" unknown
	Lat, Lon float64 // in degrees
	Located  bool    // whether Lat and Lon are known
}

// maxPlaceError is the radius of a place beyond which its middle says nothing, in kilometres.
const maxPlaceError = 300

// Places reads a MaxMind DB file (City or Country) and returns the function that
// [Config].Place wants, and what closes the file.
func Places(file string) (place func(netip.Addr) Place, closeFile func() error, err error) {
	reader, err := maxminddb.Open(file)
	if err != nil {
		return nil, nil, err
	}
	return func(addr netip.Addr) Place {
		var found struct {
			City struct {
				Names map[string]string `maxminddb:"names"`
			} `maxminddb:"city"`
			Country struct {
				Names map[string]string `maxminddb:"names"`
			} `maxminddb:"country"`
		}
		var point struct {
			Location struct {
				Lat   *float64 `maxminddb:"latitude"`
				Lon   *float64 `maxminddb:"longitude"`
				Error uint32   `maxminddb:"accuracy_radius"`
			} `maxminddb:"location"`
		}
		record := reader.Lookup(addr.Unmap())
		if err := record.Decode(&found); err != nil {
			return Place{} // an unknown place is no reason to refuse a sign-in
		}
		city, country := found.City.Names["en"], found.Country.Names["en"]
		p := Place{Name: city + country}
		if city != "" && country != "" {
			p.Name = city + ", " + country
		}
		if err := record.Decode(&point); err != nil {
			return p
		}
		if l := point.Location; l.Lat != nil && l.Lon != nil && math.Abs(*l.Lat) <= 90 && math.Abs(*l.Lon) <= 180 && l.Error <= maxPlaceError {
			p.Lat, p.Lon, p.Located = *l.Lat, *l.Lon, true
		}
		return p
	}, reader.Close, nil
}
