package e2e

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"coffer/client"
)

// canaryQuestion has words that no store may show.
var canaryQuestion = client.NewQuestion{Question: "Which tree stood before grandmother's window?", Answer: "  Weeping   BEECH ", Hint: "it lost its leaves late"}

var _ = addLayer(client.SecurityQuestion, layer{
	enrol: func(p *person, t *testing.T, c *client.Client) {
		t.Helper()
		if err := c.SetSecurityQuestion(t.Context(), canaryQuestion); err != nil {
			t.Fatal(err)
		}
	},
	pass: func(ctx context.Context, p *person, ch *client.Challenge) (*client.Session, *client.Challenge, error) {
		return ch.Pass(ctx, client.SecurityQuestion, client.SecurityAnswer{Answer: "weeping beech"})
	},
	body: `{"answer":"weeping beech"}`,
	last: true,
	traces: func(*person) []string {
		return []string{canaryQuestion.Question, canaryQuestion.Answer, canaryQuestion.Hint, "weeping beech", "grandmother's window"}
	},
	stories: []story{
		{"the security question", securityQuestion},
		{"the security question comes last", questionLast},
		{"always ask", alwaysAsk},
		{"a half-done sign-in opens nothing", halfDone},
	},
})

// securityQuestion covers the layer's whole life.
func securityQuestion(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	if err := c.SetSecurityQuestion(ctx, client.NewQuestion{Question: "Was it a weeping beech?", Answer: "Weeping Beech"}); client.Code(err) != "validation_failed" {
		t.Errorf("a question that tells its answer: %v", err)
	}
	if err := c.SetSecurityQuestion(ctx, canaryQuestion); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	d := p.client(t)
	opened, ch, err := d.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil || opened != nil || len(ch.Layers) != 1 || ch.Layers[0].Question != canaryQuestion.Question || ch.Layers[0].Hint != canaryQuestion.Hint {
		t.Fatalf("%+v, %+v, %v", opened, ch, err)
	}
	if _, _, err := ch.Pass(ctx, client.SecurityQuestion, client.SecurityAnswer{Answer: "oak"}); client.Code(err) != "wrong_answer" || client.Status(err) != http.StatusUnauthorized {
		t.Errorf("a wrong answer: %v", err)
	}
	if opened, _, err = ch.Pass(ctx, client.SecurityQuestion, client.SecurityAnswer{Answer: "WEEPING\tbeech"}); err != nil || opened.AAL != "aal1" || !slices.Contains(opened.AMR, "kba") {
		t.Fatalf("%+v, %v", opened, err)
	}
	if st, err := d.Security(ctx); err != nil || !st[client.SecurityQuestion].Enabled || st[client.SecurityQuestion].LastUsed == nil || st[client.SecurityQuestion].Hint != "" {
		t.Errorf("the security page: %+v, %v", st, err)
	}
	if err := d.SetSecurityQuestion(ctx, client.NewQuestion{Question: "And the cat?", Answer: "Pyewacket"}); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	_, ch, err = p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil || ch.Layers[0].Question != "And the cat?" || ch.Layers[0].Hint != "" {
		t.Fatalf("%+v, %v", ch, err)
	}
	for n, answer := range []string{"weeping beech", "a", "b", "c", "d"} {
		if _, _, err := ch.Pass(ctx, client.SecurityQuestion, client.SecurityAnswer{Answer: answer}); client.Code(err) != "wrong_answer" {
			t.Errorf("wrong answer %d: %v", n, err)
		}
	}
	if _, _, err := ch.Pass(ctx, client.SecurityQuestion, client.SecurityAnswer{Answer: "pyewacket"}); client.Code(err) != "attempt_over" {
		t.Errorf("after five wrong answers: %v", err)
	}
	if err := d.DisableSecurityQuestion(ctx); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	if _, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); err != nil || ch != nil {
		t.Errorf("after it is off: %+v, %v", ch, err)
	}
}

