package pinningtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/ipfs"
)

// KuboPeer is the id of the Kubo-like node.
const KuboPeer = "12D3KooWGRUsUd6pCmDmgDNZXuCtQWLbfQyV3mAmvqkAYKCPDZw1"

// KuboPublic is its public address, beside private ones.
const KuboPublic = "/ip4/8.8.8.8/udp/4001/quic-v1/p2p/" + KuboPeer

// NewKubo starts a node that speaks the part of Kubo's RPC that pins need.
func NewKubo(t testing.TB) *Server {
	return start(t, func(s *Server, mux *http.ServeMux) {
		mux.HandleFunc("POST /api/v0/dag/import", s.dagImport)
		mux.HandleFunc("POST /api/v0/pin/ls", s.pinLs)
		mux.HandleFunc("POST /api/v0/pin/rm", s.pinRm)
		mux.HandleFunc("POST /api/v0/block/get", s.blockGet)
		mux.HandleFunc("POST /api/v0/swarm/connect", func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, "connect "+r.URL.Query().Get("arg"))
		})
		mux.HandleFunc("POST /api/v0/id", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, map[string]any{"ID": KuboPeer, "Addresses": []string{
				"/ip4/127.0.0.1/tcp/4001/p2p/" + KuboPeer, "/ip4/10.0.0.7/tcp/4001/p2p/" + KuboPeer, KuboPublic, "/ip6/::1/tcp/4001/p2p/" + KuboPeer,
			}})
		})
	})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// failed answers as Kubo does: every failure has status 500.
func failed(w http.ResponseWriter, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusInternalServerError)
	_ = json.NewEncoder(w).Encode(map[string]any{"Message": message, "Code": 0, "Type": "error"})
}

func (s *Server) dagImport(w http.ResponseWriter, r *http.Request) {
	form, err := r.MultipartReader()
	if err != nil {
		failed(w, err.Error())
		return
	}
	part, err := form.NextPart()
	if err != nil {
		failed(w, err.Error())
		return
	}
	roots, n, err := s.take(part)
	if err == nil {
		_, err = form.NextPart()
	}
	if err != io.EOF {
		failed(w, fmt.Sprint("import: ", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := json.NewEncoder(w)
	if r.URL.Query().Get("pin-roots") == "true" {
		for _, root := range roots {
			words := ""
			if !s.now().Partial && !whole(root, s.Held, func(ipfs.CID, []byte) {}) {
				words = "block was not found locally (offline)"
			} else if len(s.list(func(p *pinned) bool { return p.root == root })) == 0 {
				s.add(root, "", "pinned", nil)
			}
			_ = out.Encode(map[string]any{"Root": map[string]any{"Cid": map[string]string{"/": s.reported(root).String()}, "PinErrorMsg": words}})
		}
	}
	_ = out.Encode(map[string]any{"Stats": map[string]any{"BlockCount": n, "BlockBytesCount": 0}})
}

// argument reads the CID of a command, as /ipfs/CID or bare.
func argument(r *http.Request) (ipfs.CID, error) {
	return ipfs.Parse(strings.TrimPrefix(r.URL.Query().Get("arg"), "/ipfs/"))
}

func (s *Server) pinLs(w http.ResponseWriter, r *http.Request) {
	c, err := argument(r)
	if err != nil || r.URL.Query().Get("type") != "recursive" {
		failed(w, "invalid path")
		return
	}
	if len(s.list(func(p *pinned) bool { return p.root == c })) == 0 {
		failed(w, fmt.Sprintf("path '/ipfs/%s' is not pinned", c))
		return
	}
	reply(w, map[string]any{"Keys": map[string]any{c.String(): map[string]string{"Type": "recursive", "Name": ""}}})
}

func (s *Server) pinRm(w http.ResponseWriter, r *http.Request) {
	c, err := argument(r)
	if err != nil {
		failed(w, "invalid path")
		return
	}
	all := s.list(func(p *pinned) bool { return p.root == c })
	for _, p := range all {
		s.drop(p.id)
	}
	if len(all) == 0 {
		failed(w, "not pinned or pinned indirectly")
		return
	}
	reply(w, map[string]any{"Pins": []string{c.String()}})
}

func (s *Server) blockGet(w http.ResponseWriter, r *http.Request) {
	c, err := argument(r)
	if err != nil || r.URL.Query().Get("offline") != "true" {
		failed(w, "invalid path")
		return
	}
	b, ok := s.Held(c)
	if !ok {
		failed(w, "block was not found locally (offline): ipld: could not find "+c.String())
		return
	}
	if s.now().OtherBytes {
		b = []byte(strings.Repeat("x", len(b)))
	}
	_, _ = w.Write(b)
}
