package e2e

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"coffer/client"
)

// Uploads and downloads end with their session, on whichever node it ends. The nodes
// publish nothing for this.
func TestStreamsEndWithTheirSession(t *testing.T) {
	t.Parallel()
	for _, in := range setups {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			env := append(in.env(t), "COFFER_LOG_LEVEL=debug", "COFFER_URL=http://localhost:8420",
				"COFFER_ROOT_KEY="+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
			one := setup{in.name, func(*testing.T) []string { return env }}
			s := start(t, one)
			p := s.member(t)
			other := s // a second node, where possible
			if in.name != alone.name {
				other = start(t, one) // from here on either node sends a new member's mails
			}
			const size = 24 << 20 // more than socket buffers hold
			id := uploadPattern(t, p.signIn(t), size)
			for name, end := range map[string]func(t *testing.T, mine, further *client.Client) error{
				"signed out": func(t *testing.T, mine, _ *client.Client) error { return mine.SignOut(t.Context()) },
				"revoked": func(t *testing.T, mine, further *client.Client) error {
					return further.RevokeSession(t.Context(), mine.Credentials().SessionID)
				},
			} {
				t.Run(name, func(t *testing.T) {
					c := p.signIn(t)
					creds := client.WithCredentials(c.Credentials())
					mine, further := other.client(t, p.from, creds), other.client(t, p.from, client.WithCredentials(p.signIn(t).Credentials()))
					held, hold := upload(t, p.client(t, creds), "held.bin")
					late, finish := upload(t, p.client(t, creds), "late.bin")
					d, err := p.client(t, creds).Download(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					defer d.Body.Close()
					if _, err := io.CopyN(io.Discard, d.Body, 1<<20); err != nil {
						t.Fatal(err)
					}
					before := s.endedDownloads()
					if err := end(t, mine, further); err != nil {
						t.Fatal(err)
					}
					finish.Close() // the upload is complete, and its session over
					if err := <-late; err == nil {
						t.Error("an upload that was whole after the end of its session was taken")
					}
					if err := <-held; err == nil {
						t.Error("an upload that stood still ended well")
					}
					hold.Close()
					wait(t, "the server ends the download", func() bool { return s.endedDownloads() > before })
					if n, err := io.Copy(io.Discard, d.Body); err == nil {
						t.Errorf("the download ran on for %d bytes", n)
					}
					for e, err := range p.signIn(t).Files(t.Context(), "", "") {
						if err != nil {
							t.Fatal(err)
						}
						if e.ID != id {
							t.Errorf("%s was published", e.Name)
						}
					}
				})
			}
		})
	}
}

// upload starts to send a file and leaves it unfinished until w is closed.
func upload(t *testing.T, c *client.Client, name string) (done chan error, w *io.PipeWriter) {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	done = make(chan error, 1)
	go func() {
		_, err := c.Upload(t.Context(), "", client.Source{Name: name, Content: r})
		r.CloseWithError(errors.New("nobody reads any more"))
		done <- err
	}()
	if _, err := w.Write(make([]byte, 300<<10)); err != nil {
		t.Fatal(err)
	}
	return done, w
}

// endedDownloads counts the downloads that their session's end cut off.
func (s *server) endedDownloads() (n int) {
	for line := range strings.Lines(s.out.String()) {
		if strings.Contains(line, "/content") && strings.Contains(line, "code=unauthenticated") {
			n++
		}
	}
	return n
}

