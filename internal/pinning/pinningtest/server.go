// Package pinningtest gives tests providers of pins that keep real blocks and misbehave on demand.
package pinningtest

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/ipfs"
)

// Faults are what a server does wrong. The zero value is a server without fault.
type Faults struct {
	// These strike each call, or the next Times calls if that is not zero.
	Status     int           // answers with it
	RetryAfter string        // header beside Status
	Slow       time.Duration // before each answer
	Cut        bool          // closes the connection in the middle of the body
	Huge       bool          // answers without end
	Garbage    bool          // answers a page for people, with status 200
	Redirect   string        // to this address
	Times      int

	OtherCID   bool // reports another root than it was sent
	Queued     bool // never gets further than the queue
	Failed     bool // gives up on what it accepted (PSA)
	Vanish     bool // has lost every pin
	Partial    bool // loses a leaf and reports success
	OtherBytes bool // its gateway serves other bytes of the same length
	Elsewhere  bool // names another host for an upload (Pinata)
	Together   bool // gives all new pins one time
}

// Server is a provider. Its gateway has the same address.
type Server struct {
	URL   string
	Token string // that it wants; a Kubo node wants none

	stop  chan struct{}
	fetch func(origins []string, c ipfs.CID) ([]byte, bool)

	mu      sync.Mutex
	faults  Faults
	lost    bool // the leaf of Partial
	blocks  map[ipfs.CID][]byte
	pins    map[string]*pinned
	tus     map[string]*bytes.Buffer
	lengths map[string]int
	calls   []string
	next    int
}

// pinned is a pin or a request for one.
type pinned struct {
	id, name, status string
	root             ipfs.CID
	origins          []string
	created          time.Time
}

// Token is the token that the servers want.
const Token = "test-token-of-the-operator"

func start(t testing.TB, routes func(*Server, *http.ServeMux)) *Server {
	t.Helper()
	s := &Server{Token: Token, stop: make(chan struct{}), blocks: map[ipfs.CID][]byte{}, pins: map[string]*pinned{}, tus: map[string]*bytes.Buffer{}, lengths: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ipfs/{cid}", s.gateway)
	routes(s, mux)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls = append(s.calls, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		if !s.struck(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(s.stop) }) // before it: handlers may wait
	s.URL = srv.URL
	return s
}

// Misbehave sets what the server does wrong from now on.
func (s *Server) Misbehave(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.lost = f, false
}

// Calls counts the calls whose method and path begin with prefix.
func (s *Server) Calls(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

// Roots returns the roots that the server pins, in order of their text.
func (s *Server) Roots() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pins {
		if p.status == "pinned" {
			all = append(all, p.root.String())
		}
	}
	slices.Sort(all)
	return all
}

// Held returns a block that the server holds.
func (s *Server) Held(c ipfs.CID) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blocks[c]
	return b, ok
}

// Lose takes a block from the server, as a broken disk does.
func (s *Server) Lose(c ipfs.CID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blocks, c)
}

// Restore gives back what [Server.Lose] took.
func (s *Server) Restore(b ipfs.Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocks[b.CID] = b.Data
}

// Fetch sets where a PSA provider gets blocks: from one of the origins of the request.
func (s *Server) Fetch(fetch func(origins []string, c ipfs.CID) ([]byte, bool)) { s.fetch = fetch }

func (s *Server) now() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// struck lets a fault of the whole server answer the call.
func (s *Server) struck(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	f := s.faults
	strikes := f.Status != 0 || f.Slow > 0 || f.Cut || f.Huge || f.Garbage || f.Redirect != ""
	if strikes && f.Times > 0 {
		if s.faults.Times--; s.faults.Times == 0 {
			s.faults = Faults{}
		}
	}
	s.mu.Unlock()
	switch {
	case f.Slow > 0:
		select {
		case <-time.After(f.Slow):
		case <-r.Context().Done():
			return true
		case <-s.stop:
			return true
		}
		return false
	case f.Cut:
		_, _ = io.CopyN(io.Discard, r.Body, 32<<10)
		panic(http.ErrAbortHandler)
	case f.Huge:
		piece := bytes.Repeat([]byte(" "), 64<<10)
		for err := error(nil); err == nil; {
			_, err = w.Write(piece)
		}
	case f.Garbage:
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>Maintenance</title>")
	case f.Redirect != "":
		http.Redirect(w, r, f.Redirect, http.StatusTemporaryRedirect)
	case f.Status != 0:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		w.WriteHeader(f.Status)
	default:
		return false
	}
	return true
}

