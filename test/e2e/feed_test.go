package e2e

import (
	"iter"
	"strings"
	"testing"
	"time"

	"coffer/client"
)

// watch opens a device's stream of changes. The device has received one change, so the
// stream is open. next returns one more, or the error that ends the stream.
func (p *person) watch(t *testing.T, c *client.Client) (next func() (client.Change, error)) {
	t.Helper()
	pull, stop := iter.Pull2(c.Changes(t.Context()))
	t.Cleanup(stop)
	first := make(chan error, 1)
	go func() {
		_, err, _ := pull()
		first <- err
	}()
	writer := p.signIn(t)
	for {
		if _, err := writer.CreateFolder(t.Context(), "", "knock"); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-first:
			if err != nil {
				t.Fatal(err)
			}
			return func() (client.Change, error) {
				change, err, _ := pull()
				return change, err
			}
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// changes: an open page receives another device's changes, and no other account's.
func changes(t *testing.T, s *server) {
	p, other := s.member(t), s.member(t)
	next := p.watch(t, p.signIn(t))
	writer, stranger := p.signIn(t), other.signIn(t)
	if _, err := stranger.CreateFolder(t.Context(), "", "theirs"); err != nil {
		t.Fatal(err)
	}
	folder, err := writer.CreateFolder(t.Context(), "", "papers")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.CreateFolder(t.Context(), folder.ID, "inner"); err != nil {
		t.Fatal(err)
	}
	for {
		change, err := next()
		if err != nil {
			t.Fatal(err)
		}
		if change == (client.Change{Kind: "files", ID: folder.ID}) {
			break
		}
		if change != (client.Change{Kind: "files"}) {
			t.Fatalf("got %+v", change)
		}
	}
}

// TestChangesEnd: a stream of changes ends with its session, and does not delay a server's
// stop.
func TestChangesEnd(t *testing.T) {
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		p := s.member(t)
		gone := p.signIn(t)
		next := p.watch(t, gone)
		elsewhere := p.signIn(t)
		if err := elsewhere.RevokeOtherSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := next(); err != nil {
				break
			}
		}
		next = p.watch(t, elsewhere)
		began := time.Now()
		s.stop()
		for {
			if _, err := next(); err != nil {
				break
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the stream kept the server for %s", took)
		}
	})
}

// A page that listens takes nothing from the bound of uploads and downloads.
func TestPagesTakeNoUpload(t *testing.T) {
	s := start(t, alone, "COFFER_MAX_STREAMS_ACCOUNT=1", "COFFER_MAX_STREAMS=1")
	p := s.member(t)
	c := p.signIn(t)
	p.watch(t, c)
	e, err := c.Upload(t.Context(), "", client.Source{Name: "a", Content: strings.NewReader("a")})
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, c, e[0].ID); string(got) != "a" {
		t.Errorf("%q", got)
	}
}
