package recovery_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/mail"
	"coffer/internal/rest"
)

// linkOf returns the token of the link in the last mail of a kind.
func linkOf(mails []mail.Message, kind string) (token string) {
	for _, m := range mails {
		if m.Kind == kind {
			_, token, _ = strings.Cut(m.Data["link"], "#token=")
		}
	}
	return token
}

// An intruder with a fresh proof begins a way back. An owner who shuts the session out takes back
// what its holder could complete without it: the link to a trusted address, and codes that wait.
// The link of a reset, which an intruder could void this way, stays.
func TestShutOutSessionLeavesNothingBegun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		for _, how := range []string{"ended", "others", "mailed", "reused"} {
			id := w.Join(how)
			w.is(w.signIn(how, oldPassword, nil), 201, "")
			reset := w.forgot(how)
			body := fields{"identifier": how, "password": oldPassword, "refresh_in": "body"}
			in := w.is(w.call("203.0.113.9", "POST", "/auth/sign-in", "", body), 201, "")
			w.twoLayers(id)
			intruder := rest.Caller{Account: string(id), Session: in.SessionID, AAL: in.AAL}
			if err := errors.Join(w.back.AskTrusted(ctx, intruder, "eve@evil.example", wherever), errOf(w.back.MakeBackup(ctx, intruder, false))); err != nil {
				t.Fatal(err)
			}
			mails := w.Mails()
			var err error
			switch how {
			case "ended":
				err = w.sessions.Revoke(ctx, id, in.SessionID)
			case "others":
				err = w.sessions.RevokeAll(ctx, id, "")
			case "mailed":
				err = w.sessions.EndDevice(ctx, linkOf(mails, "new-device"))
			case "reused":
				w.is(w.post("/auth/refresh", fields{"refresh_token": in.RefreshToken}), 201, "")
				w.Advance(time.Minute)
				w.is(w.post("/auth/refresh", fields{"refresh_token": in.RefreshToken}), 401, "invalid_refresh_token")
			}
			if err != nil {
				t.Fatalf("%s: %v", how, err)
			}
			if got := w.verifyTrusted(linkOf(mails, "trusted-email")); got.Code != "link_gone" {
				t.Errorf("%s: the intruder's address: %d %s", how, got.Status, got.Raw)
			}
			if b := w.readBackup(id); len(b.Pending) > 0 {
				t.Errorf("%s: codes that the intruder knows wait for the owner", how)
			}
			w.is(w.post("/auth/password/reset/check", fields{"token": reset}), 204, "")
		}
	})
}

// A session that ended while its request ran changes no backup codes.
func TestEndedSessionChangesNoBackupCodes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		id := w.Join("ada")
		in := w.is(w.signIn("ada", oldPassword, nil), 201, "")
		w.twoLayers(id)
		codes := w.withCodes(id)
		intruder := rest.Caller{Account: string(id), Session: in.SessionID, AAL: in.AAL}
		if err := w.sessions.Revoke(ctx, id, in.SessionID); err != nil {
			t.Fatal(err)
		}
		w.makeCodes(id, true)
		for what, err := range map[string]error{
			"make": errOf(w.back.MakeBackup(ctx, intruder, true)), "confirm": w.back.ConfirmBackup(ctx, intruder), "drop": w.back.DropBackup(ctx, intruder),
		} {
			if codeOf(err) != "unauthenticated" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if b := w.readBackup(id); len(b.Codes) != len(codes) || b.Codes[0].Code != codes[0] {
			t.Errorf("the codes are %+v", b)
		}
	})
}
