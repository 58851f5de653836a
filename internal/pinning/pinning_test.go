package pinning_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/ipfs"
	"coffer/internal/pinning"
	"coffer/internal/pinning/pinningtest"
)

// settings are those of the test servers.
func pinata(s *pinningtest.Server) pinning.Settings {
	return pinning.Settings{PinataJWT: pinningtest.Token, PinataURL: s.URL, PinataUploadURL: "https://uploads.pinata.cloud"}
}

func open(t *testing.T, c pinning.Config, name string) pinning.Target {
	t.Helper()
	if c.Shard == 0 {
		c.Shard = pinningtest.Shard
	}
	all, err := pinning.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(n pinning.Named) bool { return n.Name == name })
	if i < 0 {
		t.Fatalf("no %s in %+v", name, all)
	}
	return all[i].Target
}

func TestPinata(t *testing.T) {
	pinningtest.Run(t, func(t *testing.T) pinningtest.World {
		s := pinningtest.NewPinata(t)
		return pinningtest.World{Server: s, Target: open(t, pinning.Config{Settings: pinata(s)}, pinning.KindPinata)}
	})
}

func TestKubo(t *testing.T) {
	pinningtest.Run(t, func(t *testing.T) pinningtest.World {
		s := pinningtest.NewKubo(t)
		s.Token = ""
		return pinningtest.World{Server: s, Target: open(t, pinning.Config{Settings: pinning.Settings{IPFSRPC: s.URL}}, pinning.KindKubo)}
	})
}

// withNode is a PSA provider that fetches from a Kubo node.
func withNode(t *testing.T) (s, node *pinningtest.Server, target pinning.Target) {
	s, node = pinningtest.NewPSA(t), pinningtest.NewKubo(t)
	s.Fetch(func(origins []string, c ipfs.CID) ([]byte, bool) {
		if !slices.Contains(origins, pinningtest.KuboPublic) {
			return nil, false
		}
		return node.Held(c)
	})
	return s, node, open(t, pinning.Config{Settings: pinning.Settings{IPFSRPC: node.URL, PSAURL: s.URL, PSAToken: pinningtest.Token, PSAGateway: s.URL}}, pinning.KindPSA)
}

func TestPSA(t *testing.T) {
	pinningtest.Run(t, func(t *testing.T) pinningtest.World {
		s, _, target := withNode(t)
		return pinningtest.World{Server: s, Target: target, Queues: true}
	})
}

// realKubo is the RPC address of a real node.
func realKubo(t *testing.T) string {
	t.Helper()
	at := os.Getenv("COFFER_TEST_KUBO_RPC")
	if at == "" {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatal("COFFER_TEST_KUBO_RPC is not set, and COFFER_TEST_REQUIRE=1 forbids to skip")
		}
		t.Skip("needs a real Kubo node: COFFER_TEST_KUBO_RPC is not set (make test builds and starts one)")
	}
	return at
}

func TestRealKubo(t *testing.T) {
	at := realKubo(t)
	pinningtest.Run(t, func(t *testing.T) pinningtest.World {
		return pinningtest.World{Target: open(t, pinning.Config{Settings: pinning.Settings{IPFSRPC: at}}, pinning.KindKubo)}
	})
}

// A real node tells its addresses and refuses to pin what it has not.
func TestRealKuboPinsNothingHalf(t *testing.T) {
	at := realKubo(t)
	target := open(t, pinning.Config{Settings: pinning.Settings{IPFSRPC: at}}, pinning.KindKubo)
	whole := pinningtest.Content(t, 3*pinningtest.Shard+77)
	s, n := whole, 0
	s.Blocks = func(yield func(ipfs.Block) error) error {
		return whole.Blocks(func(b ipfs.Block) error {
			if n++; n == 2 {
				return nil
			}
			return yield(b)
		})
	}
	_, _, err := target.Put(t.Context(), s)
	if _, ok := errors.AsType[*pinning.RetryError](err); !ok || pinning.ReasonOf(err) != pinning.Incomplete {
		t.Errorf("a DAG without one block: %v", err)
	}
	if state, err := target.Status(t.Context(), s.Root, ""); state != pinning.Gone || err != nil {
		t.Errorf("%q, %v", state, err)
	}
}

