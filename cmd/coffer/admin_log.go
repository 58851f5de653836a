package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
)

// adminLogCmd reads the log of admins' acts and of what the server found.
type adminLogCmd struct {
	Show   adminLogShowCmd   `cmd:"" default:"withargs" help:"Print the newest entries."`
	Verify adminLogVerifyCmd `cmd:"" help:"Check that no entry was changed, removed or added in the database."`
}

type adminLogShowCmd struct {
	Limit int `default:"50" help:"Most entries."`
}

// Run prints entries, the newest first.
func (c adminLogShowCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		all, err := a.admin.Entries(ctx, 0, c.Limit)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(k.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ENTRY\tAT\tACTION\tBY\tACCOUNT\tTARGET\tDETAILS")
		for _, e := range all {
			by := string(e.By.Account)
			if e.By.Console != "" {
				by = "console: " + e.By.Console
			} else if by == "" {
				by = "server"
			}
			var details []string
			for _, name := range slices.Sorted(maps.Keys(e.Data)) {
				details = append(details, name+"="+strconv.Quote(e.Data[name]))
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Seq, e.At.Format(time.RFC3339), e.Action, by, e.Account, e.Target, strings.Join(details, " "))
		}
		return w.Flush()
	})
}

type adminLogVerifyCmd struct{}

var errLogAltered = errors.New("the log was altered in the database")

// Run checks the log.
func (adminLogVerifyCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		v, err := a.admin.Verify(ctx)
		if err != nil {
			return err
		}
		return printVerified(v, k)
	})
}

func printVerified(v verifiedLog, k *kong.Context) error {
	for _, wrong := range v.Wrong {
		fmt.Fprintln(k.Stdout, wrong)
	}
	if len(v.Wrong) > 0 {
		return errLogAltered
	}
	_, err := fmt.Fprintf(k.Stdout, "%d entries are as the server wrote them\nlast entry: %d %s\n", v.Rows, v.Last, v.MAC)
	return err
}
