package e2e

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/client"
)

const password = "seven quiet otters 41"

// person is a user with their own mailbox and address.
type person struct {
	client.NewAccount
	s    *server
	from net.IP

	secret string   // of a layer, if any
	codes  []string // that were mailed
	signUp string   // the token of the latest sign-up
}

// layer is a layer as the stories see it. The layer's room adds it in its own file.
type layer struct {
	enrol   func(p *person, t *testing.T, c *client.Client)
	pass    func(ctx context.Context, p *person, ch *client.Challenge) (*client.Session, *client.Challenge, error)
	body    string                   // answers an attempt
	resends bool                     // an attempt may ask for its message again
	strong  bool                     // makes aal2: a session that did not pass it turns no further layer on
	last    bool                     // asked when all others are passed
	traces  func(p *person) []string // values that no store may show
	stories []story
}

var layers = map[string]layer{}

func addLayer(name string, l layer) bool {
	layers[name] = l
	return true
}

// harden turns every layer on, the authenticator app last: its codes are rare.
func (p *person) harden(t *testing.T, c *client.Client) {
	t.Helper()
	for _, strong := range []bool{false, true} {
		for _, name := range slices.Sorted(maps.Keys(layers)) {
			l := layers[name]
			if l.strong != strong {
				continue
			}
			if strong {
				p.stepUp(t, c)
			}
			l.enrol(p, t, c)
		}
	}
}

