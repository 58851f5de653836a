package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"coffer/client"
)

// photo returns a JPEG whose pixels differ for each seed.
func photo(t *testing.T, width, height, seed int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.RGBA{uint8(x + seed), uint8(y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pictures uploads pictures in one request and by a resumable upload. The event stream names
// their folder, and each has a thumbnail then, which a copy has at once.
func pictures(t *testing.T, s *server) {
	p, other := s.member(t), s.member(t)
	next := p.watch(t, p.signIn(t))
	c, ctx := p.signIn(t), t.Context()
	folder, err := c.CreateFolder(ctx, "", "pictures")
	if err != nil {
		t.Fatal(err)
	}
	whole := photo(t, 900, 600, 1)
	stored, err := c.Upload(ctx, folder.ID,
		client.Source{Name: "whole.jpg", Content: bytes.NewReader(whole)},
		client.Source{Name: "false.jpg", MediaType: "image/jpeg", Content: bytes.NewReader([]byte("no picture"))})
	if err != nil {
		t.Fatal(err)
	}
	parts := photo(t, 300, 700, 2)
	id, err := c.BeginUpload(ctx, client.NewUpload{Name: "parts.jpg", Parent: folder.ID, Size: int64(len(parts))})
	if err != nil {
		t.Fatal(err)
	}
	resumed, err := c.ResumeUpload(ctx, id, bytes.NewReader(parts), nil)
	if err != nil {
		t.Fatal(err)
	}
	ready := func() (n int) {
		for e, err := range c.Files(ctx, folder.ID, "") {
			if err != nil {
				t.Fatal(err)
			}
			if e.Thumbnail {
				n++
			}
		}
		return n
	}
	for ready() < 2 { // the stream says when to look again
		if change, err := next(); err != nil || change.Kind != "files" {
			t.Fatalf("got %+v, %v", change, err)
		}
	}
	for _, e := range []client.Entry{stored[0], resumed} {
		webp, err := c.Thumbnail(ctx, e.ID)
		if err != nil || !bytes.HasPrefix(webp, []byte("RIFF")) || !bytes.Equal(webp[8:12], []byte("WEBP")) {
			t.Errorf("%s: %d bytes, %v", e.Name, len(webp), err)
		}
		if _, err := other.signIn(t).Thumbnail(ctx, e.ID); client.Code(err) != "not_found" {
			t.Errorf("%s, of another: %v", e.Name, err)
		}
	}
	if _, err := c.Thumbnail(ctx, stored[1].ID); client.Code(err) != "no_thumbnail" {
		t.Errorf("no picture: %v", err)
	}
	if duplicate, err := c.CopyFile(ctx, stored[0].ID, "", ""); err != nil || !duplicate.Thumbnail {
		t.Errorf("the copy is %+v, %v", duplicate, err)
	}
}
