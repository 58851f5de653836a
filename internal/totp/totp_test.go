package totp

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit/limittest"
	"coffer/internal/seal"
)

// RFC 6238 appendix B, SHA-1: its codes have eight digits, ours are their last six.
func TestRFC6238(t *testing.T) {
	secret := []byte("12345678901234567890")
	for _, tc := range []struct {
		unix int64
		code string
	}{
		{59, "94287082"}, {1111111109, "07081804"}, {1111111111, "14050471"},
		{1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"},
	} {
		for steps, want := range map[int64]bool{-1: false, 0: true, 1: true, 2: false} {
			step, ok := match(secret, tc.code[2:], time.Unix(tc.unix+steps*period, 0))
			if ok != want || ok && step != tc.unix/period {
				t.Errorf("code of %d, %d steps on: step %d, %t; want %t", tc.unix, steps, step, ok, want)
			}
		}
	}
}

func TestOathtoolAgrees(t *testing.T) {
	tool, err := exec.LookPath("oathtool")
	if err != nil {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatal("oathtool is not installed")
		}
		t.Skip("oathtool, which makes codes independently of us, is not installed")
	}
	w := newWorld(t, dbtest.SQLite(t))
	id := w.below.Join("ada")
	secret := w.enabled(id)
	for range 5 {
		out, err := exec.Command(tool, "--totp", "--base32", "--now", w.Now().UTC().Format("2006-01-02 15:04:05 UTC"), secret).Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.use(id, strings.TrimSpace(string(out))); err != nil {
			t.Errorf("oathtool's code %s: %v", out, err)
		}
		w.below.Advance(12345 * time.Second)
	}
}

func TestMalformedCodesAreWrong(t *testing.T) {
	for _, code := range []string{"", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", strings.Repeat("1", 1<<16)} {
		if _, ok := match([]byte("12345678901234567890"), code, time.Unix(59, 0)); ok {
			t.Errorf("%.20q passes", code)
		}
	}
	if _, ok := match([]byte("12345678901234567890"), "287 082", time.Unix(59, 0)); !ok {
		t.Error("a code written in two groups does not pass")
	}
}

func TestLifeOfALayer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.below.Join("ada")
		if w.isOn(id) {
			t.Fatal("on before anything")
		}
		if err := w.Confirm(ctx, by(id), "123456"); !errors.Is(err, errNotPending) {
			t.Errorf("confirm before set-up: %v", err)
		}
		if _, err := w.Pending(ctx, by(id)); !errors.Is(err, errNotPending) {
			t.Errorf("QR before set-up: %v", err)
		}
		first, err := w.Enrol(ctx, by(id))
		if err != nil {
			t.Fatal(err)
		}
		second, err := w.Enrol(ctx, by(id)) // replaces the first
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.Pending(ctx, by(id)); err != nil || !cmp.Equal(again, second) {
			t.Errorf("the pending enrolment reads %+v, %v", again, err)
		}
		if first.Secret == second.Secret || w.isOn(id) {
			t.Error("a secret twice, or on while pending")
		}
		if err := w.use(id, w.code(second.Secret, 0)); !errors.Is(err, errCode) {
			t.Errorf("a pending secret passes a sign-in: %v", err)
		}
		if err := w.Confirm(ctx, by(id), w.code(first.Secret, 0)); !errors.Is(err, errCode) {
			t.Errorf("a code of the void secret: %v", err)
		}
		spent := w.code(second.Secret, 0)
		if err := w.Confirm(ctx, by(id), spent); err != nil {
			t.Fatal(err)
		}
		if got, want := w.below.Told(), []string{"ada@canary.example totp-enabled"}; !w.isOn(id) || !cmp.Equal(got, want) {
			t.Errorf("on %t, mails %v, want %v", w.isOn(id), got, want)
		}
		for name, err := range map[string]error{
			"the confirming code":   w.use(id, spent),
			"the code before it":    w.use(id, w.code(second.Secret, -1)),
			"the code after it":     w.use(id, w.code(second.Secret, 1)),
			"of another account":    w.use(w.below.Join("bob"), w.code(second.Secret, 0)),
			"a wrong code":          w.use(id, w.wrong(second.Secret)),
			"of the replaced phone": w.use(id, w.code(first.Secret, 0)),
		} {
			if !errors.Is(err, errCode) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.Enrol(ctx, by(id)); !errors.Is(err, errEnabled) {
			t.Errorf("set-up while on: %v", err)
		}
		if _, err := w.Pending(ctx, by(id)); !errors.Is(err, errNotPending) {
			t.Errorf("the secret is shown again: %v", err)
		}
		w.below.Advance(2 * period * time.Second)
		late := w.code(second.Secret, -1)
		if err := w.use(id, late); err != nil {
			t.Errorf("the step before: %v", err)
		}
		if err := w.use(id, w.code(second.Secret, 0)); err != nil {
			t.Errorf("the current step: %v", err)
		}
		if err := w.use(id, late); !errors.Is(err, errCode) {
			t.Errorf("an older step after a newer one: %v", err)
		}
		for range 2 { // once more is no error, and no second mail
			if err := w.Disable(ctx, by(id), false); err != nil {
				t.Fatal(err)
			}
		}
		w.below.Advance(period * time.Second)
		if got, want := w.below.Told(), []string{"ada@canary.example totp-disabled"}; w.isOn(id) || !cmp.Equal(got, want) {
			t.Errorf("on %t, mails %v, want %v", w.isOn(id), got, want)
		}
		if err := w.use(id, w.code(second.Secret, 0)); !errors.Is(err, errCode) {
			t.Errorf("a code of the layer that was turned off: %v", err)
		}
	})
}

func TestOneCodeTwentyTimesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		secret := w.enabled(id)
		for round := range 5 {
			code := w.code(secret, 0)
			if got := limittest.AtOnce(20, func() error { return w.use(id, code) }); got != 1 {
				t.Errorf("round %d: %d of 20 passed, want 1", round, got)
			}
			w.below.Advance(period * time.Second)
		}
	})
}

func TestOneConfirmationTwentyTimesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		e, err := w.Enrol(t.Context(), by(id))
		if err != nil {
			t.Fatal(err)
		}
		code := w.code(e.Secret, 0)
		if got := limittest.AtOnce(20, func() error { return w.Confirm(context.Background(), by(id), code) }); got != 1 {
			t.Errorf("%d of 20 confirmed, want 1", got)
		}
		if got := w.below.Told(); len(got) != 1 {
			t.Errorf("mails %v, want one", got)
		}
	})
}

func TestFiveWrongCodesEndTheSetUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		for _, wrongs := range []int{4, 5} {
			e, err := w.Enrol(t.Context(), by(id))
			if err != nil {
				t.Fatal(err)
			}
			for range wrongs {
				if err := w.Confirm(t.Context(), by(id), w.wrong(e.Secret)); !errors.Is(err, errCode) {
					t.Fatalf("wrong code: %v", err)
				}
			}
			err = w.Confirm(t.Context(), by(id), w.code(e.Secret, 0))
			if dead := errors.Is(err, errNotPending); dead != (wrongs == maxTries) || !dead && err != nil {
				t.Errorf("the right code after %d wrong ones: %v", wrongs, err)
			}
			if err := w.Disable(t.Context(), by(id), false); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestASetUpExpires(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.below.Join("ada")
	e, err := w.Enrol(t.Context(), by(id))
	if err != nil {
		t.Fatal(err)
	}
	w.below.Advance(pendingFor)
	if _, err := w.Pending(t.Context(), by(id)); !errors.Is(err, errNotPending) {
		t.Errorf("QR after an hour: %v", err)
	}
	if err := w.Confirm(t.Context(), by(id), w.code(e.Secret, 0)); !errors.Is(err, errNotPending) {
		t.Errorf("confirmed after an hour: %v", err)
	}
}

func TestAHundredWrongCodesLockTheLayer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		secret := w.enabled(id)
		w.below.Told()
		fail := func(n int) {
			t.Helper()
			for range n {
				// As an attempt does: what a wrong code counts stays.
				err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
					if err := w.spend(t.Context(), tx, id, w.wrong(secret)); !errors.Is(err, errCode) && !errors.Is(err, errLocked) {
						return fmt.Errorf("a wrong code: %w", err)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		fail(maxFailures - 1)
		if err := w.use(id, w.code(secret, 0)); err != nil { // and the count begins anew
			t.Fatal(err)
		}
		fail(maxFailures - 1)
		if got := w.below.Told(); len(got) != 0 {
			t.Errorf("mails before the lock: %v", got)
		}
		fail(3)
		w.below.Advance(365 * 24 * time.Hour)
		if err := w.use(id, w.code(secret, 0)); !errors.Is(err, errLocked) {
			t.Errorf("the right code after a hundred wrong ones and a year: %v", err)
		}
		if got, want := w.below.Told(), []string{"ada@canary.example totp-locked"}; !cmp.Equal(got, want) {
			t.Errorf("mails %v, want %v", got, want)
		}
		if err := w.Disable(t.Context(), by(id), false); err != nil {
			t.Fatal(err)
		}
		again := w.enabled(id)
		if err := w.use(id, w.code(again, 0)); err != nil {
			t.Errorf("after a new set-up: %v", err)
		}
	})
}

func TestWhatTheEnrolmentSays(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	e, err := w.Enrol(t.Context(), by(w.below.Join("ada")))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.Secret)
	if err != nil || len(raw) != 20 {
		t.Errorf("secret %q: %d bytes, %v; want 20", e.Secret, len(raw), err)
	}
	u, err := url.Parse(e.URI)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"secret": {e.Secret}, "issuer": {"Coffer"}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	if diff := cmp.Diff(want, u.Query()); diff != "" || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Coffer:ada@canary.example" {
		t.Errorf("%s %s", e.URI, diff)
	}
	picture, err := png.Decode(bytes.NewReader(e.PNG))
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(e.URI, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	side := code.Bounds().Dx() + 2*quietZone
	if got := picture.Bounds().Dx(); got != side*modulePixels {
		t.Fatalf("%d pixels wide, want %d", got, side*modulePixels)
	}
	for y := range side {
		for x := range side {
			r, _, _, _ := picture.At(x*modulePixels+modulePixels/2, y*modulePixels+modulePixels/2).RGBA()
			if got, want := r == 0, dark(code, x-quietZone, y-quietZone); got != want {
				t.Fatalf("square %d,%d is dark %t, want %t", x, y, got, want)
			}
		}
	}
}

