package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// adminAccountCmd looks at accounts and changes them, at the server. Every change is in the
// log of admins' acts.
type adminAccountCmd struct {
	Show        adminAccountShowCmd     `cmd:"" help:"Print an account's state; nothing of its files."`
	Suspend     adminAccountSuspendCmd  `cmd:"" help:"Keep the owner out, at once, until activate."`
	Activate    adminAccountActivateCmd `cmd:"" help:"Lift a suspension."`
	Lock        adminAccountLockCmd     `cmd:"" help:"Let the password open nothing from new devices until the owner has confirmed by mail."`
	Unlock      adminAccountUnlockCmd   `cmd:"" help:"Take back a lock, and the failures that were counted."`
	Role        adminAccountRoleCmd     `cmd:"" help:"Make an account an admin, or an ordinary user. The last active admin stays."`
	SessionsEnd adminAccountEndCmd      `cmd:"" name:"sessions-end" help:"Sign an account out everywhere."`
	Reset       adminAccountResetCmd    `cmd:"" help:"Mail the owner a link to set a new password."`
}

// AccountArg names an account.
type AccountArg struct {
	Who string `arg:"" name:"account" help:"Address or username."`
}

// act does something to the account and prints its state afterwards.
func (c AccountArg) act(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context, do func(*app, accountID) error) error {
	return withApp(ctx, s, log, func(a *app) error {
		id, err := a.named(ctx, c.Who)
		if err != nil {
			return err
		}
		if err := do(a, id); err != nil {
			return plainly(err)
		}
		return showAccount(ctx, a, id, k.Stdout)
	})
}

// change makes a change of the account.
func (c AccountArg) change(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context, to deskChange) error {
	return c.act(ctx, s, log, k, func(a *app, id accountID) error { return a.admin.Change(ctx, atConsole(), id, to) })
}

func showAccount(ctx context.Context, a *app, id accountID, out io.Writer) error {
	l, err := a.admin.Look(ctx, id)
	if err != nil {
		return err
	}
	signedIn := "never"
	if !l.SignedInAt.IsZero() {
		signedIn = l.SignedInAt.Format(time.RFC3339)
	}
	layers := "none"
	if len(l.Layers) > 0 {
		layers = strings.Join(l.Layers, ", ")
	}
	_, err = fmt.Fprintf(out, "id:        %s\nusername:  %s\naddress:   %s\nstatus:    %s\nlocked:    %v\nrole:      %s\nmade:      %s\nsigned in: %s\nlayers:    %s\npasskeys:  %d\nsessions:  %d\nlinks:     %d\nbytes:     %d of %s\nfiles:     %d of %s\n",
		l.ID, l.Username, l.Email, l.Status, l.Locked, l.Role, l.CreatedAt.Format(time.RFC3339), signedIn, layers, l.Passkeys, l.Sessions, l.Links,
		l.Usage.Bytes, bound(l.Usage.QuotaBytes, l.OwnQuota.Bytes), l.Usage.Files, bound(l.Usage.QuotaFiles, l.OwnQuota.Files))
	return err
}

type adminAccountShowCmd struct{ AccountArg }

// Run prints an account.
func (c adminAccountShowCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return c.act(ctx, s, log, k, func(*app, accountID) error { return nil })
}

type adminAccountSuspendCmd struct{ AccountArg }

// Run suspends an account.
func (c adminAccountSuspendCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return c.change(ctx, s, log, k, deskChange{Suspended: new(true)})
}

type adminAccountActivateCmd struct{ AccountArg }

// Run lifts a suspension.
func (c adminAccountActivateCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return c.change(ctx, s, log, k, deskChange{Suspended: new(false)})
}

type adminAccountLockCmd struct{ AccountArg }

// Run locks an account's password.
func (c adminAccountLockCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return c.change(ctx, s, log, k, deskChange{Locked: new(true)})
}

type adminAccountUnlockCmd struct{ AccountArg }

// Run unlocks it.
func (c adminAccountUnlockCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return c.change(ctx, s, log, k, deskChange{Locked: new(false)})
}

type adminAccountRoleCmd struct {
	AccountArg
	Role string `arg:"" enum:"admin,user" help:"admin or user."`
}

// Run gives an account a role.
func (c adminAccountRoleCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return c.change(ctx, s, log, k, deskChange{Role: &c.Role})
}

type adminAccountEndCmd struct{ AccountArg }

// Run ends an account's sessions.
func (c adminAccountEndCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return c.act(ctx, s, log, k, func(a *app, id accountID) error { return a.admin.EndSessions(ctx, atConsole(), id) })
}

type adminAccountResetCmd struct{ AccountArg }

// Run mails a link.
func (c adminAccountResetCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return c.act(ctx, s, log, k, func(a *app, id accountID) error { return a.admin.StartReset(ctx, atConsole(), id) })
}
