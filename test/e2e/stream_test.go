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
	"strconv"
	"strings"
	"testing"

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
