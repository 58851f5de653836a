package main

import (
	"bytes"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coffer/internal/lang"
	"coffer/internal/mail"
	"coffer/internal/mail/mailtest"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// TestWords renders the mail of every kind in every language: with all possible data, with
// the least, and with an attacker's. It fails for a words file that no room declares.
func TestWords(t *testing.T) {
	s := defaultSettings(t)
	s.moveTo(t.TempDir())
	s.URL = "https://coffer.test"
	a, err := openApp(t.Context(), &s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	files, err := filepath.Glob("../../internal/*/words/*." + lang.Default + ".txt")
	if err != nil || len(files) < 7 {
		t.Fatalf("words of %d kinds, %v", len(files), err)
	}
	document, err := rest.OpenAPI(a.api)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		kind := strings.TrimSuffix(filepath.Base(file), "."+lang.Default+".txt")
		words, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(kind, func(t *testing.T) {
			if lostPassword.Match(words) && !bytes.Contains(document, []byte("/auth/password/forgot")) {
				t.Errorf("the mail speaks of a forgotten password, and the server has no operation for one")
			}
			subjects, leads := map[string]bool{}, map[string]bool{}
			for what, data := range dataOf(string(words)) {
				for _, l := range lang.All() {
					r, err := a.mailer.Render(mail.Message{Kind: kind, To: "ada@example.org", Lang: l, Data: data})
					if err != nil {
						t.Errorf("%s in %s: %v", what, l, err)
						continue
					}
					if r.Kind != headers[kind] || r.Lang != l {
						t.Errorf("%s in %s: X-Coffer-Kind %q, want %q; language %s", what, l, r.Kind, headers[kind], r.Lang)
					}
					shown := data
					if strings.HasPrefix(what, "hostile") {
						shown = map[string]string{"name": data["name"], "link": data["link"], "code": data["code"],
							"device": "Firehttps evil.example/fox", "place": "<script>alert(1)</script>", "address": "<b>192.0.2.7"}
					}
					mailtest.Check(t, what+" in "+l, mailtest.Mail{Subject: r.Subject, Text: r.Text, HTML: r.HTML}, shown)
					subjects[r.Subject] = true
					if strings.HasPrefix(what, "full") {
						leads[r.Text] = true
					}
				}
			}
			if full := len(methodsOf(string(words))) * len(lang.All()); len(leads) != full {
				t.Errorf("%d different texts, want %d", len(leads), full)
			}
			if len(subjects) != len(lang.All()) {
				t.Errorf("%d subjects in %d languages: %v", len(subjects), len(lang.All()), subjects)
			}
		})
	}
}

// A new password takes nothing back that an intruder has set up, such as a link to files. The mails
// about a repair say so.
func TestWordsOfARepair(t *testing.T) {
	for kind, room := range map[string]string{"password-reset": "recovery", "recovery-stopped": "recovery", "email-restored": "account"} {
		for l, stays := range map[string][]string{"en": {"links to files", "pins"}, "de": {"Links zu Dateien", "Pins"}} {
			words, err := os.ReadFile("../../internal/" + room + "/words/" + kind + "." + l + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(words), `{{define "rest"}}`)
			for _, what := range stays {
				if !strings.Contains(rest, what) {
					t.Errorf("%s in %s says nothing of %s", kind, l, what)
				}
			}
		}
	}
}

// lostPassword finds the promise of a new password.
var lostPassword = regexp.MustCompile(`(?i)forgot`)

// headers are the values of X-Coffer-Kind that the contract names.
var headers = map[string]string{
	"verify-email": "verify-email", "sign-up-exists": "sign-up-exists", "new-device": "new-device",
	"change-email": "change-email", "change-email-exists": "security-notice", "change-email-notice": "change-email-notice",
	"email-changed": "security-notice", "email-yours": "security-notice", "email-restored": "security-notice", "account-deleted": "account-deleted",
	"refresh-reuse": "security-notice", "security-alert": "security-notice", "totp-enabled": "security-notice", "totp-disabled": "security-notice", "totp-locked": "security-notice",
	"sms-enabled": "security-notice", "sms-changed": "security-notice", "sms-disabled": "security-notice",
	"passkey-added": "security-notice", "passkey-removed": "security-notice", "passkey-cloned": "security-notice",
	"files-received": "files-received", "pin-failed": "pin-failed",
	"unlock": "unlock", "unlock-guesses": "unlock",
	"email-code": "email-code", "email-otp-enabled": "security-notice", "email-otp-disabled": "security-notice",
	"security-question-enabled": "security-notice", "security-question-changed": "security-notice", "security-question-disabled": "security-notice",
	"reset-password": "reset-password", "activate": "activate", "password-changed": "security-notice", "password-set": "security-notice", "password-reset": "security-notice",
	"ledger-checkpoint":    "ledger-checkpoint",
	"backup-codes-enabled": "security-notice", "backup-codes-regenerated": "security-notice", "backup-codes-disabled": "security-notice", "recovery-backup": "recovery",
	"account-deactivated": "security-notice", "account-suspended": "security-notice", "account-resumed": "security-notice", "account-activated": "security-notice", "always-ask-off": "security-notice",
	"trusted-email": "trusted-email", "trusted-email-asked": "security-notice", "trusted-email-set": "security-notice", "trusted-email-dropped": "security-notice",
	"identity-linked": "security-notice", "identity-unlinked": "security-notice",
	"recovery-trusted": "recovery", "recovery-used": "recovery", "recovery-stopped": "security-notice",
}

// dataOf returns data for words, which show whether they need a link or a code.
func dataOf(words string) map[string]map[string]string {
	all := map[string]map[string]string{
		"full":  {"name": "Ada", "time": "2026-11-20T10:05:00Z", "device": "Firefox on Linux", "place": "Zürich", "address": "192.0.2.7"},
		"least": {},
		"hostile": {"name": `<b>"Ada"</b>`, "time": "2026-11-20T10:05:00Z", "device": "Fire\r\n\r\nhttps\x00 evil.example/\u202efox",
			"place": "<script>alert(1)</script>", "address": "<b>\x1b192.0.2.7"},
	}
	for what, data := range maps.Clone(all) {
		if what == "least" {
			continue
		}
		for i, method := range methodsOf(words) {
			if i > 0 {
				data = maps.Clone(data)
				all[what+" by "+method] = data
			}
			if method != "" {
				data["method"] = method
			}
		}
	}
	for _, data := range all {
		if strings.Contains(words, `define "action"`) {
			data["link"] = "https://coffer.test/somewhere#token=AbC-_123"
		}
		if strings.Contains(words, `define "code"`) {
			data["code"] = "123456"
		}
	}
	return all
}

// methodsOf returns the methods that words tell apart; "" when they know none.
func methodsOf(words string) []string {
	if strings.Contains(words, `"method"`) {
		return []string{session.AMRBackupCode, session.AMRTrusted}
	}
	return []string{""}
}
