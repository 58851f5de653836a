package smscode

import (
	"context"
	"encoding/json"
	"regexp"
	"sync"
	"testing"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/code"
	"coffer/internal/db"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/sms"
	"coffer/internal/token"
)

const phone = "+491701234512"

// world is the room over the real rooms below it.
type world struct {
	*Service
	below *accounttest.World
	t     *testing.T

	mu   sync.Mutex
	sent []sms.Message
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	return newWorldWith(t, d, func(*Config) {})
}

func newWorldWith(t *testing.T, d *db.DB, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, below: accounttest.New(t, d, limittest.Setup{})}
	b := w.below
	tc := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &tc.Settings)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	sc := session.Config{DB: d, Ring: b.Ring, Limit: b.Limits, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Tokens: tokens, Now: b.Now}
	limittest.Defaults(t, &sc.Settings)
	sessions, err := session.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	cc := code.Config{DB: d, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Now: b.Now}
	limittest.Defaults(t, &cc.Settings)
	codes, err := code.New(cc)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{DB: d, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Sessions: sessions, Codes: codes, Events: b.Events, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &c.Settings)
	change(&c)
	if w.Service, err = New(c); err != nil {
		t.Fatal(err)
	}
	b.Jobs.Handle(sms.Job, w.receive)
	return w
}

func (w *world) receive(_ context.Context, payload []byte) error {
	var m sms.Message
	if err := json.Unmarshal(payload, &m); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, m)
	return nil
}

// messages runs every due job and returns the messages since the last call.
func (w *world) messages() []sms.Message {
	w.t.Helper()
	w.below.RunJobs()
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

var codeIn = regexp.MustCompile(`^\d{6}\b`)

// code is that of the one message since the last call.
func (w *world) code(to string) string {
	w.t.Helper()
	sent := w.messages()
	if len(sent) != 1 || sent[0].To != to {
		w.t.Fatalf("messages %+v, want one to %s", sent, to)
	}
	return codeIn.FindString(sent[0].Text)
}

// enabled gives an account the layer.
func (w *world) enabled(id account.ID, number string) {
	w.t.Helper()
	if _, err := w.Enrol(w.t.Context(), id, number); err != nil {
		w.t.Fatal(err)
	}
	if err := w.Confirm(w.t.Context(), by(id), w.code(number)); err != nil {
		w.t.Fatal(err)
	}
	w.below.Advance(w.Codes.Cooldown)
}

// begin is the part of an attempt that this layer does.
func (w *world) begin(id account.ID, attempt string) (p session.Prompt, err error) {
	err = w.DB.Tx(context.Background(), func(tx *db.Tx) error {
		p, err = w.Begin(context.Background(), tx, id, attempt)
		return err
	})
	return p, err
}

// use spends a code as an attempt does: what a wrong code counts stays.
func (w *world) use(id account.ID, attempt, text string) (refusal error) {
	err := w.DB.Tx(context.Background(), func(tx *db.Tx) error {
		refusal = w.spend(context.Background(), tx, id, attempt, text)
		if refusal == nil || refusal.Error() == code.ErrWrong.Error() {
			return nil
		}
		return refusal
	})
	if refusal == nil {
		refusal = err
	}
	return refusal
}

func (w *world) isOn(id account.ID) bool {
	w.t.Helper()
	on, err := w.Enabled(w.t.Context(), w.DB, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return on
}

// other is a code that is not text.
func other(text string) string {
	if text[0] == '0' {
		return "1" + text[1:]
	}
	return "0" + text[1:]
}

// by is a caller with an ordinary session of an account.
func by(id account.ID) rest.Caller { return rest.Caller{Account: string(id), AAL: session.AAL1} }
