package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/alecthomas/kong"

	"coffer/internal/account"
	"coffer/internal/share"
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
		found, err := a.shares.Find(ctx, c.Link)
		return showLink(ctx, a, found, err, k.Stdout)
	})
}

type linkBlockCmd struct {
	Link string `arg:"" help:"Its address, or its id."`
}

// Run blocks a link.
func (c linkBlockCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return blockLink(ctx, s, log, c.Link, true, k.Stdout)
}

type linkUnblockCmd struct {
	Link string `arg:"" help:"Its address, or its id."`
}

// Run unblocks a link.
func (c linkUnblockCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return blockLink(ctx, s, log, c.Link, false, k.Stdout)
}

func blockLink(ctx context.Context, s *Settings, log *slog.Logger, link string, blocked bool, out io.Writer) error {
	return withApp(ctx, s, log, func(a *app) error {
		found, err := a.shares.Block(ctx, link, blocked)
		return showLink(ctx, a, found, err, out)
	})
}

func showLink(ctx context.Context, a *app, l share.Found, err error, out io.Writer) error {
	if errors.Is(err, share.ErrNotFound) {
		return errors.New("no link has that address or id")
	}
	if err != nil {
		return err
	}
	owner := string(l.Account)
	switch p, err := a.accounts.Profile(ctx, l.Account); {
	case err == nil:
		owner = p.Username
	case !errors.Is(err, account.ErrNotFound):
		return err
	}
	_, err = fmt.Fprintf(out, "link:      %s\nkind:      %s\nstate:     %s\nowner:     %s\nmade:      %s\ndownloads: %d\nfiles:     %d\n",
		l.ID, l.Kind, l.State, owner, l.CreatedAt.Format(time.RFC3339), l.Downloads, l.Files)
	return err
}
