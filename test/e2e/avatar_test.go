package e2e

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"coffer/client"
)

// portrait: a person gives the account a picture, sees it in the profile and without a session,
// takes another, and removes it.
func portrait(t *testing.T, s *server) {
	p := s.member(t)
	next := p.watch(t, p.signIn(t))
	c, ctx := p.signIn(t), t.Context()
	me := func() *client.Avatar {
		t.Helper()
		profile, err := c.Profile(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return profile.Avatar
	}
	if a := me(); a != nil {
		t.Fatalf("a new account has the picture %+v", a)
	}
	first, err := c.SetAvatar(ctx, bytes.NewReader(photo(t, 800, 600, 1)), client.Crop{})
	if err != nil {
		t.Fatal(err)
	}
	for kind := ""; kind != "account"; { // an open page is told
		change, err := next()
		if err != nil {
			t.Fatal(err)
		}
		kind = change.Kind
	}
	if a := me(); a == nil || a.ID != first.ID || len(a.URLs) != 4 {
		t.Fatalf("the profile shows %+v", a)
	}
	for size, url := range first.URLs {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/webp" || !strings.Contains(res.Header.Get("Cache-Control"), "public, max-age=31536000, immutable") {
			t.Errorf("%s: %d %v", url, res.StatusCode, res.Header)
		}
		n, err := strconv.Atoi(size)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := c.ReadAvatar(ctx, first.ID, n); err != nil || !bytes.HasPrefix(b, []byte("RIFF")) {
			t.Errorf("size %s: %d bytes, %v", size, len(b), err)
		}
	}
	for code, data := range map[string][]byte{
		"picture_unsupported": []byte("<svg onload=alert(1)>"),
		"picture_damaged":     photo(t, 80, 80, 1)[:300],
		"picture_too_large":   []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02D\x01\x00;"),
	} {
		if _, err := c.SetAvatar(ctx, bytes.NewReader(data), client.Crop{}); client.Code(err) != code || client.Status(err) != http.StatusUnprocessableEntity {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := c.SetAvatar(ctx, bytes.NewReader(photo(t, 80, 60, 1)), client.Crop{X: 21, Side: 60}); client.Code(err) != "picture_crop" {
		t.Errorf("a square beside the picture: %v", err)
	}
	if _, err := c.SetAvatar(ctx, bytes.NewReader(make([]byte, 11<<20)), client.Crop{}); client.Status(err) != http.StatusRequestEntityTooLarge {
		t.Errorf("11 MiB: %v", err)
	}
	if a := me(); a == nil || a.ID != first.ID {
		t.Fatalf("after refusals the profile shows %+v", a)
	}
	second, err := c.SetAvatar(ctx, bytes.NewReader(photo(t, 80, 60, 2)), client.Crop{X: 20, Side: 60})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadAvatar(ctx, first.ID, 64); client.Code(err) != "not_found" {
		t.Errorf("a replaced picture: %v", err)
	}
	if err := c.RemoveAvatar(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadAvatar(ctx, second.ID, 64); client.Code(err) != "not_found" || me() != nil {
		t.Errorf("a removed picture: %v, the profile shows %+v", err, me())
	}
}
