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

// adminOverviewCmd says what the first page for admins says, and how far the keys are.
type adminOverviewCmd struct{}

// Run prints the overview.
func (adminOverviewCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error { return showOverview(ctx, a, k.Stdout) })
}

func showOverview(ctx context.Context, a *app, out io.Writer) error {
	queue, err := a.jobs.Numbers(ctx)
	if err != nil {
		return err
	}
	kept, err := a.admin.Totals(ctx)
	if err != nil {
		return err
	}
	walks, err := a.ring.Walks(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	line := func(label, format string, args ...any) { fmt.Fprintf(w, label+":\t"+format+"\n", args...) }
	line("version", "%s", a.admin.Version)
	answers := a.admin.Health(ctx)
	for _, c := range a.admin.Checks {
		line(c.Name, "%s", map[bool]string{true: "ok", false: "unavailable"}[answers[c.Name]])
	}
	line("jobs", "%d waiting, %d running, %d dead", queue.Waiting, queue.Running, queue.Dead)
	late := "none"
	if !queue.Oldest.IsZero() {
		late = fmt.Sprintf("the oldest waits for %s", max(0, time.Since(queue.Oldest)).Truncate(time.Second))
	}
	line("due jobs", "%s", late)
	n := kept.Accounts
	line("accounts", "%d active, %d deactivated, %d suspended, %d being deleted; %d are admins", n.Active, n.Deactivated, n.Suspended, n.Deleting, n.Admins)
	line("bytes", "%d in %d stored objects; unfinished uploads may take %d more", kept.Content.Bytes, kept.Objects, kept.Content.Reserved)
	line("files", "%d in %d folders", kept.Content.Files, kept.Content.Folders)
	line("links", "%d that show files, %d that take files; %d are blocked", kept.Shares.Read, kept.Shares.Request, kept.Shares.Blocked)
	line("drops", "%d", kept.Drops)
	calm := true
	for _, walk := range walks {
		if walk.FinishedAt.IsZero() {
			calm = false
			line("keys", "%s moves to the newest key, %d rows so far", walk.Name, walk.Done)
		}
		if walk.Damaged+walk.Waiting > 0 {
			calm = false
			line("keys", "%s has %d values that no key opens, and %d whose key is not here", walk.Name, walk.Damaged, walk.Waiting)
		}
	}
	if calm {
		line("keys", "no value is on its way to a newer key, and none is damaged")
	}
	return w.Flush()
}
