package main

import (
	"context"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
)

// pinsCmd is the operator's hold on what is published on IPFS. It works on the database; a
// running server does the rest.
type pinsCmd struct {
	Settings
	List   pinsListCmd   `cmd:"" help:"List the pins of all accounts; nothing of what they hold but their CID."`
	Verify pinsVerifyCmd `cmd:"" help:"Have a running server read pins back soon."`
	Copy   pinsCopyCmd   `cmd:"" help:"Pin everything at one more service."`
	Drop   pinsDropCmd   `cmd:"" help:"Remove from one service what another has verified; with copy, a move."`
}

type pinsListCmd struct{}

// Run lists pins, each target on a line of its own.
func (pinsListCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		w := tabwriter.NewWriter(k.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tACCOUNT\tMADE\tBYTES\tENCRYPTED\tCID\tTARGET\tSTATE\tREASON")
		for p, err := range a.pins.All(ctx) {
			if err != nil {
				return err
			}
			cid := p.CID
			if cid == "" {
				cid = "-"
			}
			for _, t := range p.Targets {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%t\t%s\t%s\t%s\t%s\n", p.ID, p.Account, p.CreatedAt.Format(time.RFC3339), p.Size, p.Encrypt, cid, t.Name, t.State, t.Reason)
			}
		}
		return w.Flush()
	})
}

type pinsVerifyCmd struct {
	ID string `arg:"" optional:"" help:"Id of a pin, as listed; without it, every pin."`
}

// Run makes pins due.
func (c pinsVerifyCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		n, err := a.pins.VerifyAll(ctx, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(k.Stdout, "A running server reads %d copies back now.\n", n)
		return err
	})
}

type pinsCopyCmd struct {
	To string `required:"" placeholder:"NAME" help:"The service: pinata, kubo or psa."`
}

// Run gives every pin one more target.
func (c pinsCopyCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		n, err := a.pins.CopyAll(ctx, c.To)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(k.Stdout, "A running server brings %d pins to %s now.\n", n, c.To)
		return err
	})
}

type pinsDropCmd struct {
	From string `required:"" placeholder:"NAME" help:"The service: pinata, kubo or psa, also one that is in the settings no more."`
}

// Run takes one target from the pins that do not need it.
func (c pinsDropCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		d, err := a.pins.DropAll(ctx, c.From)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("A running server removes %d pins from %s now.\n", d.Removed, c.From)
		if !d.There {
			text = fmt.Sprintf("%d pins end at %s. The settings do not have it: its copies stay there until they do.\n", d.Removed, c.From)
		}
		if d.Kept > 0 {
			text += fmt.Sprintf("%d pins stay there: no other service of the settings has them verified.\n", d.Kept)
		}
		_, err = fmt.Fprint(k.Stdout, text)
		return err
	})
}