// Stalled clients take little server memory: uploads, downloads, half-sent headers and
// bodies, idle connections. COFFER_TEST_LONG=1 holds a thousand of each.
func TestHeldStreamsInLittleMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	n, each, patience := 60, int64(1<<20), 10 // generous: shared buffers count too
	if os.Getenv("COFFER_TEST_LONG") == "1" {
		n, each, patience = 1000, 256<<10, 150
	}
	const garbage = 48 << 20 // left by the collector for a while
	most := fmt.Sprint(2 * n)
	s := start(t, alone, "COFFER_MAX_STREAMS="+most, "COFFER_MAX_STREAMS_ACCOUNT="+most, "COFFER_MAX_STREAMS_ADDRESS="+most)
	p := s.member(t)
	c := p.signIn(t, client.WithoutProofs())
	id := uploadPattern(t, c, 24<<20)
	parts := uploadParts(t, s, c, 300, 70_000)
	folder, err := c.CreateFolder(t.Context(), "", "many")
	if err != nil {
		t.Fatal(err)
	}
	for batch := range 20 { // more than socket buffers hold
		files := make([]client.Source, 500)
		for i := range files {
			files[i] = client.Source{Name: fmt.Sprintf("note %d.txt", 500*batch+i), Content: strings.NewReader(strings.Repeat("x", 500))}
		}
		if _, err := c.Upload(t.Context(), folder.ID, files...); err != nil {
			t.Fatal(err)
		}
	}
	link, err := c.CreateShare(t.Context(), id, client.NewShare{Kind: "read"})
	if err != nil {
		t.Fatal(err)
	}
	bearer := "Authorization: Bearer " + c.Credentials().AccessToken + "\r\n"
	const form = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000000\r\n\r\n"
	file := "--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n"
	for _, tt := range []struct{ name, send string }{
		{"uploads", "POST /v1/files HTTP/1.1\r\nHost: localhost\r\n" + bearer + form + file + strings.Repeat("x", 200<<10)},
		{"headers of parts", "POST /v1/files HTTP/1.1\r\nHost: localhost\r\n" + bearer + form + "--b\r\n" + strings.Repeat("A: b\r\n", 5000)},
		{"downloads", "GET /v1/files/" + id + "/content HTTP/1.1\r\nHost: localhost\r\n" + bearer + "\r\n"},
		{"downloads in parts", "GET /v1/files/" + parts + "/content HTTP/1.1\r\nHost: localhost\r\n" + bearer + "\r\n"},
		{"downloads by a link", "GET /v1/public/shares/" + link.Token + "/content HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		{"archives", "GET /v1/files/" + folder.ID + "/archive HTTP/1.1\r\nHost: localhost\r\n" + bearer + "\r\n"},
		{"exports", "GET /v1/account/export HTTP/1.1\r\nHost: localhost\r\n" + bearer + "\r\n"},
		{"headers", "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 30<<10)},
		{"JSON", "POST /v1/auth/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n" + strings.Repeat(" ", 800<<10)},
		{"idle ones", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		before := s.memory(t, "VmRSS")
		conns := make([]net.Conn, n)
		for i := range conns {
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conns[i] = conn
			_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
			_, _ = io.WriteString(conn, tt.send) // a refused connection is cut
		}
		if res, err := http.Get(s.url + "/healthz"); err != nil {
			t.Fatal(err)
		} else {
			res.Body.Close()
		}
		// Until it accepts no more: some are admitted long after they have sent.
		peak := int64(0)
		for quiet := 0; quiet < patience; quiet++ {
			if now := s.memory(t, "VmRSS"); now > peak {
				peak, quiet = now, 0
			}
			time.Sleep(20 * time.Millisecond)
		}
		kernel := s.unsent(t) / int64(n)
		t.Logf("%d %s: %d MiB over %d MiB, and %d KiB each in the kernel", n, tt.name, (peak-before)>>20, before>>20, kernel>>10)
		if took := peak - before; took > int64(n)*each+garbage {
			t.Errorf("%d %s take %d KiB each", n, tt.name, took/int64(n)>>10)
		}
		if kernel > 512<<10 {
			t.Errorf("the kernel keeps %d KiB of each of %d %s", kernel>>10, n, tt.name)
		}
		for _, conn := range conns {
			conn.Close()
		}
	}
}

// uploadParts uploads a file in so many requests, and returns its id.
func uploadParts(t *testing.T, s *server, c *client.Client, n, size int) (id string) {
	t.Helper()
	upload, err := c.BeginUpload(t.Context(), client.NewUpload{Name: "parts.bin", Size: int64(n * size)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n - 1 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.url+"/v1/uploads/"+upload, bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.Credentials().AccessToken)
		req.Header.Set("Tus-Resumable", "1.0.0")
		req.Header.Set("Content-Type", "application/offset+octet-stream")
		req.Header.Set("Upload-Offset", strconv.Itoa(i*size))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != http.StatusNoContent {
			t.Fatalf("part %d: %s", i, res.Status)
		}
	}
	e, err := c.ResumeUpload(t.Context(), upload, bytes.NewReader(make([]byte, n*size)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return e.ID
}

// unsent is the number of bytes of all answers that the kernel holds: not sent, or not
// acknowledged.
func (s *server) unsent(t *testing.T) (sum int64) {
	t.Helper()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 5 || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) {
			continue
		}
		queue, _, _ := strings.Cut(f[4], ":")
		bytes, err := strconv.ParseInt(queue, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += bytes
	}
	return sum
}
