package rest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func guardOf(proxies ...string) *guard {
	cfg := Config{}
	for _, p := range proxies {
		cfg.TrustedProxies = append(cfg.TrustedProxies, netip.MustParsePrefix(p))
	}
	g := newGuard(cfg)
	return &g
}

func TestClientAddress(t *testing.T) {
	trusted := []string{"10.0.0.0/8", "fd00::/8"}
	tests := []struct {
		name, peer string
		proxies    []string
		lines      []string // of X-Forwarded-For
		want       string
	}{
		{"no proxies: the field counts for nothing", "192.0.2.1:5", nil, []string{"203.0.113.9"}, "192.0.2.1"},
		{"not from a proxy", "192.0.2.1:5", trusted, []string{"203.0.113.9"}, "192.0.2.1"},
		{"proxy without the field", "10.0.0.1:5", trusted, nil, "10.0.0.1"},
		{"empty field", "10.0.0.1:5", trusted, []string{""}, "10.0.0.1"},
		{"one hop", "10.0.0.1:5", trusted, []string{"203.0.113.9"}, "203.0.113.9"},
		{"what the client wrote is further left", "10.0.0.1:5", trusted, []string{"6.6.6.6, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "10.0.0.1:5", trusted, []string{"6.6.6.6, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"lines are one list", "10.0.0.1:5", trusted, []string{"6.6.6.6", "203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"a client's own line comes first", "10.0.0.1:5", trusted, []string{"10.0.0.7", "203.0.113.9"}, "203.0.113.9"},
		{"proxies alone", "10.0.0.1:5", trusted, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"spaces and tabs", "10.0.0.1:5", trusted, []string{" \t203.0.113.9 "}, "203.0.113.9"},
		{"port", "10.0.0.1:5", trusted, []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6", "[fd00::1]:5", trusted, []string{"2001:db8::9"}, "2001:db8::9"},
		{"IPv6 in brackets", "[fd00::1]:5", trusted, []string{"[2001:db8::9]"}, "2001:db8::9"},
		{"IPv6 with port", "[fd00::1]:5", trusted, []string{"[2001:db8::9]:4711"}, "2001:db8::9"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:5", trusted, []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"zone", "[fe80::1%eth0]:5", []string{"fe80::/10"}, []string{"fe80::2%eth1"}, "fe80::2"},
		{"garbage ends what is known", "10.0.0.1:5", trusted, []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"garbage before a proxy", "10.0.0.1:5", trusted, []string{"203.0.113.9, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"empty elements", "10.0.0.1:5", trusted, []string{"203.0.113.9,, 10.0.0.2 ,", " "}, "203.0.113.9"},
		{"a name is no address", "10.0.0.1:5", trusted, []string{"evil.example"}, "10.0.0.1"},
		{"octal is no address", "10.0.0.1:5", trusted, []string{"0177.0.0.1"}, "10.0.0.1"},
		{"socket without addresses", "@", trusted, []string{"203.0.113.9"}, "invalid IP"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "http://localhost/", nil)
			r.RemoteAddr = test.peer
			for _, l := range test.lines {
				r.Header.Add("X-Forwarded-For", l)
			}
			for _, other := range []string{"X-Real-Ip", "Forwarded", "Cf-Connecting-Ip", "True-Client-Ip", "X-Client-Ip"} {
				r.Header.Set(other, "6.6.6.6")
			}
			if got := guardOf(test.proxies...).clientAddr(r).String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// FuzzForwardedFor compares the walk with a slow one that first splits everything.
func FuzzForwardedFor(f *testing.F) {
	f.Add("10.0.0.1:5", "6.6.6.6, 203.0.113.9", "10.0.0.2")
	f.Add("192.0.2.1:5", "203.0.113.9:80,[2001:db8::9]:1", "")
	f.Add("10.0.0.1:5", ",,", "unknown")
	g := guardOf("10.0.0.0/8", "fd00::/8")
	f.Fuzz(func(t *testing.T, peerAddr, first, second string) {
		r := &http.Request{RemoteAddr: peerAddr, Header: http.Header{"X-Forwarded-For": {first, second}}}
		want := peer(r)
		if !strings.Contains(first+second, "\n") { // a header field has no line end
			all := strings.Split(first+","+second, ",")
			for _, hop := range slices.Backward(all) {
				if !g.trusted(want) {
					break
				}
				hop = strings.Trim(hop, " \t")
				if hop == "" {
					continue
				}
				next, ok := parseHop(hop)
				if !ok {
					break
				}
				want = next
			}
			if got := g.clientAddr(r); got != want {
				t.Fatalf("peer %q, %q, %q: got %s, want %s", peerAddr, first, second, got, want)
			}
		}
		// Entries that a client adds further left change no reported address.
		got := g.clientAddr(r)
		r.Header["X-Forwarded-For"] = []string{"6.6.6.6", first, second}
		if more := g.clientAddr(r); more != got && more.String() != "6.6.6.6" {
			t.Fatalf("a line before changed %s to %s", got, more)
		} else if more != got && !g.trusted(got) {
			t.Fatalf("a client chose its address: %s became %s", got, more)
		}
	})
}

func TestClient(t *testing.T) {
	w := newWorld(t)
	long := "a" + strings.Repeat("ü", 400)
	got := w.do(t, "GET", "/v1/things?limit=1", "", "User-Agent: "+long, "Origin: https://page.example", "X-Request-Id: chosen", "X-Forwarded-For: 6.6.6.6")
	c := w.last.Load()
	if c == nil {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if c.Addr.String() != "127.0.0.1" || c.Origin != "https://page.example" || c.RequestID != got.header.Get("X-Request-Id") || c.RequestID == "chosen" {
		t.Errorf("got %+v", c)
	}
	if len(c.UserAgent) > 512 || !utf8.ValidString(c.UserAgent) || !strings.HasPrefix(long, c.UserAgent) {
		t.Errorf("user agent of %d bytes: %q", len(c.UserAgent), c.UserAgent)
	}
	if r := httptest.NewRequest("GET", "/", nil); CallerOf(r).Account != "" {
		t.Error("a request from elsewhere has a caller")
	}
}

// An operation's context tells its client, so that what is recorded deep below can name it.
func TestClientInOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var told Client
	var ok bool
	Register(w.API, Op{Method: http.MethodGet, Path: "/told", ID: "told", Status: http.StatusOK, Summary: "Told"}, func(ctx context.Context, in *struct{ Request }) (*struct{}, error) {
		if told, ok = ClientIn(context.WithoutCancel(ctx)); told != in.Client {
			t.Errorf("the context tells %+v, the input %+v", told, in.Client)
		}
		return nil, nil
	})
	w.do(t, "GET", "/v1/told", "")
	if !ok || !told.Addr.IsValid() {
		t.Errorf("%+v, %t", told, ok)
	}
	if _, ok := ClientIn(t.Context()); ok {
		t.Error("a context without a request tells a client")
	}
}
