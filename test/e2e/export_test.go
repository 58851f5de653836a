package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"coffer/client"
)

// export: a person exports all data, after a fresh proof as strong as the account requires.
func export(t *testing.T, s *server) {
	content, err := io.ReadAll(pattern(3 << 20))
	if err != nil {
		t.Fatal(err)
	}
	p := s.member(t)
	c := p.signIn(t, client.WithUserAgent("otter-phone"))
	papers, err := c.CreateFolder(t.Context(), "", "papers")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Upload(t.Context(), papers.ID, client.Source{Name: "Großes.bin", Content: bytes.NewReader(content)}); err != nil {
		t.Fatal(err)
	}
	p.harden(t, c)
	if _, err := c.Export(t.Context()); client.Code(err) != "step_up_required" {
		t.Errorf("export with a password alone, where a layer is on: %v", err)
	}
	c = p.signIn(t)
	body, err := c.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(read("files/papers/Großes.bin"), content) {
		t.Error("a file is another one in the archive")
	}
	var me struct{ Email, Username string }
	if err := json.Unmarshal(read("account.json"), &me); err != nil || me.Email != p.Email || me.Username != p.Username {
		t.Errorf("account.json: %+v, %v", me, err)
	}
	if sessions := string(read("sessions.json")); strings.Count(sessions, `"last_used_at"`) != 2 {
		t.Errorf("sessions.json: %s", sessions)
	}
}
