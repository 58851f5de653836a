package main

import (
	"context"
	"fmt"
	"log/slog"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// adminJobCmd manages work that happens later.
type adminJobCmd struct {
	List  adminJobListCmd  `cmd:"" help:"List jobs of a state, the oldest first. Payloads are not shown."`
	Retry adminJobRetryCmd `cmd:"" help:"Try a dead job again."`
}

type adminJobListCmd struct {
	State string `arg:"" optional:"" default:"dead" enum:"dead,waiting,running" help:"dead, waiting or running."`
	Limit int    `default:"50" help:"Most jobs."`
}

// Run lists jobs.
func (c adminJobListCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		all, err := a.jobs.List(ctx, c.State, "", c.Limit)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(k.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "JOB\tKIND\tATTEMPTS\tFAILURE\tMADE\tDUE\tDEAD")
		for _, j := range all {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", j.ID, j.Kind, j.Attempts, j.Failure, moment(j.CreatedAt), moment(j.RunAt), moment(j.DeadAt))
		}
		return w.Flush()
	})
}

type adminJobRetryCmd struct {
	Job string `arg:"" help:"Its id, as listed."`
}

// Run retries a job.
func (c adminJobRetryCmd) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withApp(ctx, s, log, func(a *app) error { return plainly(a.admin.Retry(ctx, atConsole(), c.Job)) })
}

// adminDropCmd closes drops.
type adminDropCmd struct {
	End adminDropEndCmd `cmd:"" help:"Close a drop for everybody."`
}

type adminDropEndCmd struct {
	Name string `arg:"" help:"The drop's name."`
}

// Run closes a drop.
func (c adminDropEndCmd) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withApp(ctx, s, log, func(a *app) error { return plainly(a.admin.EndDrop(ctx, atConsole(), c.Name)) })
}
