//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/client"
)

// TestLoginAtTerminal signs in to an account that also asks for a mailed code and a security
// question. A wrong answer is asked again, and nothing that is secret is shown.
func TestLoginAtTerminal(t *testing.T) {
	w := newForgotten(t, "sqlite:"+filepath.Join(t.TempDir(), "coffer.db"))
	ada := w.member("ada")
	w.must(ada.c.EnableEmailOTP(t.Context()))
	w.must(ada.c.SetSecurityQuestion(t.Context(), client.NewQuestion{Question: "Which tree?", Answer: "weeping beech", Hint: "it lost its leaves late"}))
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	p := atTerminal(t, "login", "--server", w.url)
	p.sees("E-mail or username: ")
	p.types("ada\n")
	p.asks("Password: ", forgetPassword)
	p.sees("Code from the mail to ")
	code := w.mailedCode(ada)
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
	p.asks("Code from the mail to ", wrong)
	p.sees("(invalid_code)")
	p.asks("Code from the mail to ", code)
	p.asks("Which tree? (it lost its leaves late): ", "beech")
	p.sees("(wrong_answer)")
	p.asks("Which tree? (it lost its leaves late): ", "weeping beech")
	p.sees("signed in at " + w.url)
	if status := p.ends(); status != 0 {
		t.Errorf("status %d", status)
	}
	for _, secret := range []string{"otters", code, wrong, "beech"} {
		if strings.Contains(p.screen(), secret) {
			t.Errorf("%q is shown:\n%s", secret, p.screen())
		}
	}
	session := filepath.Join(config, "coffer", "session.json")
	kept, err := readSession(session)
	if err != nil {
		t.Fatal(err)
	}
	person, err := kept.client(session)
	if err != nil {
		t.Fatal(err)
	}
	if me, err := person.Profile(t.Context()); err != nil || me.ID != ada.id {
		t.Errorf("the kept session is of %+v, %v", me, err)
	}

	// At a terminal a link has a QR code, and its password is asked for twice.
	if _, err := person.Upload(t.Context(), "", client.Source{Name: "letter.txt", Content: strings.NewReader("A letter.")}); err != nil {
		t.Fatal(err)
	}
	p = atTerminal(t, "share", "letter.txt", "--password", "--downloads", "3")
	p.asks("Password of the link: ", "two grey herons 63")
	p.asks("Again: ", "two grey herons 63")
	p.sees("letter.txt is shared for 3 downloads with a password.")
	link := p.find(`Link:  (\S+)`)
	p.sees("█")
	p.sees("coffer share stop ")
	if status := p.ends(); status != 0 || strings.Contains(p.screen(), "herons") {
		t.Errorf("status %d:\n%s", status, p.screen())
	}
	guest := w.client().Link(link)
	if _, err := guest.Info(t.Context(), "", ""); client.Code(err) != "share_password_required" {
		t.Errorf("without the password: %v", err)
	}
	if err := guest.Unlock(t.Context(), "two grey herons 63"); err != nil {
		t.Error(err)
	}

	// A refresh is kept; the end of the session removes it.
	if _, err := person.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, err := readSession(session); err != nil || again.Credentials.RefreshToken == kept.Credentials.RefreshToken {
		t.Errorf("the refreshed session is not kept: %v", err)
	}
	w.must(ada.c.RevokeOtherSessions(t.Context()))
	if _, err := person.Refresh(t.Context()); err == nil {
		t.Error("the session is not over")
	}
	if _, err := os.Stat(session); !os.IsNotExist(err) {
		t.Errorf("the ended session is kept: %v", err)
	}
}

// asks waits for a question after the last answer, and gives an answer that the terminal hides.
func (p *person) asks(question, answer string) {
	p.t.Helper()
	p.mu.Lock()
	from := p.answered
	p.mu.Unlock()
	p.seesFrom(from, question)
	p.hides()
	p.mu.Lock()
	p.answered = p.seen.Len()
	p.mu.Unlock()
	p.types(answer + "\n")
}
