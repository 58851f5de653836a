package recovery_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/recovery"
	"coffer/internal/rest"
)

func (w *world) makeCodes(id account.ID, again bool) []string {
	w.t.Helper()
	codes, err := w.back.MakeBackup(context.Background(), caller(id), again)
	if err != nil {
		w.t.Fatal(err)
	}
	return codes
}

// withCodes turns backup codes on, or replaces them, and returns the ten.
func (w *world) withCodes(id account.ID) []string {
	w.t.Helper()
	codes := w.makeCodes(id, w.readBackup(id).Enabled)
	if err := w.back.ConfirmBackup(context.Background(), caller(id)); err != nil {
		w.t.Fatal(err)
	}
	return codes
}

func (w *world) readBackup(id account.ID) recovery.Backup {
	w.t.Helper()
	b, err := w.back.ReadBackup(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func shown(b recovery.Backup) (codes []string) {
	for _, c := range b.Codes {
		codes = append(codes, c.Code)
	}
	return codes
}

func (w *world) backupLine(id account.ID) account.Protection {
	w.t.Helper()
	lines, err := w.Accounts.Security(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return lines["backup_codes"]
}

// The life of backup codes: made, confirmed, replaced, turned off; and who is told.
func TestBackupCodes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		w.withApp(ada)
		w.Mails()
		for what, err := range map[string]error{
			"make": errOf(w.back.MakeBackup(ctx, caller(ada), false)), "regenerate": errOf(w.back.MakeBackup(ctx, caller(ada), true)), "confirm": w.back.ConfirmBackup(ctx, caller(ada)),
		} {
			if codeOf(err) != "needs_two_layers" {
				t.Errorf("%s with one layer: %v", what, err)
			}
		}
		w.layer(ada, w.Name(), true)
		if _, err := w.back.MakeBackup(ctx, caller(ada), true); codeOf(err) != "backup_codes_off" {
			t.Errorf("regenerate what is off: %v", err)
		}
		if err := w.back.ConfirmBackup(ctx, caller(ada)); codeOf(err) != "nothing_to_confirm" {
			t.Errorf("confirm nothing: %v", err)
		}
		lost := w.makeCodes(ada, false)
		first := w.makeCodes(ada, true)
		if len(first) != 10 || slices.Equal(lost, first) {
			t.Fatalf("the codes %q, then %q", lost, first)
		}
		if b := w.readBackup(ada); b.Enabled || len(b.Codes) != 0 || !slices.Equal(b.Pending, first) || w.backupLine(ada).Enabled {
			t.Errorf("before they are confirmed: %+v", b)
		}
		if got := w.told(); got != "" {
			t.Errorf("told before anything counts: %s", got)
		}
		if err := w.back.ConfirmBackup(ctx, caller(ada)); err != nil {
			t.Fatal(err)
		}
		if got := w.told(); got != "ada@canary.example backup-codes-enabled" {
			t.Errorf("told: %s", got)
		}
		b := w.readBackup(ada)
		if !b.Enabled || !slices.Equal(shown(b), first) || len(b.Pending) != 0 || b.ConfirmedAt == nil || !b.ConfirmedAt.Equal(w.Now()) {
			t.Errorf("confirmed: %+v", b)
		}
		if l := w.backupLine(ada); !l.Enabled || l.Left == nil || *l.Left != 10 || l.Since == nil || l.LastUsed != nil {
			t.Errorf("the security line: %+v", l)
		}
		if _, err := w.back.MakeBackup(ctx, caller(ada), false); codeOf(err) != "backup_codes_enabled" {
			t.Errorf("make a second time: %v", err)
		}
		if err := w.back.ConfirmBackup(ctx, caller(ada)); codeOf(err) != "nothing_to_confirm" {
			t.Errorf("confirm a second time: %v", err)
		}

		second := w.makeCodes(ada, true)
		if b := w.readBackup(ada); !slices.Equal(shown(b), first) || !slices.Equal(b.Pending, second) {
			t.Errorf("while new ones wait: %+v", b)
		}
		if err := w.back.ConfirmBackup(ctx, caller(ada)); err != nil {
			t.Fatal(err)
		}
		if b := w.readBackup(ada); !slices.Equal(shown(b), second) || len(b.Pending) != 0 {
			t.Errorf("replaced: %+v", b)
		}
		if got := w.told(); got != "ada@canary.example backup-codes-regenerated" {
			t.Errorf("told: %s", got)
		}
		w.makeCodes(ada, true)
		w.Advance(time.Hour)
		if b := w.readBackup(ada); len(b.Pending) != 0 {
			t.Errorf("an hour later: %+v", b)
		}
		if err := w.back.ConfirmBackup(ctx, caller(ada)); codeOf(err) != "nothing_to_confirm" {
			t.Errorf("confirm an hour later: %v", err)
		}
		for range 2 {
			if err := w.back.DropBackup(ctx, caller(ada)); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.told(); got != "ada@canary.example backup-codes-disabled" {
			t.Errorf("told: %s", got)
		}
		if b := w.readBackup(ada); b.Enabled || len(b.Codes) != 0 || w.count(`SELECT COUNT(*) FROM backup_codes`) != 0 {
			t.Errorf("off: %+v", b)
		}
	})
}

func errOf[T any](_ T, err error) error { return err }

// Backup codes need two layers: the layer that they need goes only with them.
func TestBackupCodesNeedLayers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		w.twoLayers(ada)
		w.withCodes(ada)
		if err := w.codes.Disable(ctx, rest.Caller{Account: string(ada)}, false); codeOf(err) != "recovery_needs_two_layers" {
			t.Errorf("a layer that they need: %v", err)
		}
		w.Mails()
		if err := w.codes.Disable(ctx, rest.Caller{Account: string(ada)}, true); err != nil {
			t.Fatal(err)
		}
		if got := w.told(); got != "ada@canary.example backup-codes-disabled, ada@canary.example totp-disabled" {
			t.Errorf("told: %s", got)
		}
		if w.readBackup(ada).Enabled {
			t.Error("backup codes outlive the layers")
		}
	})
}

