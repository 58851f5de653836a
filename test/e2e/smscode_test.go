package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/client"
)

var _ = addLayer("sms", layer{
	enrol: (*person).enrolSMS,
	pass: func(ctx context.Context, p *person, ch *client.Challenge) (*client.Session, *client.Challenge, error) {
		text, err := p.nextText()
		if err != nil {
			return nil, nil, err
		}
		return ch.Pass(ctx, client.SMS, client.SMSCode{Code: text.code()})
	},
	body:    `{"code":"123456"}`,
	resends: true,
	strong:  true,
	traces:  func(p *person) []string { return append(p.texted(), p.phone(), p.phone()[1:]) },
	stories: []story{
		{"codes by text message", textMessages},
		{"a text message's code twenty times at once", textAtOnce},
		{"guessing text messages", guessingTexts},
		{"another telephone", anotherTelephone},
	},
})

// phone is the person's number: the same for the same name.
func (p *person) phone() string {
	h := fnv.New64a()
	h.Write([]byte(p.Username))
	return fmt.Sprintf("+49170%09d", h.Sum64()%1_000_000_000)
}

// text is a text message as its reader sees it.
type text struct {
	file           string
	To, Text, Kind string
}

func (m text) code() string { return regexp.MustCompile(`^\d{6}\b`).FindString(m.Text) }

// texts reads every text message to a number, oldest first.
func (s *server) texts(number string) (all []text, err error) {
	files, err := filepath.Glob(filepath.Join(s.data, "outbox", "*.sms"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m := text{file: file}
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if m.To == number {
			all = append(all, m)
		}
	}
	return all, nil
}

// texted are the texts of all messages to the person. A code is too short to be searched for.
func (p *person) texted() (texts []string) {
	all, err := p.s.texts(p.phone())
	if err != nil {
		panic(err)
	}
	for _, m := range all {
		texts = append(texts, m.Text)
	}
	return texts
}

// nextText waits for the newest text message to the person that was not taken yet.
func (p *person) nextText() (text, error) { return p.s.nextText(p.phone()) }

func (s *server) nextText(number string) (text, error) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		all, err := s.texts(number)
		if err != nil {
			return text{}, err
		}
		for _, m := range slices.Backward(all) {
			if _, taken := read.LoadOrStore(m.file, true); !taken {
				return m, nil
			}
		}
	}
	return text{}, fmt.Errorf("no text message to %s", number)
}

func (p *person) text(t *testing.T) text {
	t.Helper()
	m, err := p.nextText()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (p *person) enrolSMS(t *testing.T, c *client.Client) {
	t.Helper()
	if _, err := c.EnrolSMS(t.Context(), p.phone()); err != nil {
		t.Fatal(err)
	}
	if err := c.ConfirmSMS(t.Context(), p.text(t).code()); err != nil {
		t.Fatal(err)
	}
}

// waitOf is how long a refusal says to wait.
func waitOf(err error) time.Duration {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// otherCode is a code that is not text.
func otherCode(text string) string {
	if text[0] == '0' {
		return "1" + text[1:]
	}
	return "0" + text[1:]
}

// challenged begins a sign-in that asks for a code by text message.
func (p *person) challenged(t *testing.T) *client.Challenge {
	t.Helper()
	_, ch, err := p.client(t).SignIn(t.Context(), client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil || ch == nil || !ch.Open(client.SMS) {
		t.Fatalf("%+v, %v", ch, err)
	}
	return ch
}

func textMessages(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	if _, err := c.EnrolSMS(ctx, "0170 1234512"); client.Code(err) != "validation_failed" {
		t.Errorf("no E.164: %v", err)
	}
	sent, err := c.EnrolSMS(ctx, p.phone())
	masked := "+49 ••• ••" + p.phone()[len(p.phone())-2:]
	if err != nil || sent.SentTo != masked || !strings.Contains(sent.Notice, "authenticator app") || !sent.ResendAt.After(time.Now()) {
		t.Fatalf("%+v, %v", sent, err)
	}
	first := p.text(t)
	if first.Kind != "sms-code" || !strings.HasPrefix(first.Text, first.code()+" is your Coffer code.") || strings.Contains(first.Text, "://") {
		t.Errorf("%+v", first)
	}
	if _, err := c.ResendSMS(ctx); client.Code(err) != "rate_limited" || waitOf(err) <= 0 {
		t.Errorf("again at once: %v", err)
	}
	if err := c.ConfirmSMS(ctx, otherCode(first.code())); client.Code(err) != "invalid_code" {
		t.Errorf("a wrong code: %v", err)
	}
	if st, err := c.Security(ctx); err != nil || st[client.SMS].Enabled {
		t.Errorf("%+v, %v", st, err)
	}
	if err := c.ConfirmSMS(ctx, first.code()); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	if st, err := c.Security(ctx); err != nil || !st[client.SMS].Enabled || st[client.SMS].Since == nil || st[client.SMS].Hint != masked {
		t.Errorf("%+v, %v", st, err)
	}

	ch := p.challenged(t)
	if l := ch.Layers[0]; l.SentTo != masked || l.ResendAt == nil || len(ch.Layers) != 1 {
		t.Errorf("%+v", ch.Layers)
	}
	if _, err := ch.ResendSMS(ctx); client.Code(err) != "rate_limited" || waitOf(err) <= 0 {
		t.Errorf("again at once: %v", err)
	}
	opened, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: p.text(t).code()})
	if err != nil || opened.AAL != "aal2" || !slices.Contains(opened.AMR, "sms") || !slices.Contains(opened.AMR, "mfa") {
		t.Fatalf("%+v, %v", opened, err)
	}
	if err := c.DisableSMS(ctx); client.Code(err) != "step_up_required" {
		t.Errorf("turn off with the password alone: %v", err)
	}
	d := p.signIn(t)
	if err := d.DisableSMS(ctx); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	if opened, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); err != nil || ch != nil || opened.AAL != "aal1" {
		t.Errorf("after it is off: %+v, %+v, %v", opened, ch, err)
	}
}

