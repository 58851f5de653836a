package account

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
	"coffer/internal/mail"
)

// cheap keeps tests fast; the real costs are in the vectors.
var cheap = Argon2Params{MemoryKiB: 64, Time: 1, Threads: 1}

// defaultArgon2 are the costs of a start without settings.
func defaultArgon2(t testing.TB) Argon2Params {
	var p Argon2Params
	limittest.Defaults(t, &p)
	return p
}

const goodPassword = "seven quiet otters 41"

// world is one service over a fresh database.
type world struct {
	*Service
	*limittest.Ground
	t   *testing.T
	log *bytes.Buffer
}

func newWorld(t *testing.T, d *db.DB, change ...func(*Config)) *world {
	t.Helper()
	log := &bytes.Buffer{}
	g := limittest.New(t, d, limittest.Setup{Log: slog.New(slog.NewTextHandler(log, nil))})
	cfg := Config{
		DB: d, Ring: g.Ring, Jobs: g.Jobs, KV: g.KV, Limit: g.Limits, Mail: g.Mailer, Events: event.New(g.Mailer, g.Now), Now: g.Now, Log: g.Log,
		BaseURL: limittest.BaseURL, Hashers: 4, HashQueue: 1000,
	}
	cfg.Argon = cheap
	limittest.Defaults(t, &cfg.Settings)
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	declareHappened(s.Events)
	return &world{s, g, t, log}
}

func (w *world) mail(kind string) mail.Message {
	w.t.Helper()
	box := w.Mails()
	if len(box) != 1 || box[0].Kind != kind {
		w.t.Fatalf("mails = %+v, want one %s", box, kind)
	}
	return box[0]
}

func tokenOf(m mail.Message) string {
	_, token, _ := strings.Cut(m.Data["link"], "#token=")
	return token
}

func person1(name string) NewAccount {
	return NewAccount{FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@example.org", Password: goodPassword}
}

// applied is a sign-up and the mail that it caused.
type applied struct {
	mail.Message
	in     NewAccount
	signUp string
	from   Source
}

// byLink and byCode are the proofs of the one who signed up.
func (a applied) byLink() Proof {
	return Proof{Token: tokenOf(a.Message), SignUp: a.signUp, From: a.from}
}

func (a applied) byCode() Proof {
	return Proof{Email: a.in.Email, Code: a.Data["code"], SignUp: a.signUp, From: a.from}
}

// at is a source of its own for each n.
func at(n int) Source {
	return SourceOf(netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}))
}

// apply signs up and returns the mail that proves the address.
func (w *world) apply(in NewAccount) applied {
	w.t.Helper()
	return w.applyFrom(at(0), in)
}

func (w *world) applyFrom(from Source, in NewAccount) applied {
	w.t.Helper()
	token, err := w.SignUp(context.Background(), in, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return applied{w.mail("verify-email"), in, token, from}
}

// join makes an account as a person does.
func (w *world) join(in NewAccount) ID {
	w.t.Helper()
	if err := w.VerifyToken(context.Background(), w.apply(in).byLink()); err != nil {
		w.t.Fatal(err)
	}
	st, err := w.CheckPassword(context.Background(), in.Email, in.Password)
	if err != nil {
		w.t.Fatal(err)
	}
	return st.ID
}

// code returns an error's code, "" for none.
func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

// race runs f n times at once and counts the codes of their errors.
func race(n int, f func(i int) error) map[string]int {
	codes := make([]string, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			codes[i] = code(f(i))
		})
	}
	close(start)
	wg.Wait()
	count := map[string]int{}
	for _, c := range codes {
		count[c]++
	}
	return count
}

// CheckPassword is Find and then CheckPassword, as a sign-in does.
func (w *world) CheckPassword(ctx context.Context, identifier, password string) (State, error) {
	f, err := w.Find(ctx, identifier)
	if err == nil {
		err = w.Service.CheckPassword(ctx, f, password)
	}
	if err != nil {
		return State{}, err
	}
	return f.State, nil
}
