package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/client"
)

// bytesOf returns n bytes without repetition.
func bytesOf(n int, seed string) []byte {
	b := make([]byte, n)
	rand.NewChaCha8(sha256.Sum256([]byte(seed))).Read(b)
	return b
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// names lists a folder.
func names(t *testing.T, c *client.Client, parent, sort string) []string {
	t.Helper()
	got := []string{}
	for e, err := range c.Files(t.Context(), parent, sort) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Name)
	}
	return got
}

// content downloads a file whole.
func content(t *testing.T, c *client.Client, id string) []byte {
	t.Helper()
	d, err := c.Download(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Body.Close()
	b, err := io.ReadAll(d.Body)
	if err != nil {
		t.Fatal(err)
	}
	if d.SHA256 == nil {
		t.Error("a download without Repr-Digest")
	}
	return b
}

// newcomer tells a new person's whole way.
func newcomer(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.stranger()
	c := p.client(t)
	p.apply(t, c)
	m := p.mail(t, "verify-email")
	base := strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	if !strings.HasPrefix(m.link, base+"/verify-email#token=") || len(m.code) != 6 || strings.Contains(m.text+m.html, p.LastName) {
		t.Errorf("the mail: link %q, code %q\n%s", m.link, m.code, m.text)
	}
	if _, _, err := c.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); client.Code(err) != "invalid_credentials" {
		t.Errorf("before the address is proven: %v", err)
	}
	if err := p.prove(t, c, m); err != nil {
		t.Fatal(err)
	}
	if err := p.prove(t, c, m); client.Status(err) != http.StatusGone {
		t.Errorf("the link a second time: %v", err)
	}
	if err := c.VerifyEmail(ctx, client.Verification{Email: p.Email, Code: m.code, SignUp: p.signUp}); err == nil {
		t.Error("the code after the link")
	}

	opened := p.signInAt(t, c, client.SignIn{DeviceName: "Ada's loom"})
	if opened.AAL != "aal1" || !slices.Equal(opened.AMR, []string{"pwd"}) || opened.TokenType != "Bearer" || opened.ServerPublicKey.Curve != "P-521" {
		t.Errorf("session %+v", opened)
	}
	me, err := c.Profile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if me.Email != p.Email || me.Username != p.Username || me.FirstName != "Ada" || me.LastName != "Lovelace" || me.Role != "user" || !me.EmailVerified ||
		me.ID != opened.Account.ID || me.SignInSummary.Count != 1 {
		t.Errorf("profile %+v", me)
	}
	bio := "Notes on the engine."
	if me, err = c.ChangeProfile(ctx, client.ProfileChange{Bio: &bio}); err != nil || me.Bio != bio || me.FirstName != "Ada" {
		t.Errorf("changed profile %+v, %v", me, err)
	}
	byName := p.client(t, client.WithCurve(client.X25519))
	if _, _, err := byName.SignIn(ctx, client.SignIn{Identifier: strings.ToUpper(p.Username), Password: p.Password}); err != nil {
		t.Errorf("by username: %v", err)
	}

	keepFiles(t, c)
	leave(t, p, c, byName)
}

