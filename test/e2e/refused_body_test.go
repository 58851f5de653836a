package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"coffer/client"
)

// refusedBodies: a client that sends its whole body before it reads, as browsers do, gets the refusal.
func refusedBodies(t *testing.T, s *server) {
	p := s.member(t)
	c, ctx := p.signIn(t, client.WithoutProofs()), t.Context()
	d := desk{c, t, nil}
	folder, err := c.CreateFolder(ctx, "", "Letters")
	d.must(err)
	link, err := c.CreateShare(ctx, folder.ID, client.NewShare{Kind: client.ShareRequest, MaxFileBytes: 1000})
	d.must(err)
	upload, err := c.BeginUpload(ctx, client.NewUpload{Name: "short", Size: 10})
	d.must(err)
	mine := "Authorization: Bearer " + c.Credentials().AccessToken + "\r\n"
	const (
		tus   = "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n"
		form  = "Content-Type: multipart/form-data; boundary=b\r\n"
		file  = "--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"
		whole = 16 << 20 // more than the sockets of both sides hold
	)
	for name, tt := range map[string]struct {
		head, begin, code string
		status            int
		chunked           bool
	}{
		"a picture":                   {"PUT /v1/account/avatar", "", "too_large", 413, false},
		"a picture of unknown length": {"PUT /v1/account/avatar", "", "too_large", 413, true},
		"a file without a session":    {"POST /v1/files", file, "unauthenticated", 401, false},
		"a file into no folder":       {"POST /v1/files?parent=" + strings.Repeat("0", len(folder.ID)), file, "not_found", 404, false},
		"more than an upload has":     {"PATCH /v1/uploads/" + upload, "", "too_large", 413, false},
		"an upload that begins":       {"POST /v1/uploads", "", "too_large", 413, false},
		"a file that a link refuses":  {"POST /v1/public/shares/" + link.Token + "/files", file, "validation_failed", 422, false},
		"JSON":                        {"POST /v1/auth/sign-in", "", "body_too_large", 413, false},
		"a body that goes nowhere":    {"POST /v1/nowhere", "", "not_found", 404, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := strings.TrimPrefix(s.url, "http://")
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: newAddress()}}
			conn, err := dialer.DialContext(ctx, "tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			var kind string
			switch {
			case strings.Contains(tt.head, "/uploads"):
				kind = mine + tus + "Upload-Length: 10\r\nUpload-Offset: 0\r\nUpload-Metadata: filename YQ==\r\n"
			case strings.Contains(tt.head, "/files"):
				kind = form
			case strings.Contains(tt.head, "/auth/"):
				kind = "Content-Type: application/json\r\n"
			default:
				kind = mine + "Content-Type: image/png\r\n"
			}
			if strings.Contains(tt.head, "parent=") {
				kind += mine
			}
			length := fmt.Sprintf("Content-Length: %d\r\n\r\n", len(tt.begin)+whole)
			if tt.chunked {
				length = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", whole)
			}
			if _, err := fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: %s\r\n%s%s%s", tt.head, host, kind, length, tt.begin); err != nil {
				t.Fatal(err)
			}
			piece := make([]byte, 64<<10)
			for sent := 0; sent < whole; sent += len(piece) {
				if _, err := conn.Write(piece); err != nil {
					t.Fatalf("after %d KiB: %v", sent>>10, err)
				}
			}
			if tt.chunked {
				if _, err := conn.Write([]byte("\r\n0\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var problem struct{ Code string }
			if err := json.NewDecoder(res.Body).Decode(&problem); err != nil || res.StatusCode != tt.status || problem.Code != tt.code || !res.Close {
				t.Errorf("%d %s, close %t, %v: want %d %s", res.StatusCode, problem.Code, res.Close, err, tt.status, tt.code)
			}
		})
	}
}
