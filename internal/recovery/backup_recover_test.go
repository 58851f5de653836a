package recovery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// useCode recovers with a password and a backup code.
func (w *world) useCode(name, password, code string) reply {
	w.t.Helper()
	return w.post("/auth/recovery/backup-code", fields{"identifier": name, "password": password, "code": code, "refresh_in": "body"})
}

// mailCode asks for a link with a backup code alone, from an address.
func (w *world) mailCode(from, name, code string) reply {
	w.t.Helper()
	return w.call(from, "POST", "/auth/recovery/backup-code", "", fields{"identifier": name, "code": code})
}

// linkFor asks for a link with a backup code and returns its token.
func (w *world) linkFor(name, code string) string {
	w.t.Helper()
	w.Mails()
	w.is(w.mailCode(home, name, code), 202, "")
	token, ok := strings.CutSuffix(w.tokenIn("recovery-backup", "/recover"), "&way=backup-code")
	if !ok {
		w.t.Fatalf("the link %q", token)
	}
	return token
}

func (w *world) useLink(token string) reply {
	w.t.Helper()
	return w.post("/auth/recovery/backup-code/confirm", fields{"token": token, "refresh_in": "body"})
}

// coded is an account with two layers and ten backup codes.
func (w *world) coded(name string) (account.ID, []string) {
	w.t.Helper()
	id := w.Join(name)
	w.twoLayers(id)
	codes := w.withCodes(id)
	w.Mails()
	return id, codes
}

const wrongBackup = "000000000000"

// Password and code open a strong recovery session, once. A caller with the password learns
// what is wrong with a code. Other callers do not.
func TestRecoverBackup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, old := w.coded("ada")
		_, hers := w.coded("eve")
		w.is(w.useCode("ada", oldPassword, old[1]), 201, "")
		codes := w.withCodes(ada)
		waits := w.makeCodes(ada, true)
		w.Mails()
		got := w.is(w.useCode("ada@canary.example", oldPassword, codes[0][:4]+" "+codes[0][4:8]+"-"+codes[0][8:]), 201, "")
		if got.AAL != "recovery" || !slices.Equal(got.AMR, []string{"pwd", "backup_code"}) || got.DeviceToken != "" {
			t.Errorf("the session: %+v", got)
		}
		if told := w.told(); told != "ada@canary.example recovery-used" {
			t.Errorf("told: %s", told)
		}
		b, line := w.readBackup(ada), w.backupLine(ada)
		if b.Codes[0].UsedAt == nil || !b.Codes[0].UsedAt.Equal(w.Now()) || b.Codes[1].UsedAt != nil || *line.Left != 9 || line.LastUsed == nil {
			t.Errorf("after one was used: %+v, %+v", b, line)
		}
		for what, c := range map[string]struct{ code, want string }{
			"wrong": {wrongBackup, "401 invalid_code"}, "used": {codes[0], "410 code_used"}, "replaced": {old[0], "410 code_replaced"},
			"used and replaced": {old[1], "410 code_replaced"}, "another's": {hers[0], "401 invalid_code"}, "not confirmed": {waits[0], "401 invalid_code"},
			"short": {codes[1][:11], "422 validation_failed"}, "in other digits": {strings.Repeat("١", 12), "422 validation_failed"},
		} {
			if got := said(w.useCode("ada", oldPassword, c.code)); got != c.want {
				t.Errorf("a code that is %s: %s, want %s", what, got, c.want)
			}
		}
		var want string
		for n, code := range []string{wrongBackup, codes[0], codes[1], old[0], hers[0]} {
			for _, name := range []string{"ada", "nobody"} {
				got := w.is(w.useCode(name, "wrong otters 42", code), 401, "invalid_credentials")
				text, _, _ := strings.Cut(got.Raw, `"request_id"`)
				if want == "" {
					want = text
				}
				if text != want {
					t.Errorf("try %d at %s tells more: %s, not %s", n, name, text, want)
				}
			}
		}
		if got := w.useCode("eve", oldPassword, hers[0]); got.Status != 201 {
			t.Errorf("another's tries took the code: %+v", got)
		}
	})
}

