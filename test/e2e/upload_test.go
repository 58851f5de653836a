package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/client"
)

// lossy forwards connections to a server and breaks each one after some bytes of requests: by
// an end, by a reset, or by silence towards the server.
type lossy struct {
	addr  string
	after int64
	cuts  atomic.Int64
}

func newLossy(t *testing.T, s *server, after int64) *lossy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &lossy{addr: l.Addr().String(), after: after}
	var all sync.WaitGroup
	done := make(chan struct{})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.forward(c.(*net.TCPConn), strings.TrimPrefix(s.url, "http://"), done) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		close(done)
		all.Wait()
	})
	return p
}

func (p *lossy) forward(c *net.TCPConn, to string, done <-chan struct{}) {
	defer c.Close()
	up, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer up.Close()
	ended := make(chan struct{})
	go func() {
		select {
		case <-done:
			c.Close()
			up.Close()
		case <-ended:
		}
	}()
	defer close(ended)
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(c, up)
		c.Close()
	}()
	if n, _ := io.CopyN(up, c, p.after); n < p.after {
		up.Close()
		<-back
		return
	}
	switch p.cuts.Add(1) % 3 {
	case 0:
		up.Close()
	case 1:
		_ = up.(*net.TCPConn).SetLinger(0)
		_ = c.SetLinger(0)
		up.Close()
	case 2: // the client sees an end; the server sees nothing, for longer than a test takes
		c.Close()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
		}
		up.Close()
	}
	c.Close()
	<-back
}

// driven is what the client of tus says of a file.
type driven struct {
	ID      string `json:"id"`
	Error   string `json:"error"`
	Retries int    `json:"retries"`
}

// drive uploads files with tus-js-client.
func drive(t *testing.T, endpoint, token string, files []map[string]any) []driven {
	t.Helper()
	if _, err := os.Stat("../../web/node_modules/tus-js-client"); err != nil {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatal("tus-js-client is missing: npm ci in web")
		}
		t.Skip("needs tus-js-client: npm ci in web (make test does)")
	}
	in, err := json.Marshal(map[string]any{"endpoint": endpoint, "token": token, "files": files})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "../tus/drive.mjs")
	var out, failed bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &failed
	if err := cmd.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, &failed)
	}
	var all []driven
	if err := json.Unmarshal(out.Bytes(), &all); err != nil || len(all) != len(files) {
		t.Fatalf("%s: %v", &out, err)
	}
	return all
}

// The public client of tus uploads ten files at once over connections that break in every
// way, some with wrong offsets. Each file arrives whole, once.
func TestTusClient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		c := s.member(t).signIn(t, client.WithoutProofs())
		p := newLossy(t, s, 1_500_000)
		dir := t.TempDir()
		var files []map[string]any
		sums := map[string]string{}
		for i := range 10 {
			name := fmt.Sprintf("file %d.bin", i)
			b := bytesOf(300_000*i+i, name) // the first is empty
			path := filepath.Join(dir, strconv.Itoa(i))
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			sums[name] = digest(b)
			files = append(files, map[string]any{"path": path, "name": name, "chunk": (i % 3) * 400_000, "wrong": i%4 == 1})
		}
		retries := 0
		for i, d := range drive(t, "http://"+p.addr+"/v1/uploads", c.Credentials().AccessToken, files) {
			name := files[i]["name"].(string)
			if d.Error != "" {
				t.Errorf("%s: %s", name, d.Error)
				continue
			}
			retries += d.Retries
			e, err := c.File(t.Context(), d.ID)
			if err != nil || e.Name != name || e.SHA256 != sums[name] || e.MediaType != "application/x-test" || digest(content(t, c, d.ID)) != sums[name] {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
		if p.cuts.Load() < 3 || retries < 3 {
			t.Errorf("%d cuts and %d retries: the test sees too little", p.cuts.Load(), retries)
		}
		if got := names(t, c, "", ""); len(got) != 10 {
			t.Errorf("files %q", got)
		}
		if left, err := c.PendingUploads(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("unfinished: %+v, %v", left, err)
		}
	})
}