func keepFiles(t *testing.T, c *client.Client) {
	ctx := t.Context()
	letter, picture := []byte("Dear Charles,\n"), bytesOf(3<<20+17, "picture")
	stored, err := c.Upload(ctx, "",
		client.Source{Name: "letter 10.txt", MediaType: "text/plain", Content: bytes.NewReader(letter)},
		client.Source{Name: "Letter 2.txt", MediaType: "text/plain", Content: bytes.NewReader(letter)},
		client.Source{Name: "pict\"ure ✓.bin", Content: bytes.NewReader(picture)},
		client.Source{Name: "letter 10.txt", Content: strings.NewReader("")},
	)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Letter 2.txt", "letter 10 (1).txt", "letter 10.txt", "pict\"ure ✓.bin"}, names(t, c, "", "")); diff != "" {
		t.Error(diff)
	}
	if e := stored[2]; e.Size != int64(len(picture)) || e.SHA256 != digest(picture) || e.Kind != "file" || e.Parent != nil {
		t.Errorf("stored %+v", e)
	}
	folder, err := c.CreateFolder(ctx, "", "Engine")
	if err != nil {
		t.Fatal(err)
	}
	moved, err := c.MoveFile(ctx, stored[2].ID, folder.ID)
	if err != nil || *moved.Parent != folder.ID {
		t.Fatalf("moved %+v, %v", moved, err)
	}
	renamed, err := c.RenameFile(ctx, stored[2].ID, "drawing.bin")
	if err != nil || renamed.Name != "drawing.bin" || *renamed.Parent != folder.ID {
		t.Fatalf("renamed %+v, %v", renamed, err)
	}
	if diff := cmp.Diff([]string{"drawing.bin"}, names(t, c, folder.ID, "")); diff != "" {
		t.Error(diff)
	}
	if _, err := c.MoveFile(ctx, folder.ID, folder.ID); client.Code(err) != "folder_cycle" {
		t.Errorf("a folder into itself: %v", err)
	}
	if got := content(t, c, renamed.ID); !bytes.Equal(got, picture) {
		t.Errorf("downloaded %d bytes that are not those uploaded", len(got))
	}
	part, err := c.DownloadRange(ctx, renamed.ID, client.Range{Offset: 1<<20 + 5, Length: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	defer part.Body.Close()
	got, err := io.ReadAll(part.Body)
	if err != nil || !bytes.Equal(got, picture[1<<20+5:][:100_000]) || part.Size != int64(len(picture)) || part.Name != "drawing.bin" {
		t.Errorf("range: %d bytes, %v, %+v", len(got), err, part)
	}
	if _, err := c.DownloadRange(ctx, renamed.ID, client.Range{Offset: int64(len(picture))}); client.Code(err) != "range_not_satisfiable" {
		t.Errorf("behind the end: %v", err)
	}
	if _, err := c.Download(ctx, folder.ID); client.Code(err) != "is_folder" {
		t.Errorf("a folder: %v", err)
	}
	if err := c.DeleteFile(ctx, folder.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{folder.ID, renamed.ID} {
		if _, err := c.File(ctx, id); client.Code(err) != "not_found" {
			t.Errorf("deleted: %v", err)
		}
	}
	if _, err := c.Download(ctx, renamed.ID); client.Code(err) != "not_found" {
		t.Errorf("the content of what is deleted: %v", err)
	}
}

// leave signs one device out: both of its tokens are invalid at once, and the other device
// stays signed in.
func leave(t *testing.T, p *person, c, other *client.Client) {
	ctx := t.Context()
	var seen []string
	for d, err := range c.Sessions(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Current != (d.ID == c.Credentials().SessionID) || d.Address != p.from.String() || d.CreatedAt.IsZero() {
			t.Errorf("device %+v", d)
		}
		seen = append(seen, d.Name)
	}
	if diff := cmp.Diff([]string{"", "Ada's loom"}, seen); diff != "" {
		t.Error(diff)
	}
	before := c.Credentials()
	if err := c.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	p.dead(t, before)
	if _, err := c.Profile(ctx); !errors.Is(err, client.ErrSignedOut) {
		t.Errorf("signed out: %v", err)
	}
	if _, err := other.Profile(ctx); err != nil {
		t.Errorf("the other device: %v", err)
	}
}

// dead checks that both tokens of a session are invalid at the first try.
func (p *person) dead(t *testing.T, creds client.Credentials) {
	t.Helper()
	if p.accessWorks(t, creds.AccessToken) {
		t.Error("the access token is good")
	}
	if _, _, status := p.rotate(t, creds.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("the refresh token: %d", status)
	}
}

// resend tells of a person whose first mail got lost and who types the code.
func resend(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.stranger()
	c := p.client(t)
	p.apply(t, c)
	lost := p.mail(t, "verify-email")
	if err := c.ResendVerification(ctx, p.Email, p.signUp); err != nil {
		t.Fatal(err)
	}
	m := p.mail(t, "verify-email")
	if m.link == lost.link || m.link == "" {
		t.Fatalf("the new link %q, the old %q", m.link, lost.link)
	}
	if err := p.prove(t, c, lost); client.Status(err) != http.StatusGone {
		t.Errorf("the older link: %v", err)
	}
	wrong := "000000"
	if wrong == m.code {
		wrong = "000001"
	}
	if err := c.VerifyEmail(ctx, client.Verification{Email: p.Email, Code: wrong, SignUp: p.signUp}); client.Code(err) != "invalid_code" {
		t.Errorf("a wrong code: %v", err)
	}
	if err := c.VerifyEmail(ctx, client.Verification{Email: strings.ToUpper(p.Email), Code: m.code, SignUp: p.signUp}); err != nil {
		t.Fatal(err)
	}
	p.signIn(t)
	p.apply(t, c) // again
	p.mail(t, "sign-up-exists")

	// Another person chose the same username meanwhile.
	q := s.stranger()
	q.Username = p.Username
	q.apply(t, c)
	m = q.mail(t, "verify-email")
	if err := q.prove(t, c, m); client.Code(err) != "username_taken" {
		t.Errorf("a taken username: %v", err)
	}
	q.Username += "2"
	if err := c.VerifyEmail(ctx, client.Verification{Token: m.token(), Password: q.Password, Username: q.Username}); err != nil {
		t.Fatal(err)
	}
	if me, err := q.signIn(t).Profile(ctx); err != nil || me.Username != q.Username {
		t.Errorf("profile %+v, %v", me, err)
	}
}

// manyFiles lists a folder of more than one page, in every order.
func manyFiles(t *testing.T, s *server) {
	ctx := t.Context()
	c := s.member(t).signIn(t)
	folder, err := c.CreateFolder(ctx, "", "many")
	if err != nil {
		t.Fatal(err)
	}
	var files []client.Source
	var want []string
	for i := range 450 {
		name := fmt.Sprintf("file %d", i)
		want = append(want, name)
		files = append(files, client.Source{Name: name, Content: bytes.NewReader(make([]byte, 450-i))})
	}
	if _, err := c.Upload(ctx, folder.ID, files...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, names(t, c, folder.ID, "name")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, names(t, c, folder.ID, "-size")); diff != "" {
		t.Error(diff)
	}
	slices.Reverse(want)
	if diff := cmp.Diff(want, names(t, c, folder.ID, "-name")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, names(t, c, folder.ID, "size")); diff != "" {
		t.Error(diff)
	}
	// All or none: the last name is refused.
	_, err = c.Upload(ctx, "", client.Source{Name: "first", Content: strings.NewReader("1")}, client.Source{Name: "..", Content: strings.NewReader("2")})
	if client.Code(err) != "validation_failed" {
		t.Errorf("a name of dots: %v", err)
	}
	if diff := cmp.Diff([]string{"many"}, names(t, c, "", "")); diff != "" {
		t.Error(diff)
	}
}