// The node connects to the provider's public peers and to no private one, and gets no pin.
func TestPSAHints(t *testing.T) {
	_, node, target := withNode(t)
	s := pinningtest.Content(t, 100)
	if _, _, err := target.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if n := node.Calls("connect "); n != 1 || node.Calls("connect /ip4/9.9.9.9/") != 1 {
		t.Errorf("%d connections", n)
	}
	if len(node.Roots()) != 0 {
		t.Error("the node pins")
	}
}

// Without a node the provider fetches from this server's gateway.
func TestPSAFromOurGateway(t *testing.T) {
	s := pinningtest.NewPSA(t)
	content := pinningtest.Content(t, 100)
	blocks := map[ipfs.CID][]byte{}
	_ = content.Blocks(func(b ipfs.Block) error { blocks[b.CID] = b.Data; return nil })
	var told []string
	s.Fetch(func(origins []string, c ipfs.CID) ([]byte, bool) {
		told = origins
		b, ok := blocks[c]
		return b, ok
	})
	c := pinning.Config{Settings: pinning.Settings{PSAURL: s.URL, PSAToken: pinningtest.Token, PSAGateway: s.URL}, Origin: "https://files.example.org"}
	all, err := pinning.Open(c)
	if err != nil || len(all) != 1 || !all[0].Fetches {
		t.Fatalf("%+v, %v", all, err)
	}
	ref, _, err := all[0].Target.Put(t.Context(), content)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := all[0].Target.Status(t.Context(), content.Root, ref); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "/dns/files.example.org/tcp/443/tls/http/p2p/Qm") || len(s.Roots()) != 1 {
		t.Errorf("origins %q, pins %q", told, s.Roots())
	}
	// Where that cannot be reached from outside the provider is told none, and the operator is.
	for _, origin := range []string{"", "http://files.example.org", "https://localhost", "https://10.0.0.1", "https://[::1]", "https://intranet", "https://files.example.org/sub"} {
		c.Origin = origin
		all, err := pinning.Open(c)
		if err != nil || len(all) != 1 || !all[0].Fetches || !strings.HasPrefix(all[0].Warning, "COFFER_PSA_URL: ") {
			t.Fatalf("%q: %+v, %v", origin, all, err)
		}
		root, told := content.Root, []string{"not asked"}
		if err := all[0].Target.Remove(t.Context(), root, ""); err != nil {
			t.Fatal(err)
		}
		s.Fetch(func(origins []string, c ipfs.CID) ([]byte, bool) {
			told = origins
			return nil, false
		})
		ref, _, err := all[0].Target.Put(t.Context(), content)
		for range 2 {
			if err == nil {
				_, err = all[0].Target.Status(t.Context(), root, ref)
			}
		}
		if err != nil || len(told) != 0 {
			t.Errorf("%q: origins %q, %v", origin, told, err)
		}
	}
}

// A failed request is not taken up again, and a lost answer is.
func TestPSARequests(t *testing.T) {
	s, _, target := withNode(t)
	content := pinningtest.Content(t, 100)
	first, _, err := target.Put(t.Context(), content)
	if err != nil {
		t.Fatal(err)
	}
	if again, _, err := target.Put(t.Context(), content); again != first || err != nil {
		t.Errorf("%q, %v, want %q", again, err, first)
	}
	s.Misbehave(pinningtest.Faults{Failed: true})
	if state, err := target.Status(t.Context(), content.Root, first); state != pinning.Failed || err != nil {
		t.Errorf("%q, %v", state, err)
	}
	s.Misbehave(pinningtest.Faults{})
	if again, _, err := target.Put(t.Context(), content); again == first || err != nil {
		t.Errorf("%q, %v", again, err)
	}
}