// A file of many parts arrives over connections that break: 5 GiB where nothing may be
// skipped, as in CI, else two parts.
func TestTusLarge(t *testing.T) {
	t.Parallel()
	size, after := int64(80<<20), int64(30<<20)
	if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
		size, after = 5<<30, 1500<<20
	}
	s := start(t, alone)
	c := s.member(t).signIn(t, client.WithoutProofs())
	p := newLossy(t, s, after)
	path := filepath.Join(t.TempDir(), "large")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at < size; at += 16 << 20 { // holes between them: the disk holds little
		if _, err := f.WriteAt(bytesOf(100_000, fmt.Sprint(at)), at); err != nil {
			t.Fatal(err)
		}
	}
	h := sha256.New()
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		t.Fatal(err)
	}
	if f, err = os.Open(path); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	d := drive(t, "http://"+p.addr+"/v1/uploads", c.Credentials().AccessToken, []map[string]any{{"path": path, "name": "large.bin", "chunk": 0}})[0]
	if d.Error != "" {
		t.Fatal(d.Error)
	}
	e, err := c.File(t.Context(), d.ID)
	if err != nil || e.Size != size || e.SHA256 != hex.EncodeToString(h.Sum(nil)) {
		t.Fatalf("%+v, %v", e, err)
	}
	got, err := c.Download(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if n, err := io.Copy(io.Discard, got.Body); err != nil || n != size { // the client compares the hash
		t.Errorf("%d bytes came back: %v", n, err)
	}
	if p.cuts.Load() == 0 {
		t.Error("no connection broke")
	}
}

// resumable is an upload by hand, in small acknowledged pieces.
type resumable struct {
	s     *server
	from  net.IP
	token string
	path  string
}

func (u resumable) try(t *testing.T, method string, body string, header ...string) (answer, error) {
	return u.s.try(t.Context(), u.from, method, u.path, body, append([]string{"Authorization", "Bearer " + u.token, "Tus-Resumable", "1.0.0",
		"Content-Type", "application/offset+octet-stream"}, header...)...)
}

// offset returns what the server has, and the file that it has become.
func (u resumable) offset(t *testing.T) (int, string) {
	t.Helper()
	a, err := u.try(t, "HEAD", "")
	if err != nil {
		t.Fatal(err)
	}
	at, err := strconv.Atoi(a.header.Get("Upload-Offset"))
	if a.status != http.StatusOK || err != nil {
		t.Fatalf("HEAD: %d, %v", a.status, err)
	}
	return at, a.header.Get("Coffer-File")
}

// The server is killed at any moment of an upload: what it acknowledged is there, the upload
// goes on at the offset that it names, and the file is whole.
func TestUploadKilled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		p := s.member(t)
		c := p.signIn(t, client.WithoutProofs())
		whole := bytesOf(6_000_000, "killed")
		id, err := c.BeginUpload(t.Context(), client.NewUpload{Name: "killed.bin", Size: int64(len(whole))})
		if err != nil {
			t.Fatal(err)
		}
		u := resumable{s, p.from, c.Credentials().AccessToken, "/v1/uploads/" + id}
		acked, kills := 0, 0
		file := ""
		for file == "" {
			var killed sync.WaitGroup
			if kills < 6 {
				kills++
				wait := time.Duration(5+rand.IntN(200)) * time.Millisecond
				killed.Go(func() {
					time.Sleep(wait)
					s.kill()
				})
			}
			for acked < len(whole) {
				end := min(acked+[]int{40_000, 700_000, 2_500_000}[rand.IntN(3)], len(whole))
				a, err := u.try(t, "PATCH", string(whole[acked:end]), "Upload-Offset", strconv.Itoa(acked))
				if err != nil {
					break
				}
				if a.status != http.StatusNoContent {
					t.Fatalf("PATCH: %d %s", a.status, a.body)
				}
				acked = end
			}
			killed.Wait()
			select {
			case err := <-s.end:
				s.end <- err
				s.start()
			default:
			}
			at, published := u.offset(t)
			if at < acked {
				t.Fatalf("%d bytes were acknowledged, %d are there", acked, at)
			}
			acked, file = at, published
		}
		if got := content(t, c, file); !bytes.Equal(got, whole) || len(names(t, c, "", "")) != 1 {
			t.Errorf("%d bytes came back, files %q", len(got), names(t, c, "", ""))
		}
		t.Logf("killed %d times", kills)
	})
}

