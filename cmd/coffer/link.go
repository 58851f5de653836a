package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/alecthomas/kong"
)

// linkCmd is the operator's hold on links to files. A running server sees each change at once,
// and cuts what runs by a link that is blocked.
type linkCmd struct {
	Settings
	Show    linkShowCmd    `cmd:"" help:"Print whose a link is and how it was used; nothing of what it leads to."`
	Block   linkBlockCmd   `cmd:"" help:"Keep a link from being used."`
	Unblock linkUnblockCmd `cmd:"" help:"Let a blocked link be used again."`
}

type linkShowCmd struct {
	Link string `arg:"" help:"Its address, or its id."`
}

// Run prints a link.
func (c linkShowCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		l, err := a.shares.Find(ctx, c.Link)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(k.Stdout, "link:      %s\nkind:      %s\nstate:     %s\nowner:     %s\nmade:      %s\ndownloads: %d\nfiles:     %d\n",
			l.ID, l.Kind, l.State, l.Owner, l.CreatedAt.Format(time.RFC3339), l.Downloads, l.Files)
		return err
	})
}

type linkBlockCmd struct {
	Link string `arg:"" help:"Its address, or its id."`
}

// Run blocks a link.
func (c linkBlockCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return blockLink(ctx, s, log, c.Link, true, k)
}

type linkUnblockCmd struct {
	Link string `arg:"" help:"Its address, or its id."`
}

// Run unblocks a link.
func (c linkUnblockCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return blockLink(ctx, s, log, c.Link, false, k)
}

func blockLink(ctx context.Context, s *Settings, log *slog.Logger, link string, blocked bool, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		l, err := a.admin.BlockLink(ctx, atConsole(), link, blocked)
		if err != nil {
			return plainly(err)
		}
		_, err = fmt.Fprintf(k.Stdout, "%s of %s: %s\n", l.ID, l.Owner, l.State)
		return err
	})
}
