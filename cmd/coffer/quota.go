package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/alecthomas/kong"
)

// quotaCmd manages the quotas of accounts. A running server sees each change at once.
type quotaCmd struct {
	Settings
	Show  quotaShowCmd  `cmd:"" help:"Print what an account keeps and may keep."`
	Set   quotaSetCmd   `cmd:"" help:"Give an account its own quota of bytes, of files, or both."`
	Reset quotaResetCmd `cmd:"" help:"Give an account the quotas of the settings again."`
}

type quotaShowCmd struct {
	Who string `arg:"" name:"account" help:"Address or username."`
}

// Run prints an account's usage.
func (c quotaShowCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error { return showQuota(ctx, a, c.Who, k.Stdout) })
}

type quotaSetCmd struct {
	Who   string `arg:"" name:"account" help:"Address or username."`
	Bytes *int64 `help:"Most bytes of content. 0: no bound."`
	Files *int64 `help:"Most files. 0: no bound."`
}

var errNoQuota = errors.New("name --bytes, --files or both")

// Run changes what it names and leaves the rest as it is.
func (c quotaSetCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	if c.Bytes == nil && c.Files == nil {
		return errNoQuota
	}
	for name, n := range map[string]*int64{"--bytes": c.Bytes, "--files": c.Files} {
		if n != nil && *n < 0 {
			return fmt.Errorf("%s: must not be negative", name)
		}
	}
	return withApp(ctx, s, log, func(a *app) error {
		id, err := a.named(ctx, c.Who)
		if err != nil {
			return err
		}
		var to deskChange
		if c.Bytes != nil {
			to.QuotaBytes = &deskQuota{Value: c.Bytes}
		}
		if c.Files != nil {
			to.QuotaFiles = &deskQuota{Value: c.Files}
		}
		if err := a.admin.Change(ctx, atConsole(), id, to); err != nil {
			return err
		}
		return showQuota(ctx, a, c.Who, k.Stdout)
	})
}

type quotaResetCmd struct {
	Who string `arg:"" name:"account" help:"Address or username."`
}

// Run removes an account's own quotas.
func (c quotaResetCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		id, err := a.named(ctx, c.Who)
		if err != nil {
			return err
		}
		if err := a.admin.Change(ctx, atConsole(), id, deskChange{QuotaBytes: &deskQuota{}, QuotaFiles: &deskQuota{}}); err != nil {
			return err
		}
		return showQuota(ctx, a, c.Who, k.Stdout)
	})
}

func showQuota(ctx context.Context, a *app, who string, out io.Writer) error {
	id, err := a.named(ctx, who)
	if err != nil {
		return err
	}
	u, err := a.contents.Usage(ctx, a.db, id)
	if err != nil {
		return err
	}
	bytes, files, err := a.contents.OwnQuota(ctx, a.db, id)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "bytes: %d of %s; unfinished uploads may take %d more\nfiles: %d of %s\n",
		u.Bytes, bound(u.QuotaBytes, bytes), u.Reserved, u.Files, bound(u.QuotaFiles, files))
	return err
}

// bound says how much an account may keep, and whether the setting or its own quota decides.
func bound(quota int64, own *int64) string {
	text := "any number"
	if quota > 0 {
		text = fmt.Sprint(quota)
	}
	if own == nil {
		return text + " (setting)"
	}
	return text + " (its own)"
}
