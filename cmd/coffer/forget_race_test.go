package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"coffer/client"
	"coffer/internal/account"
	"coffer/internal/db"
)

// TestForgetWhileInUse deletes an account while its devices sign in, upload and export as fast as
// they can. The deletion passes. It leaves no row, no session's record and no content, and
// PostgreSQL counts no deadlock.
func TestForgetWhileInUse(t *testing.T) {
	onEachEngine(t, func(w *forgotten, tables []string) {
		for round := range 2 {
			m := w.member(fmt.Sprintf("ada%d", round))
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for device := range 8 {
				wg.Go(func() { w.hurry(m, device, stop) })
			}
			time.Sleep(150 * time.Millisecond)
			if err := w.accounts.Forget(w.Context(), account.ID(m.id)); err != nil {
				w.Fatalf("round %d: %v", round, err)
			}
			time.Sleep(50 * time.Millisecond)
			close(stop)
			wg.Wait()
			w.settle()
			for _, table := range tables {
				if n := w.count(`SELECT COUNT(*) FROM `+table+` WHERE account = $1`, m.id); n != 0 {
					w.Errorf("round %d: %s keeps %d rows", round, table, n)
				}
			}
			for what, n := range map[string]int{
				"records of sessions": w.count(`SELECT COUNT(*) FROM kv WHERE key LIKE 'session:%'`),
				"small contents":      w.count(`SELECT COUNT(*) FROM blob_contents`),
				"objects":             w.objects(),
				"jobs":                w.count(`SELECT COUNT(*) FROM jobs`),
			} {
				if n != 0 {
					w.Errorf("round %d: %d %s are left", round, n, what)
				}
			}
		}
		if w.db.Engine() == db.PostgreSQL {
			if n := w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
				w.Errorf("%d deadlocks", n)
			}
		}
	})
}

// hurry uses the account until stop is closed. Its calls may be refused at any moment.
func (w *forgotten) hurry(m member, device int, stop chan struct{}) {
	ctx, large := w.Context(), make([]byte, 100_000)
	c := w.client()
	in := client.SignIn{Identifier: m.name, Password: forgetPassword, Remember: true}
	if _, _, err := c.SignIn(ctx, in); err != nil {
		return
	}
	var key *virtualwebauthn.Credential
	for n := device; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		switch n % 5 {
		case 0:
			_, _, _ = w.client().SignIn(ctx, in)
		case 1:
			_, _ = c.Upload(ctx, "", client.Source{Name: "large", Content: bytes.NewReader(large)}, client.Source{Name: "small", Content: strings.NewReader("x")})
		case 2:
			if body, err := c.Export(ctx); err == nil {
				_, _ = io.Copy(io.Discard, body)
				_ = body.Close()
			}
		case 3:
			key, _ = w.newPasskey(c)
		case 4:
			if key != nil {
				_ = w.usePasskey(w.client(), *key)
			}
		}
	}
}