// A long upload goes on where it broke.
func TestPinataResumes(t *testing.T) {
	s := pinningtest.NewPinata(t)
	target := open(t, pinning.Config{Settings: pinata(s)}, pinning.KindPinata)
	whole := pinningtest.Content(t, 4*pinningtest.Shard)
	content, n := whole, 0
	content.Blocks = func(yield func(ipfs.Block) error) error {
		return whole.Blocks(func(b ipfs.Block) error {
			if n++; n == 3 {
				s.Misbehave(pinningtest.Faults{Cut: true, Times: 1})
			}
			return yield(b)
		})
	}
	ref, got, err := target.Put(t.Context(), content)
	if err != nil || got != whole.Root || ref == "" {
		t.Fatalf("%q, %s, %v", ref, got, err)
	}
	if creates, asked := s.Calls("POST /v3/files"), s.Calls("HEAD /v3/uploads/"); creates != 1 || asked != 1 {
		t.Errorf("%d uploads, asked %d times", creates, asked)
	}
	// A provider that is away for longer is asked again by the caller.
	s.Misbehave(pinningtest.Faults{Status: 429, RetryAfter: "5"})
	if _, _, err := target.Put(t.Context(), whole); pinning.ReasonOf(err) != pinning.Busy {
		t.Error(err)
	}
}

// The token goes to no other host, whatever an answer says.
func TestPinataUploadElsewhere(t *testing.T) {
	s := pinningtest.NewPinata(t)
	s.Misbehave(pinningtest.Faults{Elsewhere: true})
	target := open(t, pinning.Config{Settings: pinata(s)}, pinning.KindPinata)
	_, _, err := target.Put(t.Context(), pinningtest.Content(t, 2*pinningtest.Shard))
	if _, ok := errors.AsType[*pinning.PermanentError](err); !ok || pinning.ReasonOf(err) != pinning.NotAllowed {
		t.Error(err)
	}
}

// A source of another length than it says pins nothing.
func TestPinataLength(t *testing.T) {
	s := pinningtest.NewPinata(t)
	target := open(t, pinning.Config{Settings: pinata(s)}, pinning.KindPinata)
	for _, size := range []int{100, 2 * pinningtest.Shard} {
		for _, by := range []int64{-1, 1} {
			content := pinningtest.Content(t, size)
			content.Framed += by
			if _, _, err := target.Put(t.Context(), content); err == nil || len(s.Roots()) != 0 {
				t.Errorf("%d bytes and %d: %v, %q", size, by, err, s.Roots())
			}
		}
	}
}

// shut is a listener on this machine that must hear nothing.
func shut(t *testing.T) (port string, came *atomic.Int64) {
	t.Helper()
	came = new(atomic.Int64)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			c.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, came
}

// A provider's host may be private only because a setting names it, and only that host, and
// for a gateway only the gateway's.
func TestPrivatePlacesAreRefused(t *testing.T) {
	port, came := shut(t)
	s := pinningtest.NewPinata(t) // on 127.0.0.1
	all := pinning.Settings{
		PinataJWT: "x", PinataURL: "https://api.pinata.cloud", PinataUploadURL: "https://uploads.pinata.cloud", PinataGateway: s.URL,
		IPFSRPC: "https://node.example", PSAURL: "https://psa.example/v1", PSAToken: "x", PSAGateway: "https://gateway.example",
	}
	targets, err := pinning.Open(pinning.Config{Settings: all})
	if err != nil {
		t.Fatal(err)
	}
	for _, named := range targets {
		for part, client := range pinning.Clients(named.Target) {
			for _, place := range []string{"https://127.0.0.2:" + port, "https://localhost:" + port, "https://[::1]:" + port, "https://10.0.0.1/", "https://169.254.169.254/"} {
				err := pinning.Try(t.Context(), client, place)
				if _, ok := errors.AsType[*pinning.PermanentError](err); !ok || pinning.ReasonOf(err) != pinning.NotAllowed {
					t.Errorf("%s %s: %s: %v", named.Name, part, place, err)
				}
			}
			// The gateway's setting names 127.0.0.1; the API's does not.
			err := pinning.Try(t.Context(), client, s.URL)
			if want := named.Name == pinning.KindPinata && part == "gateway"; (pinning.ReasonOf(err) != pinning.NotAllowed) != want {
				t.Errorf("%s %s: 127.0.0.1: %v", named.Name, part, err)
			}
		}
	}
	if came.Load() != 0 {
		t.Errorf("%d connections", came.Load())
	}
}

