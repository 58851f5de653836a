package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"coffer/internal/jobs"
	"coffer/internal/limit"
)

// pruneCmd removes what is kept no longer, as running servers do by themselves. It refuses
// settings by which rows stay for another time than with the server that started last. The log of
// admins' acts has each removal.
type pruneCmd struct {
	DryRun bool `help:"Count the rows that may go, and remove none."`
}

// Run prints how many rows of each table may go or are gone.
func (c pruneCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error { return pruneAll(ctx, a, c.DryRun, k.Stdout) })
}

// keptFor says how long rows stay.
func keptFor(age time.Duration) string {
	switch age {
	case 0:
		return "until their end"
	case jobs.Forever:
		return "for ever"
	}
	return limit.Short(age)
}

func pruneAll(ctx context.Context, a *app, dry bool, out io.Writer) error {
	// A shell may lack the servers' environment variables, and with them their ages.
	if err := a.jobs.CheckAges(ctx); err != nil {
		return fmt.Errorf("%w; set the servers' environment variables, or start the server with the new ones first", err)
	}
	before, err := a.jobs.CountOld(ctx)
	if err != nil {
		return err
	}
	left := make([]int64, len(before))
	if !dry {
		if err := a.admin.Record(ctx, atConsole(), deskEntry{Action: "prune"}); err != nil {
			return err
		}
		if err := a.jobs.RemoveOld(ctx); err != nil {
			return err
		}
		if left, err = a.jobs.CountOld(ctx); err != nil {
			return err
		}
	}
	verb := "removed"
	if dry {
		verb = "to remove"
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "table\tkept\trows %s\n", verb)
	for i, r := range a.jobs.Removals() {
		fmt.Fprintf(table, "%s\t%s\t%d\n", r.Table, keptFor(r.Age), max(0, before[i]-left[i]))
	}
	return table.Flush()
}
