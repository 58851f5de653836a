package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

func TestKeysCommands(t *testing.T) {
	ctx := t.Context()
	ring, err := keyring.Open(ctx, dbtest.SQLite(t), bytes.Repeat([]byte{1}, 32), keyring.Config{
		TokenAlg: "EdDSA", TokenTTL: time.Minute, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Need(ctx, keyring.Pepper); err != nil {
		t.Fatal(err)
	}
	old, err := ring.Active(ctx, keyring.Pepper)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := rotateKey(ctx, ring, keyring.Pepper, &out); err != nil {
		t.Fatal(err)
	}
	works := []keyring.Rewrap{{Name: "t.c", Purpose: keyring.Pepper, Step: func(context.Context, string, int, keyring.Skip) (string, int, error) { return "", 7, nil }}}
	if err := rewrapKeys(ctx, ring, works, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, " is active\n") || !strings.Contains(got, "t.c: 7\n") {
		t.Errorf("rotate and rewrap say %q", got)
	}
	damaged := keyring.Rewrap{Name: "t.d", Purpose: keyring.Pepper, Step: func(ctx context.Context, _ string, _ int, skip keyring.Skip) (string, int, error) {
		return "", 1, skip(ctx, "t.d", "id", seal.ErrOpen)
	}}
	down := keyring.Rewrap{Name: "t.e", Purpose: keyring.Pepper, Step: func(ctx context.Context, _ string, _ int, skip keyring.Skip) (string, int, error) {
		return "", 1, skip(ctx, "t.e", "id", context.DeadlineExceeded)
	}}
	out.Reset()
	if err := rewrapKeys(ctx, ring, []keyring.Rewrap{down, damaged}, &out); err == nil || !strings.Contains(out.String(), "t.d: 1\n") || strings.Contains(out.String(), "under the active keys") {
		t.Errorf("a walk that failed before another: %q, %v", out.String(), err)
	}
	if err := rewrapKeys(ctx, ring, []keyring.Rewrap{damaged}, &out); err != nil || !strings.Contains(out.String(), "no key opens 1 values") {
		t.Errorf("a damaged value: %q, %v", out.String(), err)
	}
	err = destroyKey(ctx, ring, keyring.Pepper, old.ID, false, &out)
	if err == nil || !strings.Contains(err.Error(), "coffer keys rewrap") {
		t.Errorf("destroying a key that other nodes may still seal under: %v, want what to do", err)
	}
	if err := destroyKey(ctx, ring, keyring.Pepper, old.ID, true, &out); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := listKeys(ctx, ring, &out); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if strings.Contains(line, old.ID) && !strings.Contains(line, "destroyed") {
			t.Errorf("the list says %q", line)
		}
	}
	if !strings.Contains(out.String(), old.ID) || strings.Contains(out.String(), string(old.Secret)) {
		t.Errorf("the list says %q", out.String())
	}
}