// textAtOnce sends one code twenty times: one succeeds.
func textAtOnce(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	p.enrolSMS(t, p.signIn(t))
	ch := p.challenged(t)
	code := p.text(t).code()
	var won atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			opened, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: code})
			switch {
			case err == nil && opened != nil:
				won.Add(1)
			case client.Code(err) != "code_expired" && client.Code(err) != "attempt_over":
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if got := won.Load(); got != 1 {
		t.Errorf("%d sign-ins with one code, want 1", got)
	}
}

// guessingTexts ends an attempt after five wrong codes, even concurrent ones.
func guessingTexts(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	p.enrolSMS(t, p.signIn(t))
	ch := p.challenged(t)
	code := p.text(t).code()
	var judged atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: otherCode(code)})
			if client.Code(err) == "invalid_code" {
				judged.Add(1)
			} else if client.Code(err) != "attempt_over" {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if judged.Load() > 5 {
		t.Errorf("%d codes were looked at, want 5 at most", judged.Load())
	}
	if _, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: code}); client.Code(err) != "attempt_over" {
		t.Errorf("the right code afterwards: %v", err)
	}
}

// anotherTelephone proves a new number while the old one stays in force.
func anotherTelephone(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	p.enrolSMS(t, p.signIn(t))
	p.mail(t, "security-notice")
	c := p.signIn(t)
	if _, err := c.EnrolSMS(ctx, p.phone()); client.Code(err) != "sms_already_enabled" {
		t.Errorf("the same number: %v", err)
	}
	second := p.phone()[:len(p.phone())-4] + "9999"
	if second == p.phone() {
		second = p.phone()[:len(p.phone())-4] + "9998"
	}
	if _, err := c.EnrolSMS(ctx, second); err != nil {
		t.Fatal(err)
	}
	m, err := s.nextText(second)
	if err != nil {
		t.Fatal(err)
	}
	ch := p.challenged(t)
	old := p.text(t).code()
	if err := c.ConfirmSMS(ctx, m.code()); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	if _, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: old}); client.Code(err) != "attempt_over" {
		t.Errorf("a code that went to the old number: %v", err)
	}
	ch = p.challenged(t)
	if m, err = s.nextText(second); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: m.code()}); err != nil {
		t.Error(err)
	}
}

