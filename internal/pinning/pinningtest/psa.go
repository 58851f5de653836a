package pinningtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/ipfs"
)

// NewPSA starts a provider of the IPFS Pinning Service API 1.0.0. A request is queued, at the
// next question pinning, and at the one after it pinned, if [Server.Fetch] found every block.
func NewPSA(t testing.TB) *Server {
	return start(t, func(s *Server, mux *http.ServeMux) {
		mux.HandleFunc("POST /pins", s.bearer(s.psaAdd))
		mux.HandleFunc("GET /pins", s.bearer(s.psaList))
		mux.HandleFunc("GET /pins/{id}", s.bearer(func(w http.ResponseWriter, r *http.Request) {
			s.advance(r.PathValue("id"))
			p, ok := s.one(r.PathValue("id"))
			if !ok {
				psaFails(w, http.StatusNotFound, "NOT_FOUND")
				return
			}
			reply(w, s.status(p))
		}))
		mux.HandleFunc("DELETE /pins/{id}", s.bearer(func(w http.ResponseWriter, r *http.Request) {
			if !s.drop(r.PathValue("id")) {
				psaFails(w, http.StatusNotFound, "NOT_FOUND")
				return
			}
			w.WriteHeader(http.StatusAccepted)
		}))
	})
}

func psaFails(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"reason": reason, "details": "words with a secret: " + Token}})
}

func (s *Server) status(p *pinned) map[string]any {
	return map[string]any{
		"requestid": p.id, "status": p.status, "created": p.created.Format(time.RFC3339Nano), "delegates": []string{"/ip4/127.0.0.1/tcp/4001/p2p/" + KuboPeer, "/ip4/9.9.9.9/tcp/4001/p2p/" + KuboPeer},
		"pin": map[string]any{"cid": s.reported(p.root).String(), "name": p.name}, "info": map[string]string{},
	}
}

func (s *Server) psaAdd(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		CID     string   `json:"cid"`
		Name    string   `json:"name"`
		Origins []string `json:"origins"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		psaFails(w, http.StatusBadRequest, "BAD_REQUEST")
		return
	}
	root, err := ipfs.Parse(asked.CID)
	bad := slices.ContainsFunc(asked.Origins, func(o string) bool { return !strings.HasPrefix(o, "/") || !strings.Contains(o, "/p2p/") })
	if err != nil || len(asked.Name) > 255 || len(asked.Origins) > 20 || bad {
		psaFails(w, http.StatusBadRequest, "BAD_REQUEST")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(s.status(s.add(root, asked.Name, "queued", asked.Origins)))
}

// advance moves a request on by one state.
func (s *Server) advance(id string) {
	f := s.now()
	p, ok := s.one(id)
	if !ok || f.Queued {
		return
	}
	status := map[string]string{"queued": "pinning", "pinning": "pinned"}[p.status]
	if f.Failed {
		status = "failed"
	}
	if status == "" || status == "pinned" && !s.gather(p) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.pins[id]; ok {
		p.status = status
	}
}

// gather fetches the DAG of a request, and reports whether it is all there.
func (s *Server) gather(p *pinned) bool {
	if s.fetch == nil {
		return false
	}
	return whole(p.root, func(c ipfs.CID) ([]byte, bool) { return s.fetch(p.origins, c) }, func(c ipfs.CID, b []byte) { s.keep(ipfs.Block{CID: c, Data: b}) })
}

// psaList lists ten requests at a time, pinned ones only unless the call names states.
func (s *Server) psaList(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	states := strings.Split(q.Get("status"), ",")
	if q.Get("status") == "" {
		states = []string{"pinned"}
	}
	before, err := time.Parse(time.RFC3339Nano, q.Get("before"))
	if q.Get("before") != "" && err != nil {
		psaFails(w, http.StatusBadRequest, "BAD_REQUEST")
		return
	}
	all := s.list(func(p *pinned) bool {
		return (q.Get("cid") == "" || slices.Contains(strings.Split(q.Get("cid"), ","), p.root.String())) &&
			slices.Contains(states, p.status) && (before.IsZero() || p.created.Before(before))
	})
	results := []map[string]any{}
	for _, p := range all[:min(len(all), page)] {
		results = append(results, s.status(p))
	}
	reply(w, map[string]any{"count": len(all), "results": results})
}