func TestSettings(t *testing.T) {
	good := pinning.Settings{
		PinataJWT: "x", PinataURL: "https://api.pinata.cloud", PinataUploadURL: "https://uploads.pinata.cloud", PinataGateway: "https://a.mypinata.cloud",
		IPFSRPC: "http://ada:secret@127.0.0.1:5001", PSAURL: "https://psa.example/v1/", PSAToken: "x", PSAGateway: "https://gateway.example",
	}
	if all, err := pinning.Open(pinning.Config{Settings: good}); err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	if all, err := pinning.Open(pinning.Config{Settings: pinning.Settings{PinataURL: good.PinataURL, PinataUploadURL: good.PinataUploadURL}}); err != nil || len(all) != 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	for variable, change := range map[string]func(*pinning.Settings){
		"COFFER_PINATA_URL":         func(s *pinning.Settings) { s.PinataURL = "http://api.example" },
		"COFFER_PINATA_UPLOAD_URL":  func(s *pinning.Settings) { s.PinataUploadURL = "" },
		"COFFER_PINATA_GATEWAY":     func(s *pinning.Settings) { s.PinataGateway, s.PinataGatewayKey = "", "x" },
		"COFFER_PINATA_JWT":         func(s *pinning.Settings) { s.PinataJWT = "" },
		"COFFER_PINATA_GATEWAY_KEY": func(s *pinning.Settings) { s.PinataGatewayKey = "two words" },
		"COFFER_IPFS_RPC":           func(s *pinning.Settings) { s.IPFSRPC = "http://ada:secret@node.example:5001" },
		"COFFER_PSA_URL":            func(s *pinning.Settings) { s.PSAURL = "https://psa.example/?token=secret" },
		"COFFER_PSA_TOKEN":          func(s *pinning.Settings) { s.PSAToken = "sec\nret" },
		"COFFER_PSA_GATEWAY":        func(s *pinning.Settings) { s.PSAGateway = "https://ada:secret@gateway.example" },
	} {
		s := good
		change(&s)
		if err := s.AfterApply(); err == nil || !strings.HasPrefix(err.Error(), variable+": ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", variable, err)
		}
	}
}

