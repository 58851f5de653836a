package pinningtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"coffer/internal/ipfs"
)

// page is how many items a list shows at once, whatever is asked for.
const page = 10

// NewPinata starts a provider that speaks the part of Pinata's API of version 3 that pins
// need. It serves the API, the uploads and the gateway.
func NewPinata(t testing.TB) *Server {
	return start(t, func(s *Server, mux *http.ServeMux) {
		mux.HandleFunc("POST /v3/files", s.bearer(s.pinataUpload))
		mux.HandleFunc("HEAD /v3/uploads/{id}", s.bearer(s.tusHead))
		mux.HandleFunc("PATCH /v3/uploads/{id}", s.bearer(s.tusPatch))
		mux.HandleFunc("GET /v3/files/public", s.bearer(s.pinataList))
		mux.HandleFunc("GET /v3/files/public/{id}", s.bearer(func(w http.ResponseWriter, r *http.Request) {
			p, ok := s.one(r.PathValue("id"))
			if !ok {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			reply(w, map[string]any{"data": s.file(p)})
		}))
		mux.HandleFunc("DELETE /v3/files/public/{id}", s.bearer(func(w http.ResponseWriter, r *http.Request) {
			if !s.drop(r.PathValue("id")) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			reply(w, map[string]any{"data": nil})
		}))
	})
}

func (s *Server) file(p *pinned) map[string]any {
	c := s.reported(p.root).String()
	if s.now().Queued {
		c = "pending"
	}
	return map[string]any{"id": p.id, "name": p.name, "cid": c, "created_at": p.created, "size": 1, "number_of_files": 1, "network": "public"}
}

// pin takes a CAR whose root it pins, once for the account.
func (s *Server) pin(r io.Reader, name string) (*pinned, error) {
	roots, _, err := s.take(r)
	if err != nil {
		return nil, err
	}
	if len(roots) != 1 || !s.now().Partial && !whole(roots[0], s.Held, func(ipfs.CID, []byte) {}) {
		return nil, fmt.Errorf("the CAR does not hold its root and all below")
	}
	if old := s.list(func(p *pinned) bool { return p.root == roots[0] }); len(old) > 0 {
		return old[0], nil
	}
	return s.add(roots[0], name, "pinned", nil), nil
}

func (s *Server) pinataUpload(w http.ResponseWriter, r *http.Request) {
	if length := r.Header.Get("Upload-Length"); length != "" {
		s.tusCreate(w, r, length)
		return
	}
	form, err := r.MultipartReader()
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	fields := map[string]string{}
	var part *multipart.Part
	for {
		if part, err = form.NextPart(); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if part.FormName() == "file" {
			break
		}
		value, _ := io.ReadAll(part)
		fields[part.FormName()] = string(value)
	}
	if fields["network"] != "public" || fields["car"] != "true" || r.ContentLength <= 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p, err := s.pin(part, fields["name"])
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if _, err := form.NextPart(); err != io.EOF {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	reply(w, map[string]any{"data": s.file(p)})
}

func (s *Server) tusCreate(w http.ResponseWriter, r *http.Request, length string) {
	n, err := strconv.Atoi(length)
	if err != nil || r.Header.Get("Tus-Resumable") != "1.0.0" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	meta := map[string]string{}
	for pair := range strings.SplitSeq(r.Header.Get("Upload-Metadata"), ",") {
		name, value, _ := strings.Cut(pair, " ")
		raw, _ := base64.StdEncoding.DecodeString(value)
		meta[name] = string(raw)
	}
	if meta["network"] != "public" || meta["car"] != "true" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.next++
	id := fmt.Sprintf("upload-%d", s.next)
	s.tus[id], s.lengths[id] = new(bytes.Buffer), n
	s.mu.Unlock()
	at := "/v3/uploads/" + id
	if s.now().Elsewhere {
		at = "https://uploads.example.net" + at
	}
	w.Header().Set("Location", at)
	w.WriteHeader(http.StatusCreated)
}

func (s *Server) tusHead(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.tus[r.PathValue("id")]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Upload-Offset", strconv.Itoa(b.Len()))
	w.Header().Set("Upload-Length", strconv.Itoa(s.lengths[r.PathValue("id")]))
}

func (s *Server) tusPatch(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	b, ok := s.tus[id]
	length := s.lengths[id]
	offset := -1
	if ok {
		offset = b.Len()
	}
	s.mu.Unlock()
	if !ok || r.Header.Get("Upload-Offset") != strconv.Itoa(offset) || r.Header.Get("Content-Type") != "application/offset+octet-stream" {
		w.WriteHeader(http.StatusConflict)
		return
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, int64(length-offset)))
	s.mu.Lock()
	b.Write(raw) // as much as arrived
	n := b.Len()
	s.mu.Unlock()
	if err != nil {
		return
	}
	w.Header().Set("Upload-Offset", strconv.Itoa(n))
	if n == length {
		p, err := s.pin(bytes.NewReader(b.Bytes()), "")
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Upload-Cid", s.reported(p.root).String())
	}
	w.WriteHeader(http.StatusNoContent)
}

// pinataList lists ten files at a time.
func (s *Server) pinataList(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	all := s.list(func(p *pinned) bool { return q.Get("cid") == "" || q.Get("cid") == p.root.String() })
	from, _ := strconv.Atoi(q.Get("pageToken"))
	all = all[min(max(from, 0), len(all)):]
	next := ""
	if len(all) > page {
		all, next = all[:page], strconv.Itoa(from+page)
	}
	files := []map[string]any{}
	for _, p := range all {
		files = append(files, s.file(p))
	}
	reply(w, map[string]any{"data": map[string]any{"files": files, "next_page_token": next}})
}
