package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// clientsCmd manages resource servers. A running server sees each change at once.
type clientsCmd struct {
	Settings
	Add    clientsAddCmd    `cmd:"" help:"Make a resource server; prints its id and secret, once."`
	List   clientsListCmd   `cmd:"" help:"List every resource server. No secret is shown."`
	Remove clientsRemoveCmd `cmd:"" help:"Take a resource server's credentials back, at once."`
}

type clientsAddCmd struct {
	Name string `arg:"" help:"Name by which you will know it; 1 to 100 characters."`
}

// Run makes a resource server.
func (c clientsAddCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		made, secret, err := a.resources.Add(ctx, c.Name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(k.Stdout, "client id:     %s\nclient secret: %s\nThe secret is shown this once. The resource server sends both as HTTP Basic to POST %s/v1/auth/introspect.\n",
			made.ID, secret, s.URL)
		return err
	})
}

type clientsListCmd struct{}

// Run lists the resource servers.
func (clientsListCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error { return listServers(ctx, a, k.Stdout) })
}

func listServers(ctx context.Context, a *app, out io.Writer) error {
	all, err := a.resources.List(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tMADE")
	for _, one := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", one.ID, one.Name, moment(one.Made))
	}
	return w.Flush()
}

type clientsRemoveCmd struct {
	ID string `arg:"" help:"The id, as listed."`
}

// Run removes a resource server.
func (c clientsRemoveCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		if err := a.resources.Remove(ctx, c.ID); err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
		_, err := fmt.Fprintf(k.Stdout, "%s is removed\n", c.ID)
		return err
	})
}

// withApp runs fn with every room open.
func withApp(ctx context.Context, s *Settings, log *slog.Logger, fn func(*app) error) error {
	a, err := openApp(ctx, s, log)
	if err != nil {
		return err
	}
	defer a.close()
	return fn(a)
}
