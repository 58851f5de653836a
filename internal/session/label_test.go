package session

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

func TestPlacesReadsAMaxMindFile(t *testing.T) {
	t.Parallel()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test-City", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	names := func(name string) mmdbtype.Map {
		return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name)}}
	}
	at := func(lat, lon, radius float64) mmdbtype.Map {
		return mmdbtype.Map{"latitude": mmdbtype.Float64(lat), "longitude": mmdbtype.Float64(lon), "accuracy_radius": mmdbtype.Uint16(radius)}
	}
	for network, record := range map[string]mmdbtype.Map{
		"203.0.113.0/25":    {"city": names("Lisbon"), "country": names("Portugal"), "location": at(38.72, -9.14, 20)},
		"203.0.113.128/25":  {"city": names("Porto"), "country": names("Portugal")},
		"198.51.100.0/25":   {"country": names("Chile"), "location": at(-33, -70, 1000)},
		"198.51.100.128/25": {"country": names("Chile"), "location": at(-333, -70, 10)},
	} {
		_, prefix, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(prefix, record); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "places.mmdb")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	place, closeFile, err := Places(path)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]Place{
		"203.0.113.9": {"Lisbon, Portugal", 38.72, -9.14, true}, "::ffff:203.0.113.9": {"Lisbon, Portugal", 38.72, -9.14, true},
		"203.0.113.200": {Name: "Porto, Portugal"},
		// The middle of a country, and a point that is nowhere.
		"198.51.100.1": {Name: "Chile"}, "198.51.100.200": {Name: "Chile"},
		"192.0.2.1": {}, "2001:db8::1": {},
	} {
		if got := place(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is in %+v, want %+v", addr, got, want)
		}
	}
	if err := closeFile(); err != nil {
		t.Error(err)
	}
	if _, _, err := Places(filepath.Join(t.TempDir(), "none.mmdb")); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestDeviceIsNamedByItsAgent(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string][2]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                             {"Firefox on Linux", "Firefox 140 on Linux"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                    {"Chrome on Windows", "Chrome 140 on Windows"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                              {"Safari on macOS", "Safari 18 on macOS"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":            {"Safari on iOS", "Safari 18 on iOS"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":                      {"Edge on Windows", "Edge 140 on Windows"},
		"Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                                    {"Chrome on Android", "Chrome 140 on Android"},
		"Mozilla/5.0 (Linux; Android 15; SAMSUNG SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": {"Samsung Browser on Android", "Samsung Browser 28 on Android"},
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                     {"Chrome on ChromeOS", "Chrome 140 on ChromeOS"},
		"curl/8.5.0":           {"curl/8.5.0", "curl/8.5.0"},
		"":                     {"", ""},
		"a\u202eb\x00c\nd e f": {"abcd", "abcd"},

		// Text of an attacker, which mails show to the owner: no link is left in it.
		"https://evil.example/end-session":                            {"https", "https"},
		"evil.example/1.2x":                                           {"evilexample/1.2", "evilexample/1.2"},
		"www.evil.example":                                            {"wwwevilexample", "wwwevilexample"},
		"call@evil.example":                                           {"callevilexample", "callevilexample"},
		"evil.example/1.2 (Windows NT 10.0; Win64; x64)":              {"evilexample on Windows", "evilexample 1 on Windows"},
		"Mozilla/5.0 (X11; Linux x86_64) evil.example/evil.example/1": {"evilexample on Linux", "evilexample on Linux"},
	} {
		if kind, shown := namesOfAgent(agent); kind != want[0] || shown != want[1] {
			t.Errorf("%q is %q and shown as %q, want %q", agent, kind, shown, want)
		}
	}
	if got := cleanName("  " + strings.Repeat("ü", 200) + "\u200f"); got != strings.Repeat("ü", 100) {
		t.Errorf("a long name became %d bytes", len(got))
	}
	for _, blank := range []string{"\u3164", "\u2800 \u115f", "\ufe0f", "\u200b"} {
		if got := cleanName(blank); got != "" {
			t.Errorf("%+q became %+q, want no name", blank, got)
		}
	}
}

func FuzzNamesOfAgent(f *testing.F) {
	for _, seed := range []string{"", "(", "Mozilla/5.0 (Linux; Android 15; K) Chrome/1", "CrOS", "a/(b;c)/[d]", "Instagram", "Mozilla/5.0 (X11; Linux) \u202eevil/1 Safari/1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, agent string) {
		kind, shown := namesOfAgent(agent)
		for _, got := range []string{kind, shown} {
			if got != cleanName(got) || utf8.RuneCountInString(got) > 100 {
				t.Errorf("%q became %q", agent, got)
			}
		}
	})
}