// Calls at the same moment follow each other: each has one clear outcome.
func TestBackupCodesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		w.twoLayers(ada)
		made := w.makeCodes(ada, false)
		got := race(8, func(int) string { return codeOf(w.back.ConfirmBackup(ctx, caller(ada))) })
		if got["<nil>"] != 1 || got["nothing_to_confirm"] != 7 {
			t.Errorf("eight confirm: %v", got)
		}
		if b := w.readBackup(ada); !slices.Equal(shown(b), made) {
			t.Errorf("confirmed: %+v", b)
		}
		for n := range 8 {
			older := shown(w.readBackup(ada))
			waits := w.makeCodes(ada, true)
			var again []string
			var confirmed error
			race(2, func(i int) string {
				if i == 0 {
					confirmed = w.back.ConfirmBackup(ctx, caller(ada))
					return ""
				}
				again, _ = w.back.MakeBackup(ctx, caller(ada), true)
				return ""
			})
			b := w.readBackup(ada)
			first := slices.Equal(shown(b), waits) && slices.Equal(b.Pending, again) // confirmed, then made anew
			last := slices.Equal(shown(b), again) && len(b.Pending) == 0             // made anew, then confirmed
			if confirmed != nil || first == last || slices.Equal(shown(b), older) {
				t.Errorf("round %d: %v, %+v", n, confirmed, b)
			}
		}
		got = race(12, func(i int) string {
			if i%2 == 0 {
				return codeOf(errOf(w.back.MakeBackup(ctx, caller(ada), true)))
			}
			return codeOf(w.back.DropBackup(ctx, caller(ada)))
		})
		if got["<nil>"]+got["backup_codes_off"] != 12 {
			t.Errorf("regenerate against disable: %v", got)
		}
		if w.readBackup(ada).Enabled {
			t.Error("on after it was turned off")
		}
	})
}

// A reader of the database finds no code. The export tells none, a sign-out everywhere ends
// those that wait, and the end of the account ends all.
func TestBackupCodesKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		w.twoLayers(ada)
		codes := append(w.withCodes(ada), w.makeCodes(ada, true)...)
		rows, err := d.Query(ctx, `SELECT code, mac FROM backup_codes`)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for ; rows.Next(); seen++ {
			var code, mac []byte
			if err := rows.Scan(&code, &mac); err != nil {
				t.Fatal(err)
			}
			for _, c := range codes {
				if bytes.Contains(code, []byte(c)) || bytes.Contains(mac, []byte(c)) {
					t.Errorf("a row shows %s", c)
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || seen != 20 {
			t.Errorf("%d rows, %v", seen, err)
		}
		var out bytes.Buffer
		if err := w.Accounts.Export(ctx, ada, &out); err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		var all bytes.Buffer
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&all, "== %s\n", f.Name)
			if _, err := all.ReadFrom(r); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(all.String(), "== backup-codes.json") || !strings.Contains(all.String(), `"used_at": [`) {
			t.Errorf("the export: %s", &all)
		}
		for _, c := range codes {
			if strings.Contains(all.String(), c) {
				t.Errorf("the export shows %s", c)
			}
		}
		if err := d.Tx(ctx, func(tx *db.Tx) error { return w.Accounts.InvalidateSessions(ctx, tx, ada, "") }); err != nil {
			t.Fatal(err)
		}
		if b := w.readBackup(ada); len(b.Pending) != 0 || len(b.Codes) != 10 {
			t.Errorf("signed out everywhere: %+v", b)
		}
		if err := w.Accounts.Forget(ctx, ada); err != nil {
			t.Fatal(err)
		}
		if w.count(`SELECT COUNT(*) FROM backup_codes`) != 0 {
			t.Error("codes outlive their account")
		}
	})
}