// stepUp proves anew, in the session of c, everything that a sign-in asks for.
func (p *person) stepUp(t *testing.T, c *client.Client) {
	t.Helper()
	_, ch, err := c.Reauthenticate(t.Context(), p.Password)
	for err == nil && ch != nil {
		next := slices.IndexFunc(ch.Layers, func(l client.Layer) bool { return !l.Done && !layers[l.Name].last })
		if next < 0 {
			next = slices.IndexFunc(ch.Layers, func(l client.Layer) bool { return !l.Done })
		}
		_, ch, err = layers[ch.Layers[next].Name].pass(t.Context(), p, ch)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// layerPaths returns the operations on an attempt, below it, with their bodies.
func layerPaths() map[string]string {
	all := map[string]string{}
	for name, l := range layers {
		path := strings.ReplaceAll(name, "_", "-")
		all[path] = l.body
		if l.resends {
			all[path+"/resend"] = ""
		}
	}
	return all
}

var people atomic.Int64

// stranger returns a person without an account.
func (s *server) stranger() *person {
	name := fmt.Sprintf("ada%dx%s", people.Add(1), strings.ToLower(base32.StdEncoding.EncodeToString([]byte(fmt.Sprint(os.Getpid())))[:5]))
	return &person{s: s, from: newAddress(), NewAccount: client.NewAccount{
		FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@example.org", Password: password,
	}}
}

// member returns a person with an account and a proven address.
func (s *server) member(t *testing.T) *person {
	t.Helper()
	p := s.stranger()
	p.join(t)
	return p
}

func (p *person) join(t *testing.T) {
	t.Helper()
	c := p.client(t)
	p.apply(t, c)
	if err := p.prove(t, c, p.mail(t, "verify-email")); err != nil {
		t.Fatal(err)
	}
}

// apply signs up and keeps the sign-up's token.
func (p *person) apply(t *testing.T, c *client.Client) {
	t.Helper()
	err := patiently(func() (err error) {
		p.signUp, err = c.SignUp(t.Context(), p.NewAccount)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// prove opens the link of a mail on the device of the latest sign-up.
func (p *person) prove(t *testing.T, c *client.Client, l letter) error {
	t.Helper()
	return patiently(func() error {
		return c.VerifyEmail(t.Context(), client.Verification{Token: l.token(), SignUp: p.signUp})
	})
}

// patiently repeats after a 503, as people do. A machine that runs every test at once may
// keep its disk busy for longer than the server waits.
func patiently(do func() error) (err error) {
	for range 5 {
		if err = do(); client.Status(err) != http.StatusServiceUnavailable {
			break
		}
	}
	return err
}

// client returns a client of the person on a device without a session.
func (p *person) client(t *testing.T, opts ...client.Option) *client.Client {
	t.Helper()
	return p.s.client(t, p.from, opts...)
}

// signIn returns a signed-in client of the person.
func (p *person) signIn(t *testing.T, opts ...client.Option) *client.Client {
	t.Helper()
	c := p.client(t, opts...)
	p.signInAt(t, c, client.SignIn{})
	return c
}

// signInAt signs in and passes the required layers.
func (p *person) signInAt(t *testing.T, c *client.Client, in client.SignIn) *client.Session {
	t.Helper()
	in.Identifier, in.Password = p.Email, p.Password
	var s *client.Session
	var ch *client.Challenge
	err := patiently(func() (err error) {
		s, ch, err = c.SignIn(t.Context(), in)
		return err
	})
	for err == nil && ch != nil {
		next := slices.IndexFunc(ch.Layers, func(l client.Layer) bool { return !l.Done && !layers[l.Name].last })
		if next < 0 {
			next = slices.IndexFunc(ch.Layers, func(l client.Layer) bool { return !l.Done })
		}
		s, ch, err = layers[ch.Layers[next].Name].pass(t.Context(), p, ch)
	}
	if err != nil || ch != nil {
		t.Fatalf("sign in: %v, %+v", err, ch)
	}
	return s
}

// letter is one mail in its reader's view.
type letter struct {
	file, kind, to string
	header         mail.Header
	text, html     string
	link, code     string
}

// token is the text behind the # of the link.
func (l letter) token() string {
	_, token, _ := strings.Cut(l.link, "#token=")
	return token
}

// read holds the outbox files that a person has already taken.
var read sync.Map

// mail waits for the newest mail of a kind to the person, among those not yet taken.
func (p *person) mail(t *testing.T, kind string) letter {
	t.Helper()
	var found letter
	wait(t, "a mail of kind "+kind+" to "+p.Email, func() bool {
		for _, l := range slices.Backward(p.s.outbox(t)) {
			if l.to == p.Email && l.kind == kind {
				if _, taken := read.LoadOrStore(l.file, true); !taken {
					found = l
					return true
				}
			}
		}
		return false
	})
	return found
}

// mails returns the kinds of all mails to the person, oldest first.
func (p *person) mails(t *testing.T) []string {
	t.Helper()
	var kinds []string
	for _, l := range p.s.outbox(t) {
		if l.to == p.Email {
			kinds = append(kinds, l.kind)
		}
	}
	return kinds
}

// letters caches mails: outbox files never change.
var letters sync.Map

// outbox reads every mail that the server has written, oldest first.
func (s *server) outbox(t *testing.T) []letter {
	t.Helper()
	all, err := s.readOutbox()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s *server) readOutbox() ([]letter, error) {
	files, err := filepath.Glob(filepath.Join(s.data, "outbox", "*.eml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	all := make([]letter, 0, len(files))
	for _, file := range files {
		if known, ok := letters.Load(file); ok {
			all = append(all, known.(letter))
			continue
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		l, err := readLetter(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		l.file = file
		letters.Store(file, l)
		all = append(all, l)
	}
	return all, nil
}

var (
	linkLine = regexp.MustCompile(`(?m)^https?://\S+\r?$`)
	codeLine = regexp.MustCompile(`(?m)^\d{6}\r?$`)
)

func readLetter(r io.Reader) (letter, error) {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return letter{}, err
	}
	l := letter{kind: m.Header.Get("X-Coffer-Kind"), header: m.Header}
	to, err := mail.ParseAddress(m.Header.Get("To"))
	if err != nil {
		return l, err
	}
	l.to = to.Address
	mediaType, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/alternative" {
		return l, fmt.Errorf("%s: %w", mediaType, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		} else if err != nil {
			return l, err
		}
		var body io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			body = quotedprintable.NewReader(part)
		}
		raw, err := io.ReadAll(body)
		if err != nil {
			return l, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/plain") {
			l.text = string(raw)
		} else {
			l.html = string(raw)
		}
	}
	l.link = strings.TrimSpace(linkLine.FindString(l.text))
	l.code = strings.TrimSpace(codeLine.FindString(l.text))
	return l, nil
}
