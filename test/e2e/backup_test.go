package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"coffer/client"
)

// backup turns backup codes on and returns them.
func (p *person) backup(t *testing.T, c *client.Client) (codes []string) {
	t.Helper()
	err := p.fresh(t, c, func() (err error) {
		codes, err = c.MakeBackupCodes(t.Context())
		return err
	})
	if err == nil {
		err = p.fresh(t, c, func() error { return c.ConfirmBackupCodes(t.Context()) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

// backupLife tells of an owner who makes backup codes, replaces them, and turns them off.
// Row F-R1 and security.md rows 22 and 37.
func backupLife(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	if _, err := c.MakeBackupCodes(ctx); client.Code(err) != "needs_two_layers" {
		t.Errorf("without layers: %v", err)
	}
	p.twoLayers(t, c)
	if err := p.fresh(t, c, func() error { return c.ConfirmBackupCodes(ctx) }); client.Code(err) != "nothing_to_confirm" {
		t.Errorf("confirm nothing: %v", err)
	}
	first := p.backup(t, c)
	p.told(t, "has backup codes now")
	if _, err := c.MakeBackupCodes(ctx); client.Code(err) != "backup_codes_enabled" {
		t.Errorf("make a second time: %v", err)
	}
	second, err := c.RegenerateBackupCodes(ctx)
	if err != nil || len(second) != 10 {
		t.Fatalf("%q, %v", second, err)
	}
	b, err := c.BackupCodes(ctx)
	if err != nil || !b.Enabled || len(b.Codes) != 10 || b.Codes[0].Code != first[0] || !slices.Equal(b.Pending, second) {
		t.Errorf("%+v, %v", b, err)
	}
	in := func(code string) client.BackupRecovery {
		return client.BackupRecovery{Identifier: p.Email, Password: p.Password, Code: code}
	}
	if _, err := p.client(t).RecoverByBackupCode(ctx, in(second[0])); client.Code(err) != "invalid_code" {
		t.Errorf("a code that is not confirmed: %v", err)
	}
	opened, err := p.client(t).RecoverByBackupCode(ctx, in(first[0]))
	if err != nil || opened.AAL != "recovery" || !slices.Equal(opened.AMR, []string{"pwd", "backup_code"}) {
		t.Errorf("an older code before the new ones are confirmed: %+v, %v", opened, err)
	}
	p.mail(t, "recovery")
	if err := c.ConfirmBackupCodes(ctx); err != nil {
		t.Fatal(err)
	}
	p.told(t, "New backup codes were made")
	d := p.client(t)
	dashed := second[0][:4] + "-" + second[0][4:8] + " " + second[0][8:]
	if opened, err = d.RecoverByBackupCode(ctx, in(dashed)); err != nil || opened.AAL != "recovery" {
		t.Fatalf("%+v, %v", opened, err)
	}
	for what, want := range map[string][2]string{
		"used": {second[0], "code_used"}, "replaced": {first[1], "code_replaced"}, "wrong": {"000000000000", "invalid_code"}, "short": {"1234", "validation_failed"},
	} {
		if _, err := d.RecoverByBackupCode(ctx, in(want[0])); client.Code(err) != want[1] {
			t.Errorf("a code that is %s: %v", what, err)
		}
		guess := in(want[0])
		guess.Password = "wrong otters 41"
		if _, err := d.RecoverByBackupCode(ctx, guess); what != "short" && client.Code(err) != "invalid_credentials" {
			t.Errorf("a code that is %s, without the password: %v", what, err)
		}
	}
	if _, err := d.BackupCodes(ctx); err == nil {
		t.Error("a recovery session reads the codes")
	}
	if st, err := c.Security(ctx); err != nil || !st[client.BackupCodes].Enabled || *st[client.BackupCodes].Left != 9 {
		t.Errorf("the security page: %+v, %v", st, err)
	}
	if err := c.DisableBackupCodes(ctx); err != nil {
		t.Fatal(err)
	}
	p.told(t, "has no backup codes any more")
	if _, err := d.RecoverByBackupCode(ctx, in(second[1])); client.Code(err) != "invalid_code" {
		t.Errorf("after they are off: %v", err)
	}
}

// backupMailed tells of an owner who lost the password too.
func backupMailed(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	p.twoLayers(t, c)
	codes := p.backup(t, c)
	anybody := p.client(t)
	for _, try := range [][2]string{{p.Email, "000000000000"}, {"nobody@example.org", codes[0]}, {p.Email, codes[0]}} {
		if err := anybody.MailBackupRecovery(ctx, try[0], try[1]); err != nil {
			t.Errorf("%q: %v", try, err)
		}
	}
	l := p.mail(t, "recovery")
	token, ok := strings.CutSuffix(l.token(), "&way=backup-code")
	if !ok || !strings.HasPrefix(l.link, s.link("/recover#token=")) {
		t.Fatalf("the link %q", l.link)
	}
	if err := anybody.CheckBackupRecovery(ctx, token); err != nil {
		t.Errorf("a look at the link: %v", err)
	}
	opened, err := anybody.ConfirmBackupRecovery(ctx, token, "found again")
	if err != nil || opened.AAL != "recovery" || !slices.Equal(opened.AMR, []string{"email", "backup_code"}) {
		t.Fatalf("%+v, %v", opened, err)
	}
	if me, err := anybody.Profile(ctx); err != nil || me.Email != p.Email {
		t.Errorf("who the session is: %+v, %v", me, err)
	}
	if _, err := p.client(t).ConfirmBackupRecovery(ctx, token, ""); client.Code(err) != "link_gone" {
		t.Errorf("the link a second time: %v", err)
	}
	if _, err := p.client(t).RecoverByBackupCode(ctx, client.BackupRecovery{Identifier: p.Email, Password: p.Password, Code: codes[0]}); client.Code(err) != "code_used" {
		t.Errorf("its code: %v", err)
	}
}

// backupAtOnce: of twenty uses of one backup code one opens a session.
func backupAtOnce(t *testing.T, s *server) {
	p := s.member(t)
	c := p.signIn(t)
	p.twoLayers(t, c)
	code := p.backup(t, c)[0]
	var mu sync.Mutex
	count := map[string]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := p.client(t).RecoverByBackupCode(context.WithoutCancel(t.Context()), client.BackupRecovery{Identifier: p.Email, Password: p.Password, Code: code})
			mu.Lock()
			defer mu.Unlock()
			count[fmt.Sprint(client.Status(err))]++
		})
	}
	all.Wait()
	if count["0"] != 1 || count["0"]+count["410"]+count["429"]+count["503"] != 20 {
		t.Errorf("the answers: %v", count)
	}
}
