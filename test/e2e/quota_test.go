package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/client"
)

// The server counts all that an account keeps: files, folders, the trash, versions and unfinished
// uploads. It refuses an upload beyond the quota, also among twenty at once, and keeps nothing of it.
func TestQuotas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_QUOTA=3000000", "COFFER_QUOTA_FILES=14")
		c := s.member(t).signIn(t, client.WithoutProofs())
		d, ctx := desk{c, t, bytesOf(600_000, "first")}, t.Context()
		folder, err := c.CreateFolder(ctx, "", "Papers")
		d.must(err)
		twice := d.upload(false, folder.ID, "twice", d.big)
		d.upload(true, folder.ID, "twice", bytesOf(400_000, "second"))
		gone := d.upload(false, "", "gone", bytesOf(200_000, "gone"))
		d.must(c.DeleteFile(ctx, gone.ID))
		id, err := c.BeginUpload(ctx, client.NewUpload{Name: "unfinished", Size: 1_000_000})
		d.must(err)
		u, err := c.Usage(ctx)
		d.must(err)
		if u.Bytes != 1_200_000 || u.Files != 4 || u.Folders != 1 || u.Reserved != 1_000_000 || *u.QuotaBytes != 3_000_000 || *u.QuotaFiles != 14 ||
			u.Trash != (client.Amount{Bytes: 200_000, Files: 1}) || u.Versions != (client.Amount{Bytes: 600_000, Files: 1}) {
			t.Errorf("%+v", u)
		}
		if len(u.Largest) != 1 || u.Largest[0].ID != twice.ID || len(u.Largest[0].Path) != 1 || u.Largest[0].Path[0].Name != "Papers" {
			t.Errorf("the largest: %+v", u.Largest)
		}

		// 800,000 bytes are left, for seven uploads of 100,000 and what is beside them.
		var stored atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				_, err := c.Upload(ctx, "", client.Source{Name: fmt.Sprint(i), Content: bytes.NewReader(bytesOf(110_000, fmt.Sprint(i)))})
				if err == nil {
					stored.Add(1)
				} else if client.Code(err) != "quota_exceeded" {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if u, err = c.Usage(ctx); err != nil || stored.Load() != 7 || u.Bytes != 1_200_000+7*110_000 || u.Files != 4+7 || u.Reserved != 1_000_000 {
			t.Errorf("%d of twenty are stored: %+v, %v", stored.Load(), u, err)
		}
		if _, err := c.BeginUpload(ctx, client.NewUpload{Name: "more", Size: 100_000}); client.Code(err) != "quota_exceeded" {
			t.Errorf("a resumable upload: %v", err)
		}
		// Folders count beside the files: two more have room.
		for i := range 3 {
			if _, err := c.CreateFolder(ctx, "", "folder"); (i < 2) != (err == nil) || i == 2 && client.Code(err) != "quota_exceeded" {
				t.Errorf("folder %d: %v", i, err)
			}
		}
		d.must(c.AbandonUpload(ctx, id))
		d.must(c.EmptyTrash(ctx))
		d.settled(1_770_000, 0)

		// A client that hangs up within the request that begins an upload reserves nothing.
		d.hangUp(s, 900_000)
		d.settled(1_770_000, 0)
	})
}

// settled waits for the jobs that give back what is gone.
func (d desk) settled(bytes, reserved int64) {
	d.t.Helper()
	var u client.Usage
	for range 600 {
		var err error
		u, err = d.Usage(d.t.Context())
		d.must(err)
		if u.Bytes == bytes && u.Reserved == reserved {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.t.Errorf("%d bytes and %d reserved, want %d and %d", u.Bytes, u.Reserved, bytes, reserved)
}

// hangUp begins an upload with its first bytes, waits until it is reserved, and hangs up.
func (d desk) hangUp(s *server, size int64) {
	d.t.Helper()
	host := strings.TrimPrefix(s.url, "http://")
	c, err := net.Dial("tcp", host)
	d.must(err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "POST /v1/uploads HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nTus-Resumable: 1.0.0\r\nUpload-Length: %d\r\nUpload-Metadata: filename YQ==\r\n"+
		"Content-Type: application/offset+octet-stream\r\nContent-Length: %d\r\n\r\n", host, d.Credentials().AccessToken, size, size)
	d.must(err)
	_, err = io.WriteString(c, strings.Repeat("x", 200_000))
	d.must(err)
	u, err := d.Usage(d.t.Context())
	d.must(err)
	d.settled(u.Bytes, size)
}
