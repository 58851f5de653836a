package pinning

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"coffer/internal/ipfs"
)

const aRoot = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"

// FuzzAnswers feeds each reader of answers. What it takes must be within the rules that its
// callers rely on.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"Root":{"Cid":{"/":"` + aRoot + `"},"PinErrorMsg":""}}` + "\n" + `{"Stats":{"BlockCount":4,"BlockBytesCount":9}}`,
		`{"Keys":{"` + aRoot + `":{"Type":"recursive","Name":""}}}`,
		`{"Message":"path '/ipfs/x' is not pinned","Code":0,"Type":"error"}`,
		`{"data":{"id":"e5323ea7","name":"a","cid":"` + aRoot + `","size":1,"is_duplicate":true}}`,
		`{"data":{"files":[{"id":"1","cid":"pending"},{"id":"..","cid":""}],"next_page_token":"2"}}`,
		`{"requestid":"1","status":"pinned","created":"2020-07-27T17:32:28.276Z","pin":{"cid":"` + aRoot + `"},"delegates":["/ip4/9.9.9.9/tcp/1/p2p/x"]}`,
		`{"count":11,"results":[{"requestid":"1","status":"queued","created":"2020-07-27T17:32:28Z","pin":{"cid":"Qm"}}]}`,
		`{"ID":"x","Addresses":["/ip4/8.8.8.8/tcp/4001/p2p/x","/ip4/10.0.0.1/tcp/1/p2p/x"]}`,
		`Thu, 01 Jan 2026 00:00:00 GMT`, `99999999999999999999`, "\xff", `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, err := readImport(raw); err == nil {
			for _, c := range got.roots {
				again(t, c)
			}
		}
		if all, err := readPins(raw); err == nil {
			for _, c := range all {
				again(t, c)
			}
		}
		if f, err := readPinataFile(raw); err == nil && !goodRef(f.ID) {
			t.Errorf("id %q", f.ID)
		}
		if files, _, err := readPinataFiles(raw); err == nil {
			for _, f := range files {
				if !goodRef(f.ID) {
					t.Errorf("id %q", f.ID)
				}
			}
		}
		if s, err := readPinStatus(raw); err == nil {
			checkStatus(t, s)
		}
		if page, _, err := readPinResults(raw); err == nil {
			for _, s := range page {
				checkStatus(t, s)
			}
		}
		if all, err := readAddresses(raw); err == nil {
			for _, a := range all {
				if !publicAddr(a) {
					t.Errorf("address %q", a)
				}
			}
		}
		if d := retryAfter(http.Header{"Retry-After": {string(raw)}}, now); d < 0 || d > maxAfter {
			t.Errorf("after %s", d)
		}
		if n, err := offset(http.Header{"Upload-Offset": {string(raw)}}, 100); err == nil && (n < 0 || n > 100) {
			t.Errorf("offset %d", n)
		}
		if words := clean(kuboWords(raw)); len(words) > maxWords+len("…") || strings.ContainsAny(words, "\r\n\x00") {
			t.Errorf("words %q", words)
		}
		webOrigin(string(raw))
	})
}

func again(t *testing.T, c ipfs.CID) {
	if got, err := ipfs.Parse(c.String()); err != nil || got != c {
		t.Errorf("%s reads as %s, %v", c, got, err)
	}
}

func checkStatus(t *testing.T, s pinStatus) {
	again(t, s.root)
	if !goodRef(s.ID) || s.state != Queued && s.state != Pinned && s.state != Failed {
		t.Errorf("%+v", s)
	}
}

// Frame is what a CAR writer really writes.
func TestFrame(t *testing.T) {
	for _, n := range []int{0, 1, 91, 92, 16347, 16348, 1 << 20, 2<<20 - 37, 2<<20 - 36} {
		var wrote counter
		car, err := ipfs.WriteCAR(&wrote, ipfs.CID{Codec: ipfs.Raw})
		if err != nil {
			t.Fatal(err)
		}
		head := wrote
		if err := car.Put(ipfs.Block{CID: ipfs.CID{Codec: ipfs.Raw}, Data: make([]byte, n)}); err != nil {
			t.Fatal(err)
		}
		if got, want := Frame(n), int64(wrote-head); got != want {
			t.Errorf("%d bytes: %d, want %d", n, got, want)
		}
	}
}

func TestPublicAddr(t *testing.T) {
	for addr, want := range map[string]bool{
		"/ip4/8.8.8.8/tcp/4001/p2p/x": true, "/ip6/2606:4700::1111/udp/4001/quic-v1/p2p/x": true, "/ip4/8.8.8.8/tcp/1/p2p/x/p2p-circuit/p2p/y": true,
		"/ip4/127.0.0.1/tcp/4001/p2p/x": false, "/ip4/10.0.0.1/tcp/4001/p2p/x": false, "/ip6/::1/tcp/4001/p2p/x": false, "/ip6/::ffff:10.0.0.1/tcp/1/p2p/x": false,
		"/dns4/evil.example/tcp/4001/p2p/x": false, "/ip4/8.8.8.8/tcp/4001": false, "": false, "/p2p/x": false, "/ip4/8.8.8.8/tcp/4001/p2p/a b": false,
		"/ip4/8.8.8.8/p2p/x": true, "/unix/tmp/x/p2p/x": false,
	} {
		if got := publicAddr(addr); got != want {
			t.Errorf("%q: %t, want %t", addr, got, want)
		}
	}
}

// A peer's id is a multihash in base58btc: the vector is of the multihash documentation's kind,
// the SHA-256 of the empty text.
func TestPeerID(t *testing.T) {
	var empty [32]byte
	copy(empty[:], "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55")
	if got, want := peerID(empty), "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if c, err := ipfs.Parse(peerID(empty)); err != nil || c.Digest != empty {
		t.Errorf("%s, %v", c, err)
	}
}
