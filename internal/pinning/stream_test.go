package pinning_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"coffer/internal/ipfs"
	"coffer/internal/pinning"
)

// serve answers with h alone.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// long is content of n leaves of 1 MiB, all equal, and a root.
func long(n int) pinning.Source {
	leaf := make([]byte, ipfs.ChunkSize)
	blocks := [2]ipfs.Block{{CID: ipfs.Sum(ipfs.Raw, leaf), Data: leaf}, {CID: ipfs.Sum(ipfs.Raw, []byte("root")), Data: []byte("root")}}
	return pinning.Source{Name: "long", Root: blocks[1].CID, Framed: int64(n)*pinning.Frame(len(leaf)) + pinning.Frame(4), Blocks: func(yield func(ipfs.Block) error) error {
		for range n {
			if err := yield(blocks[0]); err != nil {
				return err
			}
		}
		return yield(blocks[1])
	}}
}

// discard is a provider of both APIs that keeps nothing.
func discard(root string) http.HandlerFunc {
	var total, got int64
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/dag/import"):
			form, err := r.MultipartReader()
			if err != nil {
				return
			}
			part, err := form.NextPart()
			if err != nil {
				return
			}
			car, err := ipfs.NewCARReader(part, 2<<20)
			if err != nil {
				return
			}
			n := 0
			for ; err == nil; n++ {
				_, err = car.Next()
			}
			if r.URL.Query().Get("pin-roots") == "true" {
				fmt.Fprintf(w, `{"Root":{"Cid":{"/":"%s"},"PinErrorMsg":""}}`, root)
			}
			fmt.Fprintf(w, `{"Stats":{"BlockCount":%d}}`, n-1)
		case r.Method == http.MethodPost:
			total, _ = strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
			w.Header().Set("Location", r.URL.Path+"/1")
			w.WriteHeader(http.StatusCreated)
		case r.Method == http.MethodPatch:
			n, _ := io.Copy(io.Discard, r.Body)
			got += n
			w.Header().Set("Upload-Offset", strconv.FormatInt(got, 10))
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodGet && total > 0 && got == total:
			_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"files": []any{map[string]string{"id": "1", "cid": root}}}})
		default:
			fmt.Fprint(w, `{"data":{"files":[]}}`)
		}
	}
}

// The memory of an upload does not follow the length of the content.
func TestUploadsAreFlat(t *testing.T) {
	const leaves = 120 // in uploads of the default length
	s := long(leaves)
	for _, name := range []string{pinning.KindPinata, pinning.KindKubo} {
		at := serve(t, discard(s.Root.String()))
		target := open(t, pinning.Config{Shard: 50 << 20, Settings: pinning.Settings{
			PinataJWT: "x", PinataURL: at, PinataUploadURL: at, PinataGateway: at, IPFSRPC: at,
		}}, name)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, got, err := target.Put(t.Context(), s); err != nil || got != s.Root {
			t.Fatalf("%s: %s, %v", name, got, err)
		}
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > leaves<<20/8 {
			t.Errorf("%s: %d MiB of content took %d KiB", name, leaves, spent>>10)
		}
	}
}

