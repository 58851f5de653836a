package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/client"
	"coffer/internal/blob/blobtest"
)

// sharing shows a folder to people without an account, takes files from them, and stops.
func sharing(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	d := desk{p.signIn(t), t, blobtest.Pattern(300_000)}
	folder, err := d.CreateFolder(ctx, "", "Holiday")
	d.must(err)
	big := d.upload(false, folder.ID, "big.txt", d.big)
	d.upload(false, "", "private.txt", []byte("secret"))
	ends := time.Now().Add(time.Hour)
	sh, err := d.CreateShare(ctx, folder.ID, client.NewShare{Password: "open sesame", MaxDownloads: 3, Note: "Enjoy", ExpiresAt: &ends})
	d.must(err)
	if e, err := d.File(ctx, folder.ID); err != nil || !e.Shared || !strings.HasSuffix(sh.URL, "/s/"+sh.Token) {
		t.Errorf("%+v, %v, at %s", e, err, sh.URL)
	}

	guest := s.client(t, newAddress()).Link(sh.URL)
	if _, err := guest.Info(ctx, "", ""); client.Code(err) != "share_password_required" {
		t.Errorf("without the password: %v", err)
	}
	if err := guest.Unlock(ctx, "open Sesame"); client.Code(err) != "wrong_password" {
		t.Errorf("a wrong password: %v", err)
	}
	d.must(guest.Unlock(ctx, "open sesame"))
	info, err := guest.Info(ctx, "", "")
	if err != nil || info.Name != "Holiday" || info.Note != "Enjoy" || len(info.Items) != 1 || info.Items[0].Size != 300_000 || *info.DownloadsLeft != 3 {
		t.Errorf("%+v, %v", info, err)
	}
	whole := func(c *client.Content, err error) []byte {
		t.Helper()
		d.must(err)
		defer c.Body.Close()
		b, err := io.ReadAll(c.Body)
		d.must(err)
		return b
	}
	if got := whole(guest.Download(ctx, "big.txt")); !bytes.Equal(got, d.big) {
		t.Errorf("%d bytes", len(got))
	}
	if got := whole(guest.DownloadRange(ctx, "big.txt", client.Range{Offset: 200_000})); !bytes.Equal(got, d.big[200_000:]) {
		t.Errorf("%d bytes of a range", len(got))
	}
	for _, path := range []string{"../private.txt", "..", "/", "big.txt/..", "private.txt", big.ID} {
		if _, err := guest.Download(ctx, path); client.Code(err) != "share_not_found" {
			t.Errorf("%q: %v", path, err)
		}
	}

	// Two are left, and fifty people want one each. Their passwords would take long.
	_, err = d.ChangeShare(ctx, sh.ID, map[string]any{"password": nil})
	d.must(err)
	var passed atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			one := s.client(t, newAddress()).Link(sh.Token)
			c, err := one.Download(ctx, "big.txt")
			if err == nil {
				passed.Add(1)
				c.Body.Close()
			} else if client.Code(err) != "share_not_found" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := d.Share(ctx, sh.ID)
	if err != nil || passed.Load() != 2 || got.Downloads != 3 || got.State != "used_up" {
		t.Errorf("%d passed; %+v, %v", passed.Load(), got, err)
	}
	uses := map[string]int{}
	for u, err := range d.ShareUses(ctx, sh.ID) {
		d.must(err)
		uses[u.Action]++
	}
	if uses["download"] != 3 || uses["unlock"] == 0 {
		t.Errorf("the log: %v", uses)
	}

	taken(t, s, p, d, folder)
	stopped(t, s, d, folder)
}

// taken hands files in by a link that takes them.
func taken(t *testing.T, s *server, p *person, d desk, folder client.Entry) {
	ctx := t.Context()
	taking, err := d.CreateShare(ctx, folder.ID, client.NewShare{Kind: client.ShareRequest, MaxFiles: 2, Accept: []string{".txt"}})
	d.must(err)
	sender := s.client(t, newAddress()).Link(taking.URL)
	if info, err := sender.Info(ctx, "", ""); err != nil || info.Name != "Holiday" || len(info.Items) != 0 || info.Entry != nil || *info.FilesLeft != 2 {
		t.Errorf("%+v, %v", info, err)
	}
	if n, err := sender.HandIn(ctx, "Eve", client.Source{Name: "big.txt", Content: bytes.NewReader(d.big)}); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := sender.HandIn(ctx, "", client.Source{Name: "a.exe", Content: strings.NewReader("x")}); client.Code(err) != "validation_failed" {
		t.Errorf("an ending that the link does not take: %v", err)
	}
	if got := names(t, d.Client, folder.ID, ""); len(got) != 2 || got[0] != "big (1).txt" {
		t.Errorf("%q", got)
	}
	p.mail(t, "files-received")
}

// stopped cuts a download that runs, when its owner stops sharing, and leaves nothing of the link.
func stopped(t *testing.T, s *server, d desk, folder client.Entry) {
	ctx := t.Context()
	d.upload(false, folder.ID, "huge.bin", bytes.Repeat([]byte("0123456789abcdef"), 2<<20)) // more than sockets hold
	sh, err := d.CreateShare(ctx, folder.ID, client.NewShare{})
	d.must(err)
	guest := s.client(t, newAddress()).Link(sh.URL)
	c, err := guest.Download(ctx, "huge.bin")
	d.must(err)
	defer c.Body.Close()
	if _, err := io.ReadFull(c.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	d.must(d.StopShare(ctx, sh.ID))
	wait(t, "the download to be cut", func() bool {
		_, err := io.ReadFull(c.Body, make([]byte, 64<<10))
		return err != nil && err != io.EOF
	})
	if _, err := guest.Info(ctx, "", ""); client.Code(err) != "share_not_found" {
		t.Errorf("after its end: %v", err)
	}
	for _, path := range []string{"/s/" + sh.Token, "/r/" + sh.Token} {
		a := s.raw(t, newAddress(), http.MethodGet, path, "", "Accept", "text/html")
		if a.status != http.StatusOK || a.header.Get("X-Robots-Tag") != "noindex" || a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the page %s: %d %v", path, a.status, a.header)
		}
	}
	if strings.Contains(s.out.String(), sh.Token) {
		t.Error("the log has a link's secret")
	}
}