// Two nodes serve one upload: a client that stalls at one is taken over at the other.
func TestUploadOnTwoNodes(t *testing.T) {
	t.Parallel()
	env := append(scale.env(t), "COFFER_ROOT_KEY="+base64.StdEncoding.EncodeToString(bytesOf(32, "of both nodes")), "COFFER_URL=http://localhost:8420")
	shared := setup{scale.name, func(*testing.T) []string { return env }}
	first := start(t, shared)
	p := first.member(t)
	second := start(t, shared) // from here on either node sends mails
	c := p.signIn(t, client.WithoutProofs())
	there, err := client.New(second.url, client.WithCredentials(c.Credentials()))
	if err != nil {
		t.Fatal(err)
	}
	whole := bytesOf(5_000_000, "two nodes")
	id, err := c.BeginUpload(t.Context(), client.NewUpload{Name: "two.bin", Size: int64(len(whole))})
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	defer w.Close()
	old := make(chan answer, 1)
	go func() {
		req, _ := http.NewRequest("PATCH", first.url+"/v1/uploads/"+id, r)
		for name, value := range map[string]string{"Authorization": "Bearer " + c.Credentials().AccessToken, "Tus-Resumable": "1.0.0",
			"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"} {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			old <- answer{body: err.Error()}
			return
		}
		defer res.Body.Close()
		raw, _ := io.ReadAll(res.Body)
		old <- answer{res.StatusCode, res.Header, string(raw)}
	}()
	if _, err := w.Write(whole[:3_000_000]); err != nil {
		t.Fatal(err)
	}
	var seen []int64
	e, err := there.ResumeUpload(t.Context(), id, bytes.NewReader(whole), func(at int64) { seen = append(seen, at) })
	if err != nil || e.SHA256 != digest(whole) {
		t.Fatalf("%+v, %v", e, err)
	}
	if a := <-old; a.status != http.StatusConflict || !strings.Contains(a.body, "upload_taken_over") {
		t.Errorf("the stalled request: %d %s", a.status, a.body)
	}
	if got := content(t, c, e.ID); !bytes.Equal(got, whole) {
		t.Errorf("%d bytes came back", len(got))
	}
}

// The blob store goes away in the middle of an upload, and comes back: the upload goes on.
func TestUploadWithoutItsStore(t *testing.T) {
	t.Parallel()
	s, wires := wired(t)
	p := s.member(t)
	c := p.signIn(t, client.WithoutProofs())
	whole := bytesOf(3_000_000, "away")
	id, err := c.BeginUpload(t.Context(), client.NewUpload{Name: "away.bin", Size: int64(len(whole))})
	if err != nil {
		t.Fatal(err)
	}
	u := resumable{s, p.from, c.Credentials().AccessToken, "/v1/uploads/" + id}
	if a, err := u.try(t, "PATCH", string(whole[:1_000_000]), "Upload-Offset", "0"); err != nil || a.status != http.StatusNoContent {
		t.Fatalf("%d %s, %v", a.status, a.body, err)
	}
	wires["blobs"].Cut()
	if a, err := u.try(t, "PATCH", string(whole[1_000_000:2_000_000]), "Upload-Offset", "1000000"); err != nil || a.status != http.StatusServiceUnavailable {
		t.Errorf("without the store: %d %s, %v", a.status, a.body, err)
	}
	if at, _ := u.offset(t); at != 1_000_000 {
		t.Errorf("at %d, want what was acknowledged", at)
	}
	wires["blobs"].Restore(t)
	e, err := c.ResumeUpload(t.Context(), id, bytes.NewReader(whole), nil)
	if err != nil || !bytes.Equal(content(t, c, e.ID), whole) {
		t.Errorf("%+v, %v", e, err)
	}
}