// A success that comes before the content is none.
func TestEarlySuccess(t *testing.T) {
	s := long(1)
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"data":{"id":"1","cid":"%s","files":[]},"Stats":{"BlockCount":1}}`, s.Root)
	})
	for _, name := range []string{pinning.KindPinata, pinning.KindKubo} {
		target := open(t, pinning.Config{Shard: 50 << 20, Settings: pinning.Settings{
			PinataJWT: "x", PinataURL: at, PinataUploadURL: at, PinataGateway: at, IPFSRPC: at,
		}}, name)
		_, _, err := target.Put(t.Context(), s)
		if _, ok := errors.AsType[*pinning.RetryError](err); !ok || pinning.ReasonOf(err) != pinning.Incomplete {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Pinata may need time before a file has its CID, and before it lists an upload.
func TestPinataPending(t *testing.T) {
	s := long(0)
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, `{"data":{"id":"1","cid":"pending","files":[]}}`)
	})
	target := open(t, pinning.Config{Settings: pinning.Settings{PinataJWT: "x", PinataURL: at, PinataUploadURL: at, PinataGateway: at}}, pinning.KindPinata)
	ref, _, err := target.Put(t.Context(), s)
	if err != nil || ref != "1" {
		t.Fatalf("%q, %v", ref, err)
	}
	if state, err := target.Status(t.Context(), s.Root, ref); state != pinning.Queued || err != nil {
		t.Errorf("%q, %v", state, err)
	}

	var got int64
	at = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			w.Header().Set("Location", r.URL.Path+"/1")
			w.WriteHeader(http.StatusCreated)
		case http.MethodPatch:
			n, _ := io.Copy(io.Discard, r.Body)
			got += n
			w.Header().Set("Upload-Offset", strconv.FormatInt(got, 10))
		default:
			fmt.Fprint(w, `{"data":{"files":[]}}`)
		}
	})
	target = open(t, pinning.Config{Settings: pinning.Settings{PinataJWT: "x", PinataURL: at, PinataUploadURL: at, PinataGateway: at}}, pinning.KindPinata)
	_, _, err = target.Put(t.Context(), long(2))
	if e, ok := errors.AsType[*pinning.RetryError](err); !ok || e.After == 0 {
		t.Errorf("an upload that is not listed: %v", err)
	}
}

// A gateway key goes to the gateway alone, and the token to the API alone.
func TestPinataKeys(t *testing.T) {
	block := []byte("a block")
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		key, token := r.Header.Get("X-Pinata-Gateway-Token"), r.Header.Get("Authorization")
		if strings.HasPrefix(r.URL.Path, "/ipfs/") {
			if key != "the-key" || token != "" {
				t.Errorf("the gateway got %q and %q", key, token)
			}
			_, _ = w.Write(block)
			return
		}
		if key != "" || token != "Bearer the-token" {
			t.Errorf("the API got %q and %q", key, token)
		}
		fmt.Fprint(w, `{"data":{"files":[]}}`)
	})
	target := open(t, pinning.Config{Settings: pinning.Settings{
		PinataJWT: "the-token", PinataURL: at, PinataUploadURL: at, PinataGateway: at + "/", PinataGatewayKey: "the-key",
	}}, pinning.KindPinata)
	c := ipfs.Sum(ipfs.Raw, block)
	if got, err := target.Block(t.Context(), c); err != nil || string(got) != string(block) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := target.Status(t.Context(), c, ""); err != nil {
		t.Error(err)
	}
}

// The user of the RPC's address goes in the header, where a node's proxy looks for it.
func TestKuboUser(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "s3cret/x" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, `{"Keys":{}}`)
	})
	c := ipfs.Sum(ipfs.Raw, nil)
	for user, want := range map[string]error{"ada:s3cret%2Fx@": nil, "ada:other@": errors.New("refused"), "": errors.New("refused")} {
		target := open(t, pinning.Config{Settings: pinning.Settings{IPFSRPC: strings.Replace(at, "//", "//"+user, 1)}}, pinning.KindKubo)
		_, err := target.Status(t.Context(), c, "")
		if (err == nil) != (want == nil) || err != nil && (pinning.ReasonOf(err) != pinning.Unauthorized || strings.Contains(err.Error(), "other")) {
			t.Errorf("%q: %v", user, err)
		}
	}
}

// An upload whose offset goes back and forth ends: only what arrived anew is progress.
func TestPinataGoesBack(t *testing.T) {
	const most = 20
	var patches, heads atomic.Int64
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			w.Header().Set("Location", r.URL.Path+"/1")
			w.WriteHeader(http.StatusCreated)
		case http.MethodPatch:
			_, _ = io.Copy(io.Discard, r.Body)
			if w.WriteHeader(http.StatusInternalServerError); patches.Add(1) > most {
				panic(http.ErrAbortHandler)
			}
		case http.MethodHead:
			if patches.Load() > most { // a refusal ends a client that does not stop
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.Header().Set("Upload-Offset", strconv.FormatInt(5+5*(heads.Add(1)%2), 10))
		default:
			fmt.Fprint(w, `{"data":{"files":[]}}`)
		}
	})
	target := open(t, pinning.Config{Settings: pinning.Settings{PinataJWT: "x", PinataURL: at, PinataUploadURL: at, PinataGateway: at}}, pinning.KindPinata)
	if _, _, err := target.Put(t.Context(), long(2)); err == nil {
		t.Error("it is there")
	}
	if n := patches.Load(); n > 5 {
		t.Errorf("%d attempts", n)
	}
}
