package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
	weak := p.signIn(t) // with the password alone
	p.harden(t, c)
	if _, err := weak.Export(t.Context()); client.Code(err) != "step_up_required" {
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
	if sessions := string(read("sessions.json")); strings.Count(sessions, `"last_used_at"`) != 3 {
		t.Errorf("sessions.json: %s", sessions)
	}
}

// An export much larger than the server's memory limit streams in little memory, and holds
// every byte.
func TestExportInLittleMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	s := start(t, alone)
	c := s.member(t).signIn(t)
	const size = 256 << 20
	if _, err := c.Upload(t.Context(), "", client.Source{Name: "zeros.bin", Content: io.LimitReader(zeros{}, size)}); err != nil {
		t.Fatal(err)
	}
	before := s.memory(t, "VmHWM")
	body, err := c.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	archive, err := os.Create(filepath.Join(t.TempDir(), "export.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	length, err := io.Copy(archive, body)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(archive, length)
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("files/zeros.bin")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, f); err != nil || n != size { // zip checks the sum
		t.Errorf("%d bytes, %v", n, err)
	}
	peak := s.memory(t, "VmHWM")
	t.Logf("peak %d MiB, %d before", peak>>20, before>>20)
	if grown := peak - before; grown > 32<<20 {
		t.Errorf("memory grew by %d MiB for an export of %d", grown>>20, size>>20)
	}

	// An export that breaks off shows it: the download fails, and the archive does not open.
	uploadPattern(t, c, 24<<20) // more than socket buffers hold
	broken, err := c.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	var part bytes.Buffer
	if _, err := io.CopyN(&part, broken, 1<<20); err != nil {
		t.Fatal(err)
	}
	s.kill()
	if n, err := io.Copy(&part, broken); err == nil {
		t.Errorf("a broken export ended well after %d bytes", n)
	}
	if _, err := zip.NewReader(bytes.NewReader(part.Bytes()), int64(part.Len())); err == nil {
		t.Error("a broken archive opens")
	}
}

// zeros reads as zero bytes without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