// The owner of a deactivated account learns so after the full proof, which stays good.
func TestRecoverBackupDeactivated(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		access := w.is(w.signIn("ada", oldPassword, nil), 201, "").AccessToken
		w.twoLayers(ada)
		codes := w.withCodes(ada)
		w.deactivate(access)
		w.is(w.useCode("ada", "wrong otters 42", codes[0]), 401, "invalid_credentials")
		w.is(w.useCode("ada", oldPassword, wrongBackup), 401, "invalid_code")
		w.is(w.useCode("ada", oldPassword, codes[0]), 403, "account_deactivated")
		token := w.linkFor("ada", codes[0])
		w.is(w.useLink(token), 403, "account_deactivated")
		if b := w.readBackup(ada); b.Codes[0].UsedAt != nil {
			t.Error("the code is used up")
		}
		w.is(w.post("/auth/recovery/backup-code/confirm/check", fields{"token": token}), 204, "")
	})
}

// Of twenty uses of one code at once one opens a session.
func TestBackupCodeOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada, codes := w.coded("ada")
		got := race(20, func(int) string { return said(w.useCode("ada", oldPassword, codes[3])) })
		if got["201"] != 1 || got["201"]+got["410 code_used"]+got["429 rate_limited"] != 20 {
			t.Errorf("with the password: %v", got)
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions WHERE account = $1`, string(ada)); n != 1 {
			t.Errorf("%d sessions", n)
		}
		one, two := w.linkFor("ada", codes[4]), w.linkFor("ada", codes[4])
		got = race(20, func(i int) string { return said(w.useLink([]string{one, two}[i%2])) })
		if got["201"] != 1 || got["410 link_gone"] != 19 {
			t.Errorf("with two links: %v", got)
		}
	})
}

// A use meets the moment at which backup codes are turned off or replaced: it opens a session
// before, and nothing after.
func TestBackupCodeRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		for n := range 6 {
			name := fmt.Sprintf("ada%d", n)
			id, codes := w.coded(name)
			end, want := w.back.DropBackup, "401 invalid_code"
			if n%2 == 1 {
				w.makeCodes(id, true)
				end, want = w.back.ConfirmBackup, "410 code_replaced"
			}
			var used string
			got := race(2, func(i int) string {
				if i == 0 {
					return codeOf(end(context.Background(), caller(id)))
				}
				used = said(w.useCode(name, oldPassword, codes[0]))
				return ""
			})
			if got["<nil>"] != 1 || used != "201" && used != want {
				t.Errorf("round %d: %v, the use %s", n, got, used)
			}
			if used = said(w.useCode(name, oldPassword, codes[1])); used != want {
				t.Errorf("round %d, after it: %s", n, used)
			}
		}
	})
}

// Without the password every answer is the same, and only a live code mails a link. The code
// is used up when the link is.
func TestMailedBackup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, old := w.coded("ada")
		codes := w.withCodes(ada)
		w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		off := w.Join("bob")
		w.twoLayers(off)
		w.Mails()
		want := w.mailCode(home, "ada", codes[1])
		if told := w.told(); told != "ada@canary.example recovery-backup" {
			t.Errorf("told: %s", told)
		}
		for what, c := range map[string][2]string{
			"wrong": {"ada", wrongBackup}, "used": {"ada", codes[0]}, "replaced": {"ada", old[0]}, "off": {"bob", codes[1]}, "nobody's": {"nobody", codes[1]},
		} {
			got := w.mailCode(home, c[0], c[1])
			if got.Status != 202 || got.Raw != want.Raw {
				t.Errorf("a code that is %s: %d %s", what, got.Status, got.Raw)
			}
			if n := w.count(`SELECT COUNT(*) FROM jobs`); n != 1 {
				t.Errorf("a code that is %s makes %d jobs", what, n)
			}
			if told := w.told(); told != "" {
				t.Errorf("a code that is %s: told %s", what, told)
			}
		}
		w.is(w.mailCode(home, "ada", "12345"), 422, "validation_failed")

		token := w.linkFor("ada", codes[1])
		for range 2 {
			w.is(w.post("/auth/recovery/backup-code/confirm/check", fields{"token": token}), 204, "")
		}
		if w.readBackup(ada).Codes[1].UsedAt != nil {
			t.Error("asking for a link uses the code up")
		}
		got := w.is(w.useLink(token), 201, "")
		if got.AAL != "recovery" || !slices.Equal(got.AMR, []string{"email", "backup_code"}) {
			t.Errorf("the session: %+v", got)
		}
		if w.readBackup(ada).Codes[1].UsedAt == nil {
			t.Error("the link leaves the code good")
		}
		if told := w.told(); told != "ada@canary.example recovery-used" {
			t.Errorf("told: %s", told)
		}

		used := w.linkFor("ada", codes[2])
		w.is(w.useCode("ada", oldPassword, codes[2]), 201, "")
		late := w.linkFor("ada", codes[3])
		w.Advance(w.Accounts.LinkTTL)
		replaced := w.linkFor("ada", codes[4])
		w.withCodes(ada)
		for what, link := range map[string]string{
			"used": token, "of a code used meanwhile": used, "expired": late, "of a replaced code": replaced, "of another purpose": w.forgot("ada"), "none": "x",
		} {
			w.is(w.post("/auth/recovery/backup-code/confirm/check", fields{"token": link}), 410, "link_gone")
			if got := said(w.useLink(link)); got != "410 link_gone" {
				t.Errorf("a link that is %s: %s", what, got)
			}
		}
		w.is(w.post("/auth/password/reset", fields{"token": w.linkFor("ada", w.readBackup(ada).Codes[0].Code), "password": newPassword}), 410, "link_gone")
	})
}

// A reset ends the links that a code was mailed with, and the code stays.
func TestMailedBackupEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, codes := w.coded("ada")
		token := w.linkFor("ada", codes[0])
		w.is(w.reset(w.forgot("ada"), newPassword), 202, "")
		w.is(w.useLink(token), 410, "link_gone")
		if w.readBackup(ada).Codes[0].UsedAt != nil {
			t.Error("the code is used up")
		}
		w.is(w.useCode("ada", newPassword, codes[0]), 201, "")
	})
}

// Ten wrong codes in an hour stop a way. The two ways count apart, and so do strangers.
func TestBackupLimits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		_, codes := w.coded("ada")
		const stranger = "203.0.113.9"
		for range 10 {
			w.is(w.mailCode(stranger, "ada", wrongBackup), 202, "")
		}
		w.Mails()
		w.is(w.mailCode(stranger, "ada", codes[0]), 202, "")
		if told := w.told(); told != "" {
			t.Errorf("after ten wrong codes: %s", told)
		}
		w.linkFor("ada", codes[0]) // from elsewhere
		for range 10 {
			w.is(w.useCode("ada", oldPassword, wrongBackup), 401, "invalid_code")
		}
		got := w.is(w.useCode("ada", oldPassword, codes[1]), 429, "rate_limited")
		if got.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		w.Advance(2 * time.Hour)
		for n := range 10 {
			w.is(w.useCode("ada", oldPassword, codes[n]), 201, "")
		}
		if told := len(w.mailed("recovery-used")); told != 10 {
			t.Errorf("%d notices", told)
		}
	})
}

// A writer of the database brings no code to life, and takes none to another account.
func TestAttackBackupWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, old := w.coded("ada")
		eve, hers := w.coded("eve")
		codes := w.withCodes(ada)
		w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		waits := w.makeCodes(ada, true)
		w.exec(`UPDATE backup_codes SET state = 'live', used_at = NULL, confirmed_at = 1 WHERE account = $1`, string(ada))
		for what, c := range map[string]struct{ code, want string }{
			"used": {codes[0], "410 code_used"}, "old": {old[0], "410 code_replaced"}, "pending": {waits[0], "401 invalid_code"},
		} {
			if got := said(w.useCode("ada", oldPassword, c.code)); got != c.want {
				t.Errorf("a code that was %s: %s, want %s", what, got, c.want)
			}
		}
		w.exec(`UPDATE backup_codes SET state = 'pending', made_at = $2 WHERE account = $1`, string(ada), w.Now().UnixMilli())
		if err := w.back.ConfirmBackup(context.Background(), caller(ada)); err != nil {
			t.Fatal(err)
		}
		w.is(w.useCode("ada", oldPassword, codes[0]), 401, "invalid_code")
		w.exec(`UPDATE backup_codes SET account = $1 WHERE account = $2`, string(ada), string(eve))
		w.is(w.useCode("ada", oldPassword, hers[0]), 401, "invalid_code")
		if b := w.readBackup(ada); slices.Contains(shown(b), hers[1]) {
			t.Errorf("another's codes are shown: %+v", b)
		}
		if !strings.Contains(w.log.String(), "altered") {
			t.Error("the log tells nothing")
		}
	})
}