// Nothing in the table is readable, and a secret opens in its account's row only.
func TestSecretsAreSealed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, bob := w.below.Join("ada"), w.below.Join("bob")
		secret := w.enabled(ada)
		w.enabled(bob)
		raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
		if err != nil {
			t.Fatal(err)
		}
		var stored []byte
		if err := d.QueryRow(t.Context(), `SELECT secret FROM totp WHERE account = $1`, string(ada)).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		for _, canary := range [][]byte{raw, []byte(secret), []byte(hex.EncodeToString(raw))} {
			if bytes.Contains(stored, canary) {
				t.Errorf("the row holds %q in clear", canary)
			}
		}
		if _, err := d.Exec(t.Context(), `UPDATE totp SET secret = $1 WHERE account = $2`, stored, string(bob)); err != nil {
			t.Fatal(err)
		}
		if err := w.use(bob, w.code(secret, 0)); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("ada's secret in bob's row: %v, want seal.ErrOpen", err)
		}
	})
}

func TestForgottenWithItsAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		w.enabled(id)
		if err := w.Accounts.Forget(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM totp`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows left, %v", n, err)
		}
	})
}

// The security page says since when the layer is on. A layer whose row is gone stays on, as
// sign-in still asks for it.
func TestProtection(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		is := func(want account.Protection) {
			t.Helper()
			got, err := w.Accounts.Security(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got["totp"]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
		is(account.Protection{})
		if _, err := w.Enrol(t.Context(), by(id)); err != nil {
			t.Fatal(err)
		}
		is(account.Protection{})
		since := w.Now().UTC()
		w.enabled(id)
		w.below.Advance(time.Hour)
		is(account.Protection{Enabled: true, Since: &since})
		if _, err := d.Exec(t.Context(), `DELETE FROM totp WHERE account = $1`, string(id)); err != nil {
			t.Fatal(err)
		}
		is(account.Protection{Enabled: true})
		if err := w.Disable(t.Context(), by(id), false); err != nil {
			t.Fatal(err)
		}
		is(account.Protection{})
	})
}

// What happens to the layer is told to every verified address, and to no other.
func TestEveryVerifiedAddressIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		w.below.Address(id, "second", "ada@second.example", true)
		w.below.Address(id, "third", "ada@third.example", false)
		told := func(kind string) {
			t.Helper()
			got := w.below.Told()
			slices.Sort(got)
			if want := []string{"ada@canary.example " + kind, "ada@second.example " + kind}; !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		secret := w.enabled(id)
		told(enabled)
		for n := range maxFailures {
			if n == maxFailures-1 {
				// The wrong code that locks the layer, in a transaction that is undone.
				if err := w.use(id, w.wrong(secret)); !errors.Is(err, errCode) {
					t.Fatal(err)
				}
				if got := w.below.Told(); len(got) != 0 {
					t.Errorf("a transaction that was undone told %q", got)
				}
			}
			err := d.Tx(t.Context(), func(tx *db.Tx) error {
				if err := w.spend(t.Context(), tx, id, w.wrong(secret)); !errors.Is(err, errCode) {
					return fmt.Errorf("a wrong code: %w", err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		told(locked)
		if err := w.Disable(t.Context(), by(id), false); err != nil {
			t.Fatal(err)
		}
		told(disabled)
	})
}

// A layer that a recovery method needs stays on until the owner agrees that both go, and the
// security page tells when a code was last used.
func TestRecoveryKeepsTheLayer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		secret := w.enabled(id)
		line := func() account.Protection {
			t.Helper()
			lines, err := w.Accounts.Security(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return lines[name]
		}
		if p := line(); p.LastUsed != nil {
			t.Errorf("the set-up counts as a use: %v", p.LastUsed)
		}
		if err := w.use(id, w.code(secret, 0)); err != nil {
			t.Fatal(err)
		}
		if p := line(); p.LastUsed == nil || !p.LastUsed.Equal(w.Now()) {
			t.Errorf("last used %v", p.LastUsed)
		}
		on := true
		w.Accounts.AddWayBack(account.WayBack{
			On:  func(context.Context, db.Querier, account.ID) (bool, error) { return on, nil },
			Off: func(context.Context, *db.Tx, account.ID) error { on = false; return nil },
		})
		w.below.Told()
		if err := w.Disable(t.Context(), by(id), false); !errors.Is(err, account.ErrRecoveryNeedsLayers) || !w.isOn(id) || !on || len(w.below.Told()) != 0 {
			t.Errorf("without the owner's word: %v; layer %t, recovery %t", err, w.isOn(id), on)
		}
		if err := w.Disable(t.Context(), by(id), true); err != nil || w.isOn(id) || on {
			t.Errorf("with it: %v; layer %t, recovery %t", err, w.isOn(id), on)
		}
	})
}