// TestFewSettings starts with an account's key alone, and with what stands in for a provider: the
// rest follows. A gateway key never goes to an address that follows.
func TestFewSettings(t *testing.T) {
	// The two addresses that settings have by default.
	pinata := pinning.Settings{PinataJWT: "x", PinataURL: "https://api.pinata.cloud", PinataUploadURL: "https://uploads.pinata.cloud"}
	standIn := pinata
	standIn.PinataURL = "https://stand-in.example/pinata"
	apart := standIn
	apart.PinataUploadURL = "https://up.example"
	for name, c := range map[string]struct {
		set                             pinning.Settings
		upload, gateway, shown, warning string
	}{
		"a key":                   {pinata, "https://uploads.pinata.cloud", "https://gateway.pinata.cloud", "https://gateway.pinata.cloud", "COFFER_PINATA_GATEWAY: "},
		"a stand-in":              {standIn, standIn.PinataURL, standIn.PinataURL, standIn.PinataURL, ""},
		"with uploads of its own": {apart, "https://up.example", standIn.PinataURL, standIn.PinataURL, ""},
		"a provider of the API":   {pinning.Settings{PSAURL: "https://psa.example:8443/v1/", PSAToken: "x"}, "", "", "https://psa.example:8443", ""},
	} {
		s := c.set
		if err := s.AfterApply(); err != nil || s.PinataUploadURL != c.upload || s.PinataGateway != c.gateway {
			t.Errorf("%s: %q, %q, %v", name, s.PinataUploadURL, s.PinataGateway, err)
		}
		all, err := pinning.Open(pinning.Config{Settings: c.set, Origin: "https://files.example.org"})
		if err != nil || len(all) != 1 || all[0].Gateway != c.shown {
			t.Fatalf("%s: %+v, %v", name, all, err)
		}
		if got := all[0].Warning; (got == "") != (c.warning == "") || !strings.HasPrefix(got, c.warning) {
			t.Errorf("%s: %q", name, got)
		}
		s = c.set
		s.PinataGatewayKey = "x"
		if err := s.AfterApply(); err == nil || !strings.HasPrefix(err.Error(), "COFFER_PINATA_GATEWAY: ") {
			t.Errorf("%s, and a gateway key: %v", name, err)
		}
	}
	own := pinata
	own.PinataGateway = "https://coral-1.mypinata.cloud"
	for key, want := range map[string]string{"": own.PinataGateway, "x": ""} { // people have no key
		own.PinataGatewayKey = key
		all, err := pinning.Open(pinning.Config{Settings: own})
		if err != nil || all[0].Gateway != want || strings.HasPrefix(all[0].Warning, "COFFER_PINATA_GATEWAY_KEY: ") != (key == "") {
			t.Errorf("the account's gateway with the key %q: %+v, %v", key, all, err)
		}
	}
	five := pinata
	five.IPFSRPC, five.PSAURL, five.PSAToken = "http://127.0.0.1:5001", "https://psa.example", "x"
	if all, err := pinning.Open(pinning.Config{Settings: five}); err != nil || len(all) != 3 {
		t.Errorf("%+v, %v", all, err)
	}
	// Hosts that follow from no setting must have public addresses.
	five.PinataGateway = "https://gateway.pinata.cloud/"
	if got := pinning.NamedHosts(five.PinataURL, five.PinataUploadURL, five.PinataGateway, five.PSAURL); !slices.Equal(got, []string{"psa.example"}) {
		t.Errorf("named: %q", got)
	}
}

// TestPinataCrawls: a provider that fails each time and has a byte more each time is given up.
func TestPinataCrawls(t *testing.T) {
	s := pinningtest.NewPinata(t)
	behind, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var passes atomic.Int64
	through := httputil.NewSingleHostReverseProxy(behind)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPatch:
			passes.Add(1)
			w.WriteHeader(http.StatusInternalServerError)
		case http.MethodHead:
			w.Header().Set("Upload-Offset", strconv.FormatInt(passes.Load(), 10))
		default:
			through.ServeHTTP(w, r)
		}
	}))
	defer front.Close()
	through.ModifyResponse = func(r *http.Response) error {
		if at := r.Header.Get("Location"); at != "" {
			r.Header.Set("Location", strings.Replace(at, s.URL, front.URL, 1))
		}
		return nil
	}
	set := pinata(s)
	set.PinataURL, set.PinataUploadURL = front.URL, front.URL
	target := open(t, pinning.Config{Settings: set}, pinning.KindPinata)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	_, _, err = target.Put(ctx, pinningtest.Content(t, 4*pinningtest.Shard))
	if got := passes.Load(); err == nil || ctx.Err() != nil || got < 2 || got > 12 {
		t.Errorf("%d passes: %v", got, err)
	}
}