// A message is sent again after a while. The older code dies, and wrong codes stay counted.
func TestTextMessageIsSentAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_CODE_COOLDOWN=1s", "COFFER_CODE_TTL=20s")
		ctx := t.Context()
		p := s.member(t)
		c := p.signIn(t)
		if _, err := c.EnrolSMS(ctx, p.phone()); err != nil {
			t.Fatal(err)
		}
		first := p.text(t).code()
		wait(t, "another code of the set-up", func() bool { _, err := c.ResendSMS(ctx); return err == nil })
		second := p.text(t).code()
		if err := c.ConfirmSMS(ctx, first); first != second && client.Code(err) != "invalid_code" {
			t.Errorf("the older code: %v", err)
		}
		if err := c.ConfirmSMS(ctx, second); err != nil {
			t.Fatal(err)
		}
		ch := p.challenged(t)
		first = p.text(t).code()
		var sent client.SMSSent
		wait(t, "another code of the sign-in", func() bool {
			var err error
			sent, err = ch.ResendSMS(ctx)
			return err == nil
		})
		if sent.SentTo == "" || !sent.ResendAt.After(time.Now().Add(-time.Minute)) {
			t.Errorf("%+v", sent)
		}
		second = p.text(t).code()
		if _, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: first}); first != second && client.Code(err) != "invalid_code" {
			t.Errorf("the older code: %v", err)
		}
		if _, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: second}); err != nil {
			t.Error(err)
		}
		ch = p.challenged(t)
		late := p.text(t).code()
		wait(t, "the code expires", func() bool {
			_, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: otherCode(late)})
			return client.Code(err) == "code_expired" || client.Code(err) == "attempt_over"
		})
	})
}

// A webhook gets signed messages. While it is away a sign-in is a challenge all the same, and
// the message comes when it is back.
func TestTextMessagesByWebhook(t *testing.T) {
	t.Parallel()
	key := []byte("a key of at least 24 bytes")
	var away atomic.Bool
	messages := make(chan text, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if err != nil || r.Header.Get("webhook-signature") != want || r.Header.Get("webhook-id") == "" {
			t.Errorf("signature %q, want %q, %v", r.Header.Get("webhook-signature"), want, err)
		}
		if away.Load() {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		var m text
		if err := json.Unmarshal(body, &m); err != nil {
			t.Error(err)
		}
		messages <- m
	}))
	defer hook.Close()
	s := start(t, alone, "COFFER_SMS_URL="+hook.URL+"/sms", "COFFER_SMS_SECRET=whsec_"+base64.StdEncoding.EncodeToString(key), "COFFER_LOG_LEVEL=debug")
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	if rules, err := c.Settings(ctx); err != nil || rules.SMS != 1 {
		t.Errorf("%+v, %v", rules, err)
	}
	if _, err := c.EnrolSMS(ctx, p.phone()); err != nil {
		t.Fatal(err)
	}
	m := <-messages
	if m.To != p.phone() || m.Kind != "sms-code" {
		t.Errorf("%+v", m)
	}
	if err := c.ConfirmSMS(ctx, m.code()); err != nil {
		t.Fatal(err)
	}
	away.Store(true)
	ch := p.challenged(t)
	if ch.Layers[0].ResendAt == nil || ch.Layers[0].SentTo == "" {
		t.Errorf("%+v", ch.Layers)
	}
	time.AfterFunc(time.Second, func() { away.Store(false) })
	m = <-messages
	if _, _, err := ch.Pass(ctx, client.SMS, client.SMSCode{Code: m.code()}); err != nil {
		t.Error(err)
	}
	if kept, err := s.texts(p.phone()); err != nil || len(kept) != 0 {
		t.Errorf("the outbox holds %d, %v", len(kept), err)
	}
	hunt(t, s, []string{p.phone(), p.phone()[1:], m.Text})
}

// Caps: a refused message says when, and a sign-in beyond a cap says from when to ask.
func TestTextMessageCaps(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_LIMIT_SMS_ADDRESS=2/24h", "COFFER_SMS_COUNTRIES=+49")
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	if _, err := c.EnrolSMS(ctx, "+18765550100"); client.Code(err) != "validation_failed" {
		t.Errorf("another country: %v", err)
	}
	p.enrolSMS(t, c)
	if ch := p.challenged(t); ch.Layers[0].SentTo == "" {
		t.Errorf("%+v", ch.Layers)
	}
	ch := p.challenged(t)
	if l := ch.Layers[0]; l.SentTo != "" || l.ResendAt == nil || l.ResendAt.Before(time.Now()) {
		t.Errorf("%+v", l)
	}
	if _, err := ch.ResendSMS(ctx); client.Code(err) != "rate_limited" || waitOf(err) <= 0 {
		t.Errorf("beyond the cap: %v", err)
	}
}