// questionLast: with every layer on, nothing of the question shows before the others are
// passed.
func questionLast(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	p.harden(t, p.signIn(t))
	_, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil || len(ch.Layers) != len(layers) {
		t.Fatalf("%+v, %v", ch, err)
	}
	shown := func() bool {
		return slices.ContainsFunc(ch.Layers, func(l client.Layer) bool { return l.Question != "" })
	}
	for {
		next := slices.IndexFunc(ch.Layers, func(l client.Layer) bool { return !l.Done && !layers[l.Name].last })
		if next < 0 {
			break
		}
		if shown() {
			t.Errorf("shown too early: %+v", ch.Layers)
		}
		if _, _, err := ch.Pass(ctx, client.SecurityQuestion, client.SecurityAnswer{Answer: "weeping beech"}); client.Code(err) != "earlier_layers_open" {
			t.Errorf("answered too early: %v", err)
		}
		if _, ch, err = layers[ch.Layers[next].Name].pass(ctx, p, ch); err != nil || ch == nil {
			t.Fatalf("%+v, %v", ch, err)
		}
	}
	if !shown() {
		t.Errorf("not shown: %+v", ch.Layers)
	}
	if opened, _, err := layers[client.SecurityQuestion].pass(ctx, p, ch); err != nil || opened.AAL != "aal2" {
		t.Errorf("%+v, %v", opened, err)
	}
}

// alwaysAsk: a remembered device is asked again while the owner wishes it.
func alwaysAsk(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	layers[client.SecurityQuestion].enrol(p, t, p.signIn(t))
	c := p.client(t)
	p.signInAt(t, c, client.SignIn{Remember: true})
	again := func() *client.Challenge {
		t.Helper()
		_, ch, err := p.client(t, client.WithCredentials(client.Credentials{DeviceToken: c.Credentials().DeviceToken})).
			SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
		if err != nil {
			t.Fatal(err)
		}
		return ch
	}
	if again() != nil {
		t.Error("the remembered device is asked")
	}
	if err := c.SetAlwaysAsk(ctx, true); err != nil {
		t.Fatal(err)
	}
	if me, err := c.Profile(ctx); err != nil || !me.AlwaysAsk {
		t.Errorf("the profile: %+v, %v", me, err)
	}
	if again() == nil {
		t.Error("the remembered device is not asked")
	}
	d := p.client(t)
	p.signInAt(t, d, client.SignIn{Remember: true})
	if d.Credentials().DeviceToken != "" {
		t.Error("a further device is remembered")
	}
	if err := c.SetAlwaysAsk(ctx, false); err != nil {
		t.Fatal(err)
	}
	if again() != nil {
		t.Error("the remembered device is asked still")
	}
}

// halfDone tries every operation with the token of an attempt that has passed all layers but
// the last: as a bearer it opens none, and as an attempt only its own.
func halfDone(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	p.harden(t, c)
	_, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil {
		t.Fatal(err)
	}
	for next := 0; next >= 0; {
		if next = slices.IndexFunc(ch.Layers, func(l client.Layer) bool { return !l.Done && !layers[l.Name].last }); next >= 0 {
			if _, ch, err = layers[ch.Layers[next].Name].pass(ctx, p, ch); err != nil || ch == nil {
				t.Fatalf("%+v, %v", ch, err)
			}
		}
	}
	tried := 0
	for _, o := range operations(t, c) {
		if o.public {
			continue
		}
		for _, authorization := range []string{"Bearer " + ch.Token, "Attempt " + ch.Token} {
			got := s.raw(t, p.from, o.method, strings.Replace(o.path, "{id}", ch.ID, 1), `{}`, "Authorization", authorization)
			if got.status != http.StatusUnauthorized {
				t.Errorf("%s %s with %s…: %d %s", o.method, o.path, authorization[:7], got.status, got.body)
			}
			tried++
		}
	}
	if tried < 40 {
		t.Errorf("only %d calls", tried)
	}
	if opened, _, err := layers[client.SecurityQuestion].pass(ctx, p, ch); err != nil || opened == nil {
		t.Errorf("the attempt itself: %v", err)
	}
}