// bearer refuses a call without the token.
func (s *Server) bearer(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+s.Token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// gateway serves raw blocks.
func (s *Server) gateway(w http.ResponseWriter, r *http.Request) {
	c, err := ipfs.Parse(r.PathValue("cid"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.URL.Query().Get("format") != "raw" && r.Header.Get("Accept") != "application/vnd.ipld.raw" || r.Header.Get("Authorization") != "" {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	b, ok := s.Held(c)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if s.now().OtherBytes {
		b = bytes.Repeat([]byte("x"), len(b))
	}
	w.Header().Set("Content-Type", "application/vnd.ipld.raw")
	_, _ = w.Write(b)
}

// take reads a CAR and keeps its blocks.
func (s *Server) take(r io.Reader) (roots []ipfs.CID, n int, err error) {
	car, err := ipfs.NewCARReader(r, 2<<20)
	if err != nil {
		return nil, 0, err
	}
	for {
		b, err := car.Next()
		if err == io.EOF {
			return car.Roots(), n, nil
		}
		if err != nil {
			return nil, 0, err
		}
		n++
		s.keep(b)
	}
}

// keep holds a block. With the fault Partial it loses the first leaf that comes.
func (s *Server) keep(b ipfs.Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.Partial && !s.lost && b.CID.Codec == ipfs.Raw {
		s.lost = true
		return
	}
	s.blocks[b.CID] = bytes.Clone(b.Data)
}

// whole walks the DAG under c, and reports whether get has every block.
func whole(c ipfs.CID, get func(ipfs.CID) ([]byte, bool), visit func(ipfs.CID, []byte)) bool {
	b, ok := get(c)
	if !ok || ipfs.Sum(c.Codec, b) != c {
		return false
	}
	if c.Codec == ipfs.DagPB {
		_, links, _, _, err := ipfs.Children(b)
		if err != nil {
			return false
		}
		for _, l := range links {
			if !whole(l.CID, get, visit) {
				return false
			}
		}
	}
	visit(c, b)
	return true
}

// add makes a pin.
func (s *Server) add(root ipfs.CID, name, status string, origins []string) *pinned {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	p := &pinned{id: fmt.Sprintf("pin-%d", s.next), name: name, status: status, root: root, origins: origins, created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	if !s.faults.Together {
		p.created = p.created.Add(time.Duration(s.next) * time.Millisecond)
	}
	s.pins[p.id] = p
	return p
}

// list returns the pins that keep lets through, the newest first.
func (s *Server) list(keep func(*pinned) bool) (all []*pinned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.Vanish {
		return nil
	}
	for _, p := range slices.Collect(maps.Values(s.pins)) {
		if keep(p) {
			copied := *p
			all = append(all, &copied)
		}
	}
	slices.SortFunc(all, func(a, b *pinned) int { return cmp.Or(b.created.Compare(a.created), cmp.Compare(b.id, a.id)) })
	return all
}

// one returns a pin by its id.
func (s *Server) one(id string) (*pinned, bool) {
	all := s.list(func(p *pinned) bool { return p.id == id })
	if len(all) == 0 {
		return nil, false
	}
	return all[0], true
}

// drop removes a pin.
func (s *Server) drop(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.pins[id]
	delete(s.pins, id)
	return ok
}

// reported is the root that the server reports.
func (s *Server) reported(root ipfs.CID) ipfs.CID {
	if s.now().OtherCID {
		return ipfs.Sum(ipfs.Raw, []byte("some other content"))
	}
	return root
}
