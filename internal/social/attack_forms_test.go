package social

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/social/socialtest"
)

// proof is a credential of Google for a new key.
func (w *world) proof(who socialtest.Person) (TokenProof, session.SessionRequest) {
	w.t.Helper()
	k, public := key(w.t)
	secret := []byte(strings.Repeat("s", 32))
	bound := sha256.Sum256(append(k.PublicKey().Bytes(), secret...))
	raw := w.google.Sign(w.google.Claims(who, b64.EncodeToString(bound[:])))
	return TokenProof{raw, b64.EncodeToString(secret), k.PublicKey().Bytes()}, session.SessionRequest{RefreshIn: "body", PublicKey: public}
}

// An id_token works once in whatever form it is written: decoders skip line breaks, and some
// ignore the bits that are left over.
func TestAttackOtherForms(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p, r := w.proof(ada)
	if _, err := w.Token(t.Context(), p, Newcomer{}, r, here); err != nil {
		t.Fatal(err)
	}
	whole := p.IDToken
	parts := strings.Split(whole, ".")
	for name, form := range map[string]string{
		"as it was":                  whole,
		"a line break in the header": whole[:4] + "\n" + whole[4:],
		"a line break in the claims": parts[0] + "." + parts[1][:9] + "\r\n" + parts[1][9:] + "." + parts[2],
		"a line break at the end":    parts[0] + "." + parts[1] + "\n." + parts[2],
		"bits that are left over":    parts[0] + "." + loose(parts[1]) + "." + parts[2],
		"and in the header":          loose(parts[0]) + "." + parts[1] + "." + parts[2],
		"spaces around it":           " " + whole + " ",
	} {
		p.IDToken = form
		if _, err := w.Token(t.Context(), p, Newcomer{}, r, here); codeOf(err) != "invalid_id_token" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// loose sets bits that a decoder which is not strict ignores; the text itself when there are
// none.
func loose(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(text)%4 == 0 {
		return text
	}
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[last^1])
}

// A claim has one name, and stands once.
func TestAttackClaimNames(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	mallory := socialtest.Person{Subject: "mallory", Email: "mallory@social.example"}
	tell := func(who socialtest.Person, without, more string) error {
		w.google.Become(who)
		w.google.Lie(forged(func(c map[string]any) string {
			delete(c, without)
			raw, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			return w.google.SignText(string(raw[:len(raw)-1]) + more)
		}))
		b := w.browser()
		_, err := w.back(google, b, w.goes(google, b, signIn, rest.Caller{}))
		return err
	}
	for name, more := range map[string]string{
		"email_verified in capitals": `,"EMAIL_VERIFIED":true}`,
		"email_verified twice":       `,"email_verified":true}`,
		"with a long s":              `,"\u017fub":"ada-1"}`,
		"email in capitals":          `,"EMAIL":"victim@social.example"}`,
		"sub in capitals":            `,"SUB":"ada-1"}`,
		"sub twice":                  `,"sub":"ada-1"}`,
	} {
		if err := tell(mallory, "", more); codeOf(err) != "invalid_id_token" {
			t.Errorf("%s: %v", name, err)
		}
		if err := tell(socialtest.Person{Subject: "m", Email: "m@social.example", Verified: true}, "", more); codeOf(err) != "invalid_id_token" {
			t.Errorf("%s, of a verified address: %v", name, err)
		}
	}
	if err := tell(mallory, "email_verified", `,"EMAIL_VERIFIED":true}`); codeOf(err) != "email_unverified" {
		t.Errorf("in capitals alone: %v", err)
	}
	w.google.Lie(socialtest.Lies{
		Claims: func(c map[string]any) { delete(c, "email") },
		UserInfo: func(i map[string]any) {
			delete(i, "email_verified")
			i["EMAIL_VERIFIED"] = true
		},
	})
	b := w.browser()
	if _, err := w.back(google, b, w.goes(google, b, signIn, rest.Caller{})); codeOf(err) != "email_unverified" {
		t.Errorf("in capitals in userinfo: %v", err)
	}
}

// From the moment its deletion is decided, an account is unknown to its identity.
func TestAttackDeleting(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.google.Become(ada)
	c := w.signsIn(google)
	w.Accounts.Keep("stuck", account.Keeper{Forget: func(context.Context, *db.Tx, account.ID) error { return errors.New("a store is down") }})
	if err := w.Accounts.Delete(t.Context(), account.ID(c.Account)); err == nil {
		t.Fatal("the store was up")
	}
	b := w.browser()
	if _, err := w.exchange(w.code(google, b, signIn, rest.Caller{}), b); codeOf(err) != "link_gone" {
		t.Error(err)
	}
}

// The owner of an address is told of the account that a provider's word has made under it.
func TestAttackUntold(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.google.Become(ada)
	w.signsIn(google)
	if told := w.below.Told(); !slices.Contains(told, ada.Email+" identity-linked") {
		t.Errorf("told: %q", told)
	}
	w.signsIn(google)
	if told := w.below.Told(); len(told) != 0 {
		t.Errorf("told again: %q", told)
	}
}
