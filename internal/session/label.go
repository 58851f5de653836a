package session

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/medama-io/go-useragent"
	"github.com/oschwald/maxminddb-golang/v2"

	"coffer/internal/text"
)

// labeller turns what a client says of itself into words.
type labeller struct {
	agents *useragent.Parser
	place  func(netip.Addr) string
}

func newLabeller(place func(netip.Addr) string) labeller {
	return labeller{useragent.NewParser(), place}
}

func (l labeller) of(p plan) label {
	out := label{Name: p.Name, Device: l.device(p.Agent)}
	if addr, err := netip.ParseAddr(p.Addr); err == nil {
		out.Addr, out.Place = addr.String(), l.place(addr)
	}
	return out
}

// device is "Firefox on Linux", or the first word of what no browser says: "curl/8.5".
func (l labeller) device(agent string) string {
	ua := l.agents.Parse(agent)
	browser, os := string(ua.Browser()), string(ua.OS())
	switch {
	case browser != "" && os != "":
		return browser + " on " + os
	case browser != "":
		return browser
	}
	first, _, _ := strings.Cut(agent, " ")
	return cleanName(first)
}

// cleanName drops controls and format characters, which could turn the line around, and
// cuts to 100 characters. It returns "" for a name that shows nothing.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return -1
		}
		return r
	}, name)
	runes := []rune(strings.TrimSpace(name))
	if name = strings.TrimSpace(string(runes[:min(len(runes), 100)])); !text.Visible(name) {
		return ""
	}
	return name
}

// Places reads a MaxMind DB file (City or Country) and returns the function that
// [Config].Place wants, and what closes the file.
func Places(file string) (place func(netip.Addr) string, closeFile func() error, err error) {
	reader, err := maxminddb.Open(file)
	if err != nil {
		return nil, nil, err
	}
	return func(addr netip.Addr) string {
		var found struct {
			City struct {
				Names map[string]string `maxminddb:"names"`
			} `maxminddb:"city"`
			Country struct {
				Names map[string]string `maxminddb:"names"`
			} `maxminddb:"country"`
		}
		if err := reader.Lookup(addr).Decode(&found); err != nil {
			return "" // an unknown place is no reason to refuse a sign-in
		}
		city, country := found.City.Names["en"], found.Country.Names["en"]
		if city != "" && country != "" {
			return city + ", " + country
		}
		return city + country
	}, reader.Close, nil
}
