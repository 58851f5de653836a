package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
)

// adminBlockCmd manages blocked networks. Servers hear of a change within two seconds. It
// works at the server itself, so an admin whose own address is blocked has a way back.
type adminBlockCmd struct {
	Add    adminBlockAddCmd    `cmd:"" help:"Block an address or a network."`
	List   adminBlockListCmd   `cmd:"" help:"List the blocks in force, the newest first."`
	Remove adminBlockRemoveCmd `cmd:"" help:"End a block, by hand or automatic."`
}

type adminBlockAddCmd struct {
	Network string        `arg:"" help:"An address, or a network such as 192.0.2.0/24 or 2001:db8::/32."`
	Reason  string        `help:"For admins; the blocked client does not see it."`
	For     time.Duration `placeholder:"24h" help:"How long. Without it the block has no end."`
}

// Run blocks a network.
func (c adminBlockAddCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	var end time.Time
	if c.For != 0 {
		end = time.Now().Add(c.For)
	}
	return withApp(ctx, s, log, func(a *app) error {
		b, err := a.blocks.Block(ctx, c.Network, c.Reason, end)
		if err != nil {
			return plainly(err)
		}
		_, err = fmt.Fprintf(k.Stdout, "%s is blocked %s; coffer admin block remove %s ends it\n", b.Network, blockedUntil(b.ExpiresAt), b.ID)
		return err
	})
}

type adminBlockListCmd struct{}

// Run lists the blocks in force.
func (adminBlockListCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error { return listBlocks(ctx, a, k.Stdout) })
}

func listBlocks(ctx context.Context, a *app, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNETWORK\tBY\tSINCE\tENDS\tREASON")
	for cursor := ""; ; {
		page, next, err := a.blocks.List(ctx, nil, cursor, 1000)
		if err != nil {
			return err
		}
		for _, b := range page {
			by := "hand"
			if b.Automatic {
				by = "server"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", b.ID, b.Network, by, moment(b.CreatedAt), blockedUntil(b.ExpiresAt), b.Reason)
		}
		if cursor = next; cursor == "" {
			return w.Flush()
		}
	}
}

type adminBlockRemoveCmd struct {
	ID string `arg:"" help:"The id, as listed."`
}

// Run ends a block.
func (c adminBlockRemoveCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		if err := a.blocks.Remove(ctx, c.ID, ""); err != nil {
			return fmt.Errorf("%s: %w", c.ID, plainly(err))
		}
		_, err := fmt.Fprintf(k.Stdout, "%s has ended\n", c.ID)
		return err
	})
}

func blockedUntil(end time.Time) string {
	if end.IsZero() {
		return "for good"
	}
	return "until " + moment(end)
}
